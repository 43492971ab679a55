"""Tells on the next pages how far a revocation has come: how many APIs have confirmed it."""

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from keybearer.server.clock import SECOND
from keybearer.server.node import Node
from keybearer.server.pages.cookies import ENDING, leave_notice, read_cookie, set_cookie

Ended = Literal["token", "app", "member", "api"]

_RESULTS: Final[dict[str, str]] = {
    "token": "no one accepts it any more",
    "app": "no one accepts its tokens any more",
    "member": "no one accepts their tokens any more",
    "api": "no API that used it accepts tokens any more",
}
_SEEN: Final = "keybearer.ending"
_KEPT: Final = re.compile(r"(token|app|member|api)!([^!]{0,64})!(\d{1,18})!(\d{1,18})", re.ASCII)
_SOON_S: Final = 0.5  # most verifiers have confirmed before the next page is drawn
_LINGER_S: Final = 60


@dataclass(frozen=True, slots=True)
class Ending:
    """
    How far something that was ended has come.

    Args:
        result: what is true once it is over, a sentence without capital and full stop.
        apis: how many APIs verify tokens; confirmed: how many of them know.
        left_s: seconds until it is over at the latest.
    """

    result: str
    apis: int
    confirmed: int
    left_s: int
    is_over: bool


async def leave_ending(request: Request, answer: Response, notice: str, ended: Ended) -> None:
    """
    Leave a notice for the next pages, and what they need to tell how far the revocation has come.

    Args:
        ended: what was ended.
    """
    node: Node = request.app.state.node
    at, mark = node.now(), await node.certainty.mark()
    keep_s = node.settings.bound + _LINGER_S
    leave_notice(node, answer, notice, keep_s)
    if mark.seq is None:
        return
    set_cookie(node, answer, ENDING, f"{ended}!{quote(mark.epoch)}!{mark.seq}!{at}", keep_s)
    await node.certainty.wait(mark, _SOON_S)


async def look_for_ending(request: Request) -> None:
    """
    Find out how far the last revocation of this browser has come, for the page that this request will draw.

    Here the bound is measured by the wall clock, for the page may come from another machine than the one that ended
    it: what the bound has to spare beyond the lease (a fifth) covers how far two machines' clocks may be apart.
    """
    node: Node = request.app.state.node
    kept = _kept(node, request)
    if kept is None:
        return
    ended, epoch, seq, at = kept.groups()
    left = int(at) + node.settings.bound * SECOND - node.now()
    spread = await node.certainty.spread(unquote(epoch), int(seq))
    if spread is None:
        return
    left_s = min(node.settings.bound, -(-left // SECOND))
    is_over = spread.is_certain or left <= 0
    request.scope[_SEEN] = Ending(_RESULTS[ended], spread.apis, spread.confirmed, left_s, is_over)


def seen_ending(request: Request) -> Ending | None:
    """Return what `look_for_ending` found for this request."""
    found: Ending | None = request.scope.get(_SEEN)
    return found


def is_ending_kept(node: Node, request: Request) -> bool:
    """Tell whether a revocation of this browser may be still on its way."""
    return _kept(node, request) is not None


def _kept(node: Node, request: Request) -> re.Match[str] | None:
    return _KEPT.fullmatch(read_cookie(node, request, ENDING))
