"""JSON answers, formatted the way the reference does."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

_ENCODER: Final = msgspec.json.Encoder()
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
NO_STORE: Final = {"cache-control": "no-store", "pragma": "no-cache"}


def json_bytes(body: object) -> bytes:
    r"""Write *body* as JSON: slashes as they are, what is not ASCII as ``\uXXXX`` (RFC 8259 §7)."""
    written = _ENCODER.encode(body)
    if written.isascii():
        return written
    return _NOT_ASCII.sub(_escaped, written.decode()).encode()


def _escaped(found: re.Match[str]) -> str:
    """Return what was found as JSON escapes of its UTF-16 code units."""
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(json_bytes(body), status, dict(headers or {}), "application/json")


def empty_answer(status: int = 204, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer without a body."""
    return Response(None, status, dict(headers or {}))
