"""Users: people with a password; they exist once, whatever their teams."""

from sqlalchemy import bindparam, func, insert, select, update

from keybearer.server.records import User
from keybearer.server.store.database import Reader, Row, Transaction
from keybearer.server.store.rows import total
from keybearer.server.store.tables import users

_COLUMNS = [column for column in users.c if column.name != "cut_offs"]

_BY_ID = select(*_COLUMNS).where(users.c.user_id == bindparam("user_id"))
_PROFILE = select(
    users.c.user_id,
    users.c.name,
    users.c.email,
    users.c.verified_at,
    users.c.disabled_at,
    users.c.created_at,
    users.c.updated_at,
).where(users.c.user_id == bindparam("user_id"))
_LOCK = _BY_ID.with_for_update(key_share=True)
_BY_EMAIL = select(*_COLUMNS).where(users.c.email_key == bindparam("email_key"))
_COUNT = select(func.count().label("total")).select_from(users)
_ADD = insert(users).returning(*_COLUMNS)
_RENAME = (
    update(users)
    .where(users.c.user_id == bindparam("the_user"))
    .values(name=bindparam("name"), updated_at=bindparam("now"))
)
_SET_EMAIL = (
    update(users)
    .where(users.c.user_id == bindparam("the_user"))
    .values(
        email=bindparam("email"),
        email_key=bindparam("email_key"),
        verified_at=bindparam("verified_at"),
        updated_at=bindparam("now"),
    )
)
_SET_VERIFIED = (
    update(users)
    .where(users.c.user_id == bindparam("the_user"), users.c.email == bindparam("email"))
    .values(verified_at=bindparam("now"), updated_at=bindparam("now"))
)
_SET_PASSWORD = (
    update(users)
    .where(users.c.user_id == bindparam("the_user"))
    .values(password_hash=bindparam("password_hash"), updated_at=bindparam("now"))
)
_SET_DISABLED = (
    update(users)
    .where(users.c.user_id == bindparam("the_user"))
    .values(disabled_at=bindparam("disabled_at"), updated_at=bindparam("now"))
)
_CUT_OFF = update(users).where(users.c.user_id == bindparam("the_user")).values(cut_offs=users.c.cut_offs + 1)
_SET_OPERATOR = (
    update(users)
    .where(users.c.user_id == bindparam("the_user"))
    .values(operator_at=bindparam("operator_at"), updated_at=bindparam("now"))
)


async def by_user_id(reader: Reader, user_id: int) -> User | None:
    """Return the user of this id; None if there is none."""
    row = await reader.one(_BY_ID, user_id=user_id)
    return User(**row) if row else None


async def profile(reader: Reader, user_id: int) -> Row | None:
    """Return what the user of this id sees of themselves; None if there is none."""
    return await reader.one(_PROFILE, user_id=user_id)


async def lock(tx: Transaction, user_id: int) -> User | None:
    """Return the user of this id, and let nobody else change them until this transaction ends."""
    row = await tx.one(_LOCK, user_id=user_id)
    return User(**row) if row else None


async def by_email(reader: Reader, email_key: str) -> User | None:
    """Return the user whose address has this canonical form; None if there is none."""
    row = await reader.one(_BY_EMAIL, email_key=email_key)
    return User(**row) if row else None


async def count(reader: Reader) -> int:
    """Return how many users there are."""
    return await total(reader, _COUNT)


async def add(tx: Transaction, values: dict[str, object]) -> User:
    """
    Add a user with the columns in *values*.

    Raises:
        Conflict: ``uq_users_email_key``: the address is taken.
    """
    row = await tx.one(_ADD, **values)
    assert row is not None  # noqa: S101 - INSERT … RETURNING gives its row
    return User(**row)


async def rename(tx: Transaction, user_id: int, name: str, now: int) -> None:
    """Give the user another name."""
    await tx.run(_RENAME, the_user=user_id, name=name, now=now)


async def set_email(tx: Transaction, user_id: int, email: tuple[str, str], verified_at: int | None, now: int) -> None:
    """
    Give the user another address.

    Args:
        email: the address as shown, and its canonical form.
        verified_at: when the new address was proven to be the user's; None while it is not.

    Raises:
        Conflict: ``uq_users_email_key``: the address is taken.
    """
    shown, key = email
    await tx.run(_SET_EMAIL, the_user=user_id, email=shown, email_key=key, verified_at=verified_at, now=now)


async def set_verified(tx: Transaction, user_id: int, email: str, now: int) -> bool:
    """Mark the address as proven, if it is still the user's; False if it is not."""
    return await tx.run(_SET_VERIFIED, the_user=user_id, email=email, now=now) == 1


async def set_password(tx: Transaction, user_id: int, password_hash: str, now: int) -> None:
    """Keep another password hash (Argon2id, PHC text)."""
    await tx.run(_SET_PASSWORD, the_user=user_id, password_hash=password_hash, now=now)


async def set_disabled(tx: Transaction, user_id: int, disabled_at: int | None, now: int) -> None:
    """Suspend the user and every token (*disabled_at*), or let them act again (None)."""
    await tx.run(_SET_DISABLED, the_user=user_id, disabled_at=disabled_at, now=now)


async def cut_off(tx: Transaction, user_id: int) -> None:
    """Count once more that all that acted in the user's name was ended: a change, so the verifiers are told."""
    await tx.run(_CUT_OFF, the_user=user_id)


async def set_operator(tx: Transaction, user_id: int, operator_at: int | None, now: int) -> None:
    """Make the user an operator of this server (*operator_at*), or no longer (None)."""
    await tx.run(_SET_OPERATOR, the_user=user_id, operator_at=operator_at, now=now)
