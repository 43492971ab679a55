"""Browsers in which a user has signed in before, so that strangers' guesses do not slow the user's own sign-in."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import devices

_FIND = select(devices.c.user_id).where(
    devices.c.digest == bindparam("digest"),
    devices.c.user_id == bindparam("user_id"),
    devices.c.expires_at > bindparam("now"),
)
_NEW = insert(devices)
_REMEMBER = _NEW.on_conflict_do_update(index_elements=[devices.c.digest], set_={"expires_at": _NEW.excluded.expires_at})
_FORGET_USER = delete(devices).where(devices.c.user_id == bindparam("the_user"))


async def is_known(reader: Reader, digest: bytes, user_id: int, now: int) -> bool:
    """Tell whether the user has signed in on the device whose cookie has this digest."""
    return await reader.one(_FIND, digest=digest, user_id=user_id, now=now) is not None


async def remember(tx: Transaction, digest: bytes, user_id: int, now: int, expires_at: int) -> None:
    """Remember the device until *expires_at*, whether or not it is known already."""
    await tx.run(_REMEMBER, digest=digest, user_id=user_id, created_at=now, expires_at=expires_at)


async def forget_all(tx: Transaction, user_id: int) -> None:
    """Forget every device of the user."""
    await tx.run(_FORGET_USER, the_user=user_id)
