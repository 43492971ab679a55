"""Notices that wait to be mailed, written in the transaction of the change they tell of."""

from collections.abc import Sequence

from keybearer.server.activities import Actor
from keybearer.server.records import Grant, Notice
from keybearer.server.rules.expiry_notices import GATHERED_FOR
from keybearer.server.store import notices
from keybearer.server.store.database import Transaction


async def put_revoked(tx: Transaction, actor: Actor, ended: Sequence[Grant], now: int) -> None:
    """Have the users of these grants told that *actor* has ended them, if that was somebody else."""
    told = [
        Notice(grant.grant_id, grant.user_id, "revoked", now, actor.user_id)
        for grant in ended
        if grant.user_id != actor.user_id
    ]
    await notices.put_all(tx, told, now, now)


async def put_client_deleted(tx: Transaction, actor: Actor, client_id: str, now: int) -> None:
    """Have everybody who let a client in told that it was deleted, except whoever deleted it."""
    await notices.put_for_client(tx, client_id, actor.user_id, now)


async def put_endings(tx: Transaction, told: Sequence[Notice], now: int) -> None:
    """Have users told what ends by itself; a mail waits for more of its kind."""
    await notices.put_all(tx, told, now + GATHERED_FOR, now)
