"""A person, and every token that acts in their name, is suspended or let act again."""

from dataclasses import replace

from keybearer.server import ledger, refusals
from keybearer.server.activities import Actor
from keybearer.server.records import User
from keybearer.server.store import sessions, users
from keybearer.server.store.database import Transaction


async def set_user_disabled(tx: Transaction, actor: Actor, user_id: int, now: int, *, is_disabled: bool) -> User:
    """
    Suspend the user (*is_disabled*) or end the suspension; doing it twice changes nothing more.

    No grant ends: once the user is enabled, tokens work again. Sessions end: people sign in anew.

    Raises:
        Refusal: ``not_found``.
    """
    user = await users.by_user_id(tx, user_id)
    if user is None:
        raise refusals.not_found(f"user {user_id}")
    if (user.disabled_at is not None) == is_disabled:
        return user
    disabled_at = now if is_disabled else None
    await users.set_disabled(tx, user_id, disabled_at, now)
    if is_disabled:
        await sessions.end_all(tx, user_id, now)
    action = "user.disabled" if is_disabled else "user.enabled"
    await ledger.record(tx, actor, ledger.user_activity(action, user_id), now)
    return replace(user, disabled_at=disabled_at, updated_at=now)
