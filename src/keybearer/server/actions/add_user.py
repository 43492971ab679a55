"""A person is added."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals
from keybearer.server.activities import Actor
from keybearer.server.records import User
from keybearer.server.rules.addresses import clean_address
from keybearer.server.rules.names import MAX_USER_NAME, clean_name
from keybearer.server.store import users
from keybearer.server.store.database import Transaction
from keybearer.server.store.faults import Conflict


@dataclass(frozen=True, slots=True)
class NewUser:
    """
    A person as typed in.

    Args:
        password_hash: Argon2id, PHC text.
        is_verified: whether the address is known to be theirs.
    """

    email: str
    name: str
    password_hash: str
    is_verified: bool


async def add_user(tx: Transaction, actor: Actor, new: NewUser, now: int) -> User:
    """
    Add a person; they are in no team yet.

    Raises:
        Refusal: ``invalid``: the address or the name cannot be kept, or the address is taken.
    """
    address = clean_address(new.email)
    values: dict[str, object] = {
        "email": address.shown,
        "email_key": address.key,
        "name": clean_name(new.name, MAX_USER_NAME),
        "password_hash": new.password_hash,
        "verified_at": now if new.is_verified else None,
        "disabled_at": None,
        "created_at": now,
        "updated_at": now,
    }
    try:
        user = await users.add(tx, values)
    except Conflict as conflict:
        raise refusals.invalid("email", f"{address.shown} is taken. Give another address.") from conflict
    await ledger.record(tx, actor, ledger.user_activity("user.created", user.user_id), now)
    return user
