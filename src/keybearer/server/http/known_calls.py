"""Calls with a known token, let through without waiting: what a door that tells a hit does beside its answer."""

from keybearer.reporting.asked import Asked
from keybearer.server.http.bearer import bearer_in
from keybearer.server.http.hits import Plain
from keybearer.server.http.limits import left_lines
from keybearer.server.node import Node
from keybearer.wire.principal import Principal


def known_caller(node: Node, plain: Plain) -> Principal | None:
    """Return who calls, if the node knows the token."""
    text = bearer_in(plain.header(b"authorization"))
    return None if text is None else node.bearers.known(text, plain.at)


def let_through(
    node: Node, plain: Plain, principal: Principal, door: tuple[str, str], words: str | None
) -> bytes | None:
    """
    Count and record a call that is answered with 200, and note the use of its token.

    Args:
        door: method and route, as the record has them.
        words: what the record says beside, as `words_text` writes it.

    Returns:
        The lines of the answer's head that say how many calls are left; None, and nothing has happened, if no call is
        in hand.

    Raises:
        Refusal: ``unavailable``: it cannot be recorded, so it must not be answered.
    """
    left = node.own_calls.count_held(principal)
    if left is None:
        return None
    agent = plain.header(b"user-agent") or None
    asked = Asked(*door, plain.request_id, plain.address or None, agent)
    node.call_records.keep(principal.bearer, asked, 200, words)
    node.last_used.note(principal.token_id, plain.at)
    return left_lines(left)
