"""What users are to be mailed about what acts in their names, put down in the change's own transaction."""

from collections.abc import Sequence

from keybearer.server.events import Actor
from keybearer.server.records import Grant, Notice
from keybearer.server.rules.expiry_notices import GATHERED_FOR
from keybearer.server.store import notices
from keybearer.server.store.database import Transaction


async def tell_revoked(tx: Transaction, actor: Actor, ended: Sequence[Grant], now: int) -> None:
    """Have the users of these grants told that *actor* has ended them, if that was somebody else."""
    told = [
        Notice(grant.grant_id, grant.user_id, "revoked", now, actor.user_id)
        for grant in ended
        if grant.user_id != actor.user_id
    ]
    await notices.put_all(tx, told, now, now)


async def tell_client_deleted(tx: Transaction, actor: Actor, client_id: str, now: int) -> None:
    """Have everybody who let a client in told that it was deleted, but for whoever did that."""
    await notices.put_for_client(tx, client_id, actor.user_id, now)


async def tell_of_ends(tx: Transaction, told: Sequence[Notice], now: int) -> None:
    """Have users told what ends by itself; a mail waits for more of its kind."""
    await notices.put_all(tx, told, now + GATHERED_FOR, now)
