"""The pages' own style sheet, script and mark, under addresses that change with their content."""

import hashlib
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server import refusals
from keybearer.server.node import Node

_KINDS: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOREVER: Final = {"cache-control": "public, max-age=31536000, immutable"}


def _read_all() -> dict[str, tuple[str, bytes]]:
    """Return each file's name -> its name with its content's hash in it, and the content."""
    found = {}
    for file in resources.files("keybearer.server.pages").joinpath("static").iterdir():
        stem, _, ending = file.name.rpartition(".")
        if ending in _KINDS:
            content = file.read_bytes()
            found[file.name] = (f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{ending}", content)
    return found


_FILES: Final = _read_all()
_BY_ADDRESS: Final = dict(_FILES.values())


def asset(name: str) -> str:
    """Return the address of a file of ``static/``; it may be kept for ever, for it changes with the content."""
    return f"/static/{_FILES[name][0]}"


async def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    content = _BY_ADDRESS.get(name)
    if content is None:
        raise refusals.not_found("no such static file")
    return Response(content, headers=_FOREVER, media_type=_KINDS[name.rpartition(".")[2]])


def routes(_: Node) -> list[BaseRoute]:
    """Return the door to the static files."""
    return [Route("/static/{name}", _serve)]
