"""Whoever makes a call, and from where: what many calls have in common is judged once and is one object."""

from functools import lru_cache
from typing import NamedTuple

from keybearer.reporting.asked import LONGEST, Asked, recordable
from keybearer.wire.denial import Bearer


class Caller(NamedTuple):
    """In whose name a call is made, and what is told of its request but for its id; all as an entry can have it."""

    user: str
    team: int
    environment: str
    client: str | None
    grant: str
    token: str
    token_last4: str
    method: str | None
    route: str | None
    address: str | None
    agent: str | None


def caller_of(bearer: Bearer, asked: Asked) -> Caller:
    """Return who makes a call; callers come again, and the newest are remembered."""
    method, route, _, address, agent = asked
    # Cut first: what is remembered has no more of a text than is judged, and is text, whatever a framework derives.
    return _caller_of(
        bearer,
        method and method[:LONGEST],
        route and route[:LONGEST],
        address and address[:LONGEST],
        agent and agent[:LONGEST],
    )


@lru_cache(1024)
def _caller_of(bearer: Bearer, method: str | None, route: str | None, address: str | None, agent: str | None) -> Caller:
    told = recordable(Asked(method, route, None, address, agent))
    return Caller(str(bearer.user_id), *bearer[1:], told.method, told.route, told.address, told.agent)
