"""``/settings/account``: a person's name, and an address that counts once the mailed link is followed."""

import pytest

from tests.support.account_pages import ACCOUNT, NEW, OLD, ask, follow, kept
from tests.support.api import Stage
from tests.support.clock import HandClock
from tests.support.mailbox import Mailbox, links_in
from tests.support.people import PASSWORD, Person
from tests.support.residents import at_home, sign_in


@pytest.fixture
async def ada(stage: Stage) -> Person:
    return await at_home(stage.house, stage.ada)


async def test_a_name_is_changed_and_said_to_be(stage: Stage, ada: Person) -> None:
    await ada.browser.get(ACCOUNT)
    page = await ada.browser.fill_and_submit("Save name", name="  Ada Lovelace ")
    assert "Your name is changed." in page.text
    assert ("name", "Ada Lovelace") in page.button("Save name")[0].values
    assert (await kept(stage)).name == "Ada Lovelace"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("   ", "Enter a name.", id="blank"),
        pytest.param("x" * 101, "too long", id="over-long"),
        pytest.param("Ada\u202egnp", "cannot be seen", id="a bidi control"),
    ],
)
async def test_a_name_that_cannot_be_kept_is_shown_again_beside_its_error(
    stage: Stage, ada: Person, name: str, said: str
) -> None:
    await ada.browser.get(ACCOUNT)
    page = await ada.browser.fill_and_submit("Save name", name=name)
    assert page.status == 422
    assert said in page.text
    assert ("name", name) in page.button("Save name")[0].values
    assert 'aria-describedby="hint-name error-name"' in page.html
    assert (await kept(stage)).name == "Ada"


async def test_an_address_counts_once_the_link_mailed_to_the_old_one_is_followed(
    stage: Stage, ada: Person, mail: Mailbox
) -> None:
    await ask(ada)
    assert NEW in ada.browser.page.text
    assert (await kept(stage)).email == OLD
    assert [letter["To"] for letter in mail.all()] == [OLD]
    await follow(ada, mail.link_to(OLD))
    assert f"Your email address is now {NEW}" in ada.browser.page.text
    assert (await kept(stage)).email == NEW
    stranger = stage.house.browser()
    await stranger.get("/login")
    assert (await stranger.fill_and_submit("Sign in", email=OLD, password=PASSWORD)).status == 401
    await sign_in(Person("Ada", stranger), email=NEW)


async def test_nothing_changes_where_the_mail_cannot_be_written_to_the_disk(
    stage: Stage, ada: Person, mail: Mailbox
) -> None:
    mail.folder.write_text("in the way of the folder")
    await ada.browser.get(ACCOUNT)
    page = await ada.browser.fill_and_submit("Change address", email=NEW)
    assert (page.status, "nothing has changed" in page.text) == (503, True)
    assert (await kept(stage)).email == OLD


async def test_the_new_address_is_confirmed_by_a_link_of_its_own(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada)
    await follow(ada, mail.link_to(OLD))
    assert (await kept(stage)).verified_at is None
    assert "Not confirmed" in (await ada.browser.get(ACCOUNT)).text
    await follow(ada, mail.link_to(NEW), "Confirm address")
    assert (await kept(stage)).verified_at is not None
    assert "Not confirmed" not in (await ada.browser.get(ACCOUNT)).text


async def test_a_new_confirmation_is_mailed_on_demand_and_ends_the_one_before(
    stage: Stage, ada: Person, mail: Mailbox
) -> None:
    await ask(ada)
    await follow(ada, mail.link_to(OLD))
    first = mail.link_to(NEW)
    await ada.browser.get(ACCOUNT)
    await ada.browser.fill_and_submit("Send me the link")
    assert mail.link_to(NEW) != first
    assert (await ada.browser.get(first)).status == 404
    await follow(ada, mail.link_to(NEW), "Confirm address")
    assert (await kept(stage)).verified_at is not None
    letters = len(mail.all())
    page = await ada.browser.post(f"{ACCOUNT}/address/prove", [])
    assert "confirmed already" in page.text
    assert len(mail.all()) == letters


async def test_a_waiting_address_is_shown_and_can_be_withdrawn(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada)
    link = mail.link_to(OLD)
    page = await ada.browser.get(ACCOUNT)
    assert f"{NEW} becomes your address once you follow the link that we mailed to {OLD}" in page.text
    page = await ada.browser.fill_and_submit("Keep my current address")
    assert NEW not in page.text
    assert (await ada.browser.get(link)).status == 404
    assert (await ada.browser.post(link, [])).status == 404
    assert (await kept(stage)).email == OLD


async def test_asking_for_the_present_address_mails_nothing(ada: Person, mail: Mailbox) -> None:
    await ask(ada, OLD)
    assert "That is your email address already." in ada.browser.page.text
    assert mail.all() == []


async def test_of_one_address_another_spelling_can_be_had(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada, "Ada@Example.com")
    await follow(ada, mail.link_to(OLD))
    assert ((await kept(stage)).email, (await kept(stage)).email_key) == ("Ada@example.com", OLD)


async def test_a_taken_address_is_answered_like_a_free_one_and_only_the_mail_tells(
    stage: Stage, ada: Person, mail: Mailbox
) -> None:
    await ask(ada, "free@example.com")
    free = ada.browser.page.text
    told_of_free = mail.last_to(OLD)
    await ask(ada, "bob@example.com")
    assert ada.browser.page.text == free.replace("free@", "bob@")
    assert [letter["To"] for letter in mail.all()] == [OLD, OLD], "whoever has the address is not bothered"
    told_of_taken = mail.last_to(OLD)
    assert len(links_in(told_of_free)) == 1
    assert links_in(told_of_taken) == []
    assert "cannot be used for your account" in told_of_taken.get_content()
    assert (await kept(stage)).email == OLD


async def test_an_address_that_is_taken_meanwhile_is_not_given_twice(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada, "dora@example.com")
    await stage.scene.person("Dora")
    await ada.browser.get(mail.link_to(OLD))
    page = await ada.browser.fill_and_submit("Change address")
    assert page.status == 409
    assert "cannot be used for this account" in page.text
    assert (await kept(stage)).email == OLD


async def test_an_address_is_changed_only_where_the_password_was_given_lately(
    stage: Stage, ada: Person, mail: Mailbox, clock: HandClock
) -> None:
    clock.advance(hours=3, minutes=59)
    await ada.browser.get("/switch-team")
    clock.advance(minutes=1)
    page = await ada.browser.post(f"{ACCOUNT}/address", [("email", NEW)])
    assert page.title.startswith("Confirm it is you")
    page = await ada.browser.fill_and_submit("Confirm", password=PASSWORD)
    assert page.url == stage.house.settings.issuer + ACCOUNT
    assert mail.all() == []
    await ask(ada)
    assert len(mail.all()) == 1


async def test_the_page_offers_no_form_for_the_address_before_that(ada: Person, clock: HandClock) -> None:
    clock.advance(hours=4)
    page = await ada.browser.get(ACCOUNT)
    assert "Change address" not in [button.label for form in page.forms for button in form.buttons]
    page = await ada.browser.follow("Confirm your password to change the address")
    page = await ada.browser.fill_and_submit("Confirm", password=PASSWORD)
    assert page.button("Change address")
