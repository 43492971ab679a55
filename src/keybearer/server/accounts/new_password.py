"""A new password takes the old one's place, and all that rested on the old one ends."""

from keybearer.server.store import codes, devices, mail_links, sessions, users
from keybearer.server.store.database import Transaction


async def put_password(tx: Transaction, user_id: int, password_hash: str, kept_session: str | None, now: int) -> None:
    """
    Keep the password, and end what somebody may have who knew the old one; personal tokens and apps go on.

    This ends all other sessions, mailed links, codes that nobody has redeemed, and the separate counts of wrong
    passwords that browsers have in which somebody signed in with the old one.

    Args:
        user_id: of a user who is locked.
        password_hash: Argon2id, PHC text, of a password that the policy lets pass.
        kept_session: the id of the one that goes on; None ends all.
    """
    await users.set_password(tx, user_id, password_hash, now)
    if kept_session is None:
        await sessions.end_all(tx, user_id, now)
    else:
        await sessions.end_others(tx, user_id, kept_session, now)
    await mail_links.end_all(tx, user_id, now)
    await codes.end_of_user(tx, user_id, now)
    await devices.forget_all(tx, user_id)
