"""A person whose password is lost gets another one from whoever runs the server."""

from dataclasses import replace

from keybearer.server import ledger, refusals, secrets
from keybearer.server.accounts.new_password import put_password
from keybearer.server.accounts.password_attempts import UNKNOWN_DEVICE
from keybearer.server.activities import Actor
from keybearer.server.records import User
from keybearer.server.rules.addresses import clean_address
from keybearer.server.store import sign_in_attempts, users
from keybearer.server.store.database import Transaction


async def replace_password(tx: Transaction, actor: Actor, user_id: int, password_hash: str, now: int) -> User:
    """
    Put another password in the place of the user's, whatever it was; they can try it at once.

    All their sessions end, and what else `put_password` ends. Wrong passwords that were typed before are forgotten.
    Only the command line does this: who may type there may do everything anyway.

    Args:
        password_hash: Argon2id, PHC text, of a password that the policy lets pass.

    Raises:
        Refusal: ``not_found``.
    """
    user = await users.lock(tx, user_id)
    if user is None:
        raise refusals.not_found(f"user {user_id}")
    await put_password(tx, user_id, password_hash, None, now)
    await sign_in_attempts.forget(tx, secrets.digest(clean_address(user.email).key), UNKNOWN_DEVICE)
    await ledger.record(tx, actor, ledger.user_activity("password.changed", user_id), now)
    return replace(user, password_hash=password_hash, updated_at=now)
