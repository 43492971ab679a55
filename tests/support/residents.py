"""People at browsers in a house, signed in on the page as they would."""

from keybearer.server.records import User
from tests.support.house import House
from tests.support.people import PASSWORD, Person


async def at_home(house: House, user: User) -> Person:
    """Sign *user* in on a browser of their own."""
    person = Person(user.name, house.browser())
    await sign_in(person)
    return person


async def sign_in(person: Person, password: str = PASSWORD, email: str = "") -> None:
    """Sign in on the page, on the way to one's account."""
    await person.browser.get("/login?next=/settings/account")
    page = await person.browser.fill_and_submit("Sign in", email=email or person.email, password=password)
    assert page.title.startswith("Account"), page.text
