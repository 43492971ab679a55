"""Records put into the activity log without the doors that would report them."""

import secrets
from typing import Any, Final

from sqlalchemy import update

from keybearer.server.node import Node
from keybearer.server.records import HeldToken, Team, User
from keybearer.server.secrets import digest
from keybearer.server.store import activity, activity_checkpoints, activity_logs, tokens
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_records
from keybearer.wire.activity import Entry, entry_bytes, seal
from tests.support.api import Stage

_CALL: dict[str, Any] = {"action": "api.called", "outcome": "done", "method": "GET", "route": "/invoices/{id}"}

SPOILT: Final[dict[str, dict[str, bytes]]] = {
    f"{column}: {name}": {column: value}
    for column, values in {
        "entry": {
            "keys are missing": b"{}",
            "a NUL": rb'{"action":"a.b","at":1,"client":"\u0000","outcome":"done","v":1}',
        },
        "details": {"a number in it": b'{"user":5}', "half of a pair": b'{"user":["salt"]}'},
    }.items()
    for name, value in (
        {"no text": b"\xff", "no JSON": b"5,", "a list": b"[]", "no bottom": b"[" * 100_000} | values
    ).items()
}
"""Columns of a record as nobody but raw SQL leaves them."""


async def spoil(tx: Transaction, request_id: str, /, **columns: bytes) -> None:
    """Change a record behind the server's back."""
    is_it = activity_records.c.request_id == request_id
    await tx.run(update(activity_records).where(is_it).values(columns))


async def happen(
    node: Node, user: User, team: Team, /, *, at: int | None = None, sealing: dict[str, str] | None = None, **said: Any
) -> None:
    """
    Have the user's call be recorded, or whatever *said* makes of it.

    Args:
        at: microseconds since 1970 UTC; the node's time if not given.
        sealing: what is personal beside the user.
    """
    now = node.now()
    personal = {"user": str(user.user_id), "address": "203.0.113.9", "agent": "curl/8.5.0"} | (sealing or {})
    sealed, details = seal(personal, secrets.token_bytes)
    about = {"at": now if at is None else at, "team": team.team_id, "environment": team.environment, "sealed": sealed}
    entry = Entry(**_CALL | {"status": 200, "request_id": "request-1"} | about | said)
    await node.act(activity.add_all, [activity.row_of(entry, entry_bytes(entry), details, now)])


async def seal_all(node: Node) -> None:
    """Have everything that happened be signed; one turn may not be enough, if one of the node's own is under way."""
    while await activity_logs.has_unplaced(node.database) or await activity_checkpoints.unsigned(node.database):
        await node.sealer.turn()


async def held_token(stage: Stage, user: User, team: Team, scope: str | None = None) -> tuple[str, HeldToken]:
    """Make a personal token; return its text, and what the store holds of it."""
    text = await stage.scene.personal_token(user, team, scope)
    held = await stage.house.node.view(tokens.held, digest(text))
    assert held is not None
    return text, held
