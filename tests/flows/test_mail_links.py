"""Mailed links: they ask before they act, once, for a day; and tokens may have them mailed."""

from email.message import EmailMessage

import pytest

from keybearer.server.actions.set_user_disabled import set_user_disabled
from keybearer.server.activities import Actor
from tests.support.account_pages import ACCOUNT, NEW, OLD, ask, follow, kept
from tests.support.api import Stage
from tests.support.clock import HandClock
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.residents import at_home, sign_in


@pytest.fixture
async def ada(stage: Stage) -> Person:
    return await at_home(stage.house, stage.ada)


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


async def test_asking_for_another_address_ends_the_link_before(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ask(ada, "typo@example.org")
    first = mail.link_to(OLD)
    await ask(ada)
    assert (await ada.browser.post(first, [])).status == 404
    await follow(ada, mail.link_to(OLD))
    assert (await kept(stage)).email == NEW


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
    assert "ada9@example.org becomes your address once" in page.text
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
