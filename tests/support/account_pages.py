"""The account page, as tests use it: asking for another address, and following the link that is mailed."""

from typing import Final

from keybearer.server.records import User
from keybearer.server.store import users
from tests.support.api import Stage
from tests.support.people import Person

ACCOUNT: Final = "/settings/account"
OLD: Final = "ada@example.com"
NEW: Final = "ada@example.org"


async def kept(stage: Stage) -> User:
    """Return Ada as the store has her."""
    user = await stage.house.node.view(users.by_user_id, stage.ada.user_id)
    assert user is not None
    return user


async def ask(person: Person, email: str = NEW) -> None:
    """Ask for another address."""
    await person.browser.get(ACCOUNT)
    page = await person.browser.fill_and_submit("Change address", email=email)
    assert (page.status, page.url.endswith(ACCOUNT)) == (200, True), page.text


async def follow(person: Person, link: str, button: str = "Change address") -> None:
    """Open a mailed link and press its button."""
    page = await person.browser.get(link)
    assert page.status == 200, page.text
    page = await person.browser.fill_and_submit(button)
    assert page.status == 200, page.text
