"""Links that are mailed to users: how many a day, how long they work, and the first steps of a new address."""

from dataclasses import dataclass
from typing import Final

from keybearer.server import ledger, refusals, secrets
from keybearer.server.activities import Actor
from keybearer.server.clock import DAY, SECOND
from keybearer.server.records import MailLink, User
from keybearer.server.rules.addresses import Address
from keybearer.server.store import mail_links, users
from keybearer.server.store.database import Transaction

CHANGE_EMAIL: Final = "change_email"
VERIFY_EMAIL: Final = "verify_email"
LINK_LIVES: Final = DAY
MOST_A_DAY: Final = 10  # or anybody could have us flood a mailbox


@dataclass(frozen=True, slots=True)
class AddressAsked:
    """
    A new address that was asked for, and what is to be mailed to the present one.

    Args:
        link: the mailed link's secret.
        is_taken: whether the address is another account's, and no link can make it count.
    """

    present: str
    wanted: str
    link: str
    is_taken: bool


async def reserve_address(tx: Transaction, user_id: int, address: Address, now: int) -> AddressAsked | None:
    """
    Keep a link for *address* that works only once its mail was sent; None if the address is the user's already.

    The same is kept if another account has the address, so somebody at the user's browser cannot find that out; only
    the mail to the present address says so.

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
    text = await reserve_link(tx, user, CHANGE_EMAIL, address.shown, now)
    return AddressAsked(user.email, address.shown, text, is_taken=holder is not None and holder.user_id != user_id)


async def activate_address_change(tx: Transaction, actor: Actor, user: User, asked: AddressAsked, now: int) -> None:
    """
    Activate the link for a new address, after its mail was sent; the caller holds the user's lock.

    Raises:
        Refusal: ``conflict``: the mail went to an address that is no longer the user's, and must not decide for them.
    """
    if user.email != asked.present:
        public = "Your email address has changed meanwhile. Ask for the new one again."
        raise refusals.Refusal("conflict", public, "address changed while its mail was sent")
    await activate(tx, user.user_id, CHANGE_EMAIL, asked.link, now)
    await ledger.record(tx, actor, ledger.user_activity("email.change_requested", user.user_id), now)


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
    """Keep a new link that acts, and return its secret."""
    text = await reserve_link(tx, user, purpose, email, now)
    await activate(tx, user.user_id, purpose, text, now)
    return text


async def reserve_link(tx: Transaction, user: User, purpose: str, email: str, now: int) -> str:
    """
    Keep a new link that does not act yet, and return its secret: 190 bits, kept as a digest.

    It counts as mailed. If the mail cannot be sent, it never works, and an earlier link goes on working.
    """
    text = secrets.random_secret()
    link = MailLink(secrets.digest(text), purpose, user.user_id, email, now, now + LINK_LIVES, used_at=now)
    await mail_links.add(tx, link)
    return text


async def follow_link(tx: Transaction, text: str, purpose: str, now: int) -> tuple[User, str]:
    """
    Use up the link of this secret; return its user, locked, and the address that it is about.

    Raises:
        Refusal: ``not_found``: it does not act any more, is for something else, or its user is disabled.
    """
    digest = secrets.digest(text)
    waiting = await mail_links.waiting(tx, digest, now)
    # The user is locked before the link is taken, in the order of everything that ends links: no deadlock.
    user = await users.lock(tx, waiting.user_id) if waiting else None
    link = await mail_links.take(tx, digest, purpose, now)
    if user is None or link is None or user.disabled_at is not None:
        raise refusals.not_found("no such link waits, or its user is disabled")
    return user, link.email


async def activate(tx: Transaction, user_id: int, purpose: str, text: str, now: int) -> None:
    """Activate a reserved link; the user's earlier links of the same purpose end."""
    await mail_links.end(tx, user_id, purpose, now)
    await mail_links.activate(tx, secrets.digest(text))
