"""``/settings/account``: a person's name, and an address that counts once the mailed link is followed."""

from email.message import EmailMessage
from typing import Final

import pytest

from keybearer.server.actions.set_user_disabled import set_user_disabled
from keybearer.server.events import Actor
from keybearer.server.records import User
from keybearer.server.store import users
from tests.support.api import Stage, set_stage
from tests.support.clock import HandClock
from tests.support.house import House
from tests.support.mailbox import Mailbox, links_in
from tests.support.people import PASSWORD, Person
from tests.support.residents import at_home, sign_in

ACCOUNT: Final = "/settings/account"
OLD: Final = "ada@example.com"
NEW: Final = "ada@example.org"


@pytest.fixture
async def stage(house: House) -> Stage:
    return await set_stage(house)


@pytest.fixture
async def ada(stage: Stage) -> Person:
    return await at_home(stage.house, stage.ada)


@pytest.fixture
def mail(house: House) -> Mailbox:
    return Mailbox(house.settings.data_dir / "mail")


async def kept(stage: Stage) -> User:
    user = await stage.house.node.view(users.by_user_id, stage.ada.user_id)
    assert user is not None
    return user


async def ask(person: Person, email: str = NEW) -> None:
    await person.browser.get(ACCOUNT)
    page = await person.browser.fill_and_submit("Change address", email=email)
    assert (page.status, page.url.endswith(ACCOUNT)) == (200, True), page.text


async def follow(person: Person, link: str, button: str = "Change address") -> None:
    page = await person.browser.get(link)
    assert page.status == 200, page.text
    page = await person.browser.fill_and_submit(button)
    assert page.status == 200, page.text


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


async def test_the_link_acts_in_a_browser_where_nobody_is_signed_in(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada)
    phone = Person("Ada", stage.house.browser())
    await follow(phone, mail.link_to(OLD))
    assert (await kept(stage)).email == NEW
    assert phone.browser.page.url.startswith(f"{stage.house.settings.issuer}/login")


async def test_looking_at_the_link_changes_nothing_however_often(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada)
    link = mail.link_to(OLD)
    scanner = stage.house.browser()
    for _ in range(3):
        page = await scanner.get(link)
        assert (page.status, OLD in page.text, NEW in page.text) == (200, True, True)
    assert (await stage.house.program().head(link)).status_code == 200
    assert (await kept(stage)).email == OLD
    await follow(ada, link)
    assert (await kept(stage)).email == NEW


async def test_a_waiting_address_is_shown_and_can_be_withdrawn(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada)
    link = mail.link_to(OLD)
    page = await ada.browser.get(ACCOUNT)
    assert f"{NEW} counts once you follow the link that we mailed to {OLD}" in page.text
    page = await ada.browser.fill_and_submit("Keep my present address")
    assert NEW not in page.text
    assert (await ada.browser.get(link)).status == 404
    assert (await ada.browser.post(link, [])).status == 404
    assert (await kept(stage)).email == OLD


async def test_asking_for_another_address_ends_the_link_before(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada, "typo@example.org")
    first = mail.link_to(OLD)
    await ask(ada)
    assert (await ada.browser.post(first, [])).status == 404
    await follow(ada, mail.link_to(OLD))
    assert (await kept(stage)).email == NEW


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


@pytest.mark.parametrize(
    ("seconds", "status"), [pytest.param(86_399, 200, id="a second before"), pytest.param(86_400, 404, id="at the end")]
)
async def test_a_link_acts_for_a_day(
    stage: Stage, ada: Person, mail: Mailbox, clock: HandClock, seconds: int, status: int
) -> None:
    await ask(ada)
    link = mail.link_to(OLD)
    clock.advance(seconds=seconds)
    reader = stage.house.browser()
    assert (await reader.get(link)).status == status
    await reader.post(link, [])
    assert (await kept(stage)).email == (NEW if status == 200 else OLD)


async def test_a_disabled_users_link_does_not_act(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada)
    node = stage.house.node
    await node.act(set_user_disabled, Actor("-", "-"), stage.ada.user_id, node.now(), is_disabled=True)
    assert (await stage.house.browser().post(mail.link_to(OLD), [])).status == 404
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


async def test_ten_links_a_day_are_mailed_for_one_user_and_no_more(
    ada: Person, mail: Mailbox, clock: HandClock
) -> None:
    for number in range(10):
        await ask(ada, f"ada{number}@example.org")
    await ada.browser.get(ACCOUNT)
    page = await ada.browser.fill_and_submit("Change address", email=NEW)
    assert (page.status, page.headers["retry-after"]) == (429, "86400")
    assert ("email", NEW) in page.button("Change address")[0].values
    assert len(mail.all()) == 10
    assert "ada9@example.org counts once" in page.text
    clock.advance(days=1)
    await sign_in(ada)
    await ask(ada)
    assert len(mail.all()) == 11


async def test_a_token_asks_for_an_address_and_the_link_makes_it_count(
    stage: Stage, ada: Person, mail: Mailbox
) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.patch("/api/v2/me", json={"name": "Ada Lovelace", "email": NEW})
    assert (answer.status_code, answer.json()["name"], answer.json()["email"]) == (200, "Ada Lovelace", OLD)
    await follow(ada, mail.link_to(OLD))
    assert (await api.get("/api/v2/me")).json()["email"] == NEW
    assert (await api.get("/api/v2/me")).json()["is_verified"] is False


async def test_a_token_cannot_tell_a_taken_address_from_a_free_one(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    free = await api.patch("/api/v2/me", json={"email": "free@example.com"})
    taken = await api.patch("/api/v2/me", json={"email": "bob@example.com"})
    assert (taken.status_code, taken.content) == (free.status_code, free.content)
    assert (free.status_code, free.json()["email"]) == (200, OLD)


async def test_a_token_that_asks_too_often_is_told_when_to_come_back(stage: Stage, mail: Mailbox) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    for number in range(10):
        assert (await api.patch("/api/v2/me", json={"email": f"a{number}@example.org"})).status_code == 200
    answer = await api.patch("/api/v2/me", json={"name": "Eve", "email": NEW})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "86400")
    assert len(mail.all()) == 10
    assert (await kept(stage)).name == "Ada", "all of a change is kept, or nothing"


async def test_mail_is_plain_short_and_whole(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada)
    await follow(ada, mail.link_to(OLD))
    issuer = stage.house.settings.issuer
    for letter in mail.all():
        text = letter.get_content()
        assert letter.get_content_type() == "text/plain"
        assert letter["Content-Transfer-Encoding"] == "7bit", "a link that is folded is no link"
        assert max(len(line) for line in text.splitlines()) < 200
        assert len(text) < 1_000
        assert "Ada" not in text.replace(stage.house.settings.product_name, ""), "nothing that somebody typed as a name"
        assert all(word.startswith(issuer) for word in text.split() if "://" in word)
    assert subjects(mail.all()) == [
        "Change your email address for Keybearer?",
        "Confirm your email address for Keybearer",
    ]


def subjects(letters: list[EmailMessage]) -> list[str]:
    return [letter["Subject"] for letter in letters]
