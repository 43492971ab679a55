"""The cookies that pages set: the sign-in, the known device, a word for the next page, and a form to come back to."""

from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from keybearer.server.accounts.password_attempts import DEVICE_LIVES
from keybearer.server.clock import SECOND
from keybearer.server.node import Node

SESSION: Final = "kb_session"
DEVICE: Final = "kb_device"
NOTICE: Final = "kb_notice"
ENDING: Final = "kb_ending"
TYPED: Final = "kb_typed"
DEVICE_S: Final = DEVICE_LIVES // SECOND
_NOTICE_S: Final = 60
_MAX_LENGTH: Final = 300


def cookie_name(node: Node, name: str) -> str:
    """Return the name as sent: bound to this host and to TLS wherever there is TLS (RFC 6265bis §4.1.3.2)."""
    return f"__Host-{name}" if node.settings.is_https else name


def read_cookie(node: Node, request: Request, name: str) -> str:
    """Return the cookie's value; '' if it is absent."""
    return request.cookies.get(cookie_name(node, name), "")


def set_cookie(node: Node, answer: Response, name: str, value: str, max_age_s: int) -> None:
    """Set a cookie that no script reads and no other site's POST carries."""
    answer.set_cookie(
        cookie_name(node, name),
        value,
        max_age=max_age_s,
        path="/",
        secure=node.settings.is_https,
        httponly=True,
        samesite="lax",
    )


def clear_cookie(node: Node, answer: Response, name: str) -> None:
    """Take a cookie away."""
    set_cookie(node, answer, name, "", 0)


def leave_notice(node: Node, answer: Response, notice: str, keep_s: int = _NOTICE_S) -> None:
    """Leave a sentence that the next page shows once."""
    set_cookie(node, answer, NOTICE, quote(notice[:_MAX_LENGTH]), keep_s)


def read_notice(node: Node, request: Request) -> str:
    """Return the sentence that the page before has left; '' if none."""
    return unquote(read_cookie(node, request, NOTICE))[:_MAX_LENGTH]
