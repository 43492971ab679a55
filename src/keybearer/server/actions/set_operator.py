"""A person is made an operator of this server, or is one no longer."""

from dataclasses import replace

from keybearer.server import ledger, refusals
from keybearer.server.activities import Actor
from keybearer.server.records import User
from keybearer.server.store import users
from keybearer.server.store.database import Transaction


async def set_operator(tx: Transaction, actor: Actor, user_id: int, now: int, *, is_operator: bool) -> User:
    """
    Let the user operate this server (*is_operator*), or no longer; doing it twice changes nothing more.

    Only the command line does this: who may type there may do everything anyway.

    Raises:
        Refusal: ``not_found``.
    """
    user = await users.lock(tx, user_id)
    if user is None:
        raise refusals.not_found(f"user {user_id}")
    if (user.operator_at is not None) == is_operator:
        return user
    operator_at = now if is_operator else None
    await users.set_operator(tx, user_id, operator_at, now)
    action = "operator.added" if is_operator else "operator.removed"
    await ledger.record(tx, actor, ledger.user_activity(action, user_id), now)
    return replace(user, operator_at=operator_at, updated_at=now)
