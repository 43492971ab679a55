"""``Prefer: wait=propagated``: the answer to a revocation waits until no verifier accepts the token any more."""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from keybearer.server.node import Node

_WAIT: Final = "wait"
_PROPAGATED: Final = "propagated"
APPLIED: Final = {"preference-applied": f"{_WAIT}={_PROPAGATED}"}


async def when_preferred(node: Node, request: Request, answer: Response) -> Response:
    """
    Return the *answer* to what has just been committed, held back until it is certain, where that is preferred.

    Without ``Preference-Applied`` it is as certain as it would be without the preference: too many wait, or the caller
    has gone away.

    Source: RFC 7240 §2, §3; coherence.md 5.5, consequence (iii).
    """
    if not _wants_certainty(request):
        return answer
    mark = await node.certainty.mark()
    waiting = asyncio.ensure_future(node.certainty.wait(mark))
    leaving = asyncio.ensure_future(_leave(request))
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done() and waiting.result():
            answer.headers.update(APPLIED)
    finally:
        waiting.cancel()
        leaving.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)
    return answer


def _wants_certainty(request: Request) -> bool:
    """
    Tell whether the first ``wait`` among the preferences is ours: the usual one is a number.

    Source: RFC 7240 §2 (names without regard to case, the first one counts, parameters that are not known are ignored).
    """
    for preference in ",".join(request.headers.getlist("prefer")).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == _WAIT:
            return value.strip().strip('"').lower() == _PROPAGATED
    return False


async def _leave(request: Request) -> None:
    """Return once the caller has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
