"""The API's OpenAPI description: written by hand in the API's own room, with this server's address put in."""

from importlib.resources import files
from typing import Any

import yaml


def description(issuer: str) -> dict[str, Any]:
    """Return the description with this server's own address in it."""
    text = files("keybearer.server.api").joinpath("openapi.yaml").read_text("utf-8")
    written: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)  # in C: fifteen times as fast
    return written | {"servers": [{"url": issuer, "description": "This server."}]}
