"""Links for a user's mailbox: how many, how long they act, and what a new address begins with."""

from dataclasses import dataclass
from typing import Final

from keybearer.server import ledger, refusals, secrets
from keybearer.server.clock import DAY, SECOND
from keybearer.server.events import Activity, Actor
from keybearer.server.records import MailLink, User
from keybearer.server.rules.addresses import Address
from keybearer.server.store import mail_links, users
from keybearer.server.store.database import Transaction

CHANGE_EMAIL: Final = "change_email"
VERIFY_EMAIL: Final = "verify_email"
LINK_LIVES: Final = DAY
MOST_A_DAY: Final = 10  # nobody's mailbox is flooded through us


@dataclass(frozen=True, slots=True)
class AddressAsked:
    """
    A new address that was asked for, and what is to be mailed to the present one.

    Args:
        link: the mailed link's secret; '' where the address is another account's, and no link can make it count.
    """

    present: str
    wanted: str
    link: str


async def ask_for_address(
    tx: Transaction, actor: Actor, user_id: int, address: Address, now: int
) -> AddressAsked | None:
    """
    Let *address* wait for its link to be followed; None if it is the user's already.

    What is kept is the same for an address that another account has: whoever merely sits at the user's browser does
    not learn that; the mail to the present address tells.

    Raises:
        Refusal: ``not_found``: no such user, or disabled; ``too_many``: enough was mailed for a day.
    """
    user = await users.lock(tx, user_id)
    if user is None or user.disabled_at is not None:
        raise refusals.not_found(f"user {user_id} is gone or disabled")
    if address.shown == user.email:
        return None
    await check_allowance(tx, user_id, now)
    holder = await users.by_email(tx, address.key)
    text = await keep_link(tx, user, CHANGE_EMAIL, address.shown, now)
    asked = Activity("email.change_requested", f"user:{user_id}", user_id=user_id)
    await ledger.record(tx, actor, asked, now)
    is_taken = holder is not None and holder.user_id != user_id
    return AddressAsked(user.email, address.shown, "" if is_taken else text)


async def check_allowance(tx: Transaction, user_id: int, now: int) -> None:
    """
    Refuse to mail more than a few links a day for one user; the caller holds the user's lock.

    Raises:
        Refusal: ``too_many``.
    """
    made = await mail_links.made_since(tx, user_id, now - DAY)
    if len(made) >= MOST_A_DAY:
        wait = made[-MOST_A_DAY] + DAY - now
        raise refusals.too_many(f"{len(made)} links mailed for user {user_id} in a day", -(-wait // SECOND))


async def keep_link(tx: Transaction, user: User, purpose: str, email: str, now: int) -> str:
    """Keep a new link, which ends those of its purpose before it, and return its secret: 190 bits, kept as a digest."""
    text = secrets.random_secret()
    await mail_links.end(tx, user.user_id, purpose, now)
    link = MailLink(secrets.digest(text), purpose, user.user_id, email, now, now + LINK_LIVES, None)
    await mail_links.add(tx, link)
    return text
