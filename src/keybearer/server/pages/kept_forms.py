"""Keeps what was typed into a form whose sign-in had ended, until the same person is back; only they send it."""

import base64
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from starlette.requests import Request
from starlette.responses import Response

from keybearer.server import secrets
from keybearer.server.clock import SECOND
from keybearer.server.http.forms import Form, read_form
from keybearer.server.node import Node
from keybearer.server.pages.cookies import SESSION, TYPED, read_cookie, set_cookie
from keybearer.server.pages.session import Visitor
from keybearer.server.reads.visit import whose

_KEEP_S: Final = 3600
_MAX_LENGTH: Final = 3_000  # a browser drops a cookie of more than 4,096 bytes, and proxies an answer whose head has
_SHOWN: Final = "keybearer.kept_form"
_NOTHING: Final = Form(())


class _Typed(msgspec.Struct, array_like=True):
    """What was typed, at which address, and when (microseconds since 1970 UTC)."""

    path: str
    at: int
    pairs: tuple[tuple[str, str], ...]


_decode: Final = msgspec.json.Decoder(_Typed).decode


async def keep_form(request: Request, answer: Response, fields: tuple[str, ...]) -> bool:
    """
    Keep these *fields* of the form that was posted, in a cookie that opens for whoever typed them and for nobody else.

    Returns:
        False if nothing is kept: no field may be, nobody knows who typed, or it is more than a cookie holds.
    """
    node: Node = request.app.state.node
    user_id = await node.view(whose, read_cookie(node, request, SESSION)) if fields else None
    if user_id is None:
        return False
    form = await read_form(request)
    pairs = tuple((name, value) for name, value in form.pairs if name in fields)
    plain = msgspec.json.encode(_Typed(request.scope["path"], node.now(), pairs)).decode()
    value = base64.urlsafe_b64encode(secrets.seal(plain, _key(node), _purpose(user_id))).decode("ascii")
    if len(value) > _MAX_LENGTH:
        return False
    set_cookie(node, answer, TYPED, value, _KEEP_S)
    return True


def kept_form(request: Request, visitor: Visitor, path: str = "") -> Form:
    """
    Return what this visitor typed before they had to sign in again, for the page to show; `render` then lets go of it.

    Args:
        path: where the form is posted to; '' for the address of the page itself.

    Returns:
        an empty form if nothing is kept: also for one of another team than the active one, in which it must not act.
    """
    node: Node = request.app.state.node
    try:
        sealed = base64.urlsafe_b64decode(read_cookie(node, request, TYPED))
        typed = _decode(secrets.unseal(sealed, _key(node), _purpose(visitor.user.user_id)))
    except (ValueError, InvalidTag, msgspec.MsgspecError):  # none, somebody else's, or of another version
        return _NOTHING
    form = Form(typed.pairs)
    is_of_page = typed.path == (path or request.scope["path"]) and node.now() - typed.at < _KEEP_S * SECOND
    if not is_of_page or form.text("team") not in {"", str(visitor.team.team_id) if visitor.team else ""}:
        return _NOTHING
    request.scope[_SHOWN] = True
    return form


def is_kept_form_shown(request: Request) -> bool:
    """Tell whether the page of this request shows what `kept_form` returned."""
    return _SHOWN in request.scope


def _key(node: Node) -> str:
    """Return what seals: the same on all nodes, so that a person may come back to another."""
    return node.sealer.signer.derived_key("keybearer: what was typed into forms").hex()


def _purpose(user_id: int) -> str:
    return f"keybearer: what user {user_id} typed"
