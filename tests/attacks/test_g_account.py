"""Class G on the account: names, addresses, mailed links."""

import asyncio
import hashlib
from typing import Final

import pytest
from sqlalchemy import select

from keybearer.server.actions.add_user import NewUser, add_user
from keybearer.server.activities import Actor
from keybearer.server.refusals import Refusal
from keybearer.server.store import users
from keybearer.server.store.tables import mail_links
from tests.attacks.typed_texts import REFUSED_NAMES, SHOWN_NAMES, SPELLINGS, UNFIT_ADDRESSES
from tests.support.api import Stage
from tests.support.elements import read_html
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.residents import at_home

ADDRESS: Final = "/settings/account/address"
OLD: Final = "ada@example.com"
NEW: Final = "ada@example.org"
_LINKS: Final = select(mail_links.c.digest, mail_links.c.email)


@pytest.fixture
async def ada(stage: Stage) -> Person:
    return await at_home(stage.house, stage.ada)


async def email_of_ada(stage: Stage) -> str:
    user = await stage.house.node.view(users.by_user_id, stage.ada.user_id)
    assert user is not None
    return user.email


async def test_g5_a_name_is_shown_as_the_text_it_is(ada: Person) -> None:
    plain = [element.tag for element in read_html((await ada.browser.get("/settings/account")).html).every(*TAGS)]
    for name in SHOWN_NAMES:
        page = await ada.browser.post("/settings/account", [("name", name)])
        page = await ada.browser.get("/settings/account")
        assert ("name", name) in page.button("Save name")[0].values, name
        assert " ".join(name.split()) in page.text, name
        assert [element.tag for element in read_html(page.html).every(*TAGS)] == plain, name


TAGS: Final = ("script", "img", "b", "a", "form", "input", "title", "svg", "iframe")


async def test_g5_a_name_that_cannot_be_read_is_refused(ada: Person) -> None:
    for name in REFUSED_NAMES:
        page = await ada.browser.post("/settings/account", [("name", name)])
        assert page.status == 422, ascii(name[:40])
    assert ("name", "Ada") in (await ada.browser.get("/settings/account")).button("Save name")[0].values


async def test_g14_a_link_begins_with_the_configured_issuer_whatever_the_headers_say(
    stage: Stage, ada: Person, mail: Mailbox
) -> None:
    poison = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    ada.browser.client.headers.update(poison | {"x-forwarded-proto": "http", "x-original-url": "//evil.example"})
    await ada.browser.post(ADDRESS, [("email", NEW)])
    assert mail.link_to(OLD).startswith(f"{stage.house.settings.issuer}/mail-link/")
    assert "evil" not in mail.last_to(OLD).get_content()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param([("email", NEW), ("email", "eve@evil.example")], 400, id="twice"),
        pytest.param([("email[]", NEW), ("email[]", "eve@evil.example")], 422, id="as a list"),
        pytest.param([], 400, id="not at all"),
    ],
)
async def test_g14_an_address_that_is_not_sent_once_is_refused(
    ada: Person, mail: Mailbox, fields: list[tuple[str, str]], status: int
) -> None:
    assert (await ada.browser.post(ADDRESS, fields)).status == status
    assert mail.all() == []


async def test_g14_a_link_is_a_secret_of_190_bits_kept_as_a_digest_and_logged_nowhere(
    stage: Stage, ada: Person, mail: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    await ada.browser.post(ADDRESS, [("email", NEW)])
    text = mail.link_to(OLD).rpartition("/")[2]
    assert (len(text), text.isalnum(), text.isascii()) == (32, True, True)
    rows = await stage.house.node.database.many(_LINKS)
    assert [(row["digest"], row["email"]) for row in rows] == [(hashlib.sha256(text.encode()).digest(), NEW)]
    await ada.browser.get(mail.link_to(OLD))
    await ada.browser.post(mail.link_to(OLD), [])
    assert text not in "".join(capsys.readouterr())


async def test_g14_of_many_clicks_at_once_exactly_one_acts(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ada.browser.post(ADDRESS, [("email", NEW)])
    link = mail.link_to(OLD)
    readers = [stage.house.browser() for _ in range(6)]
    pages = await asyncio.gather(*(reader.post(link, []) for reader in readers))
    assert sorted(page.status for page in pages) == [200] + [404] * 5
    assert len([letter for letter in mail.all() if letter["To"] == NEW]) == 1
    assert await email_of_ada(stage) == NEW


async def test_g14_a_link_for_one_thing_does_not_do_another(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ada.browser.post(ADDRESS, [("email", NEW)])
    await ada.browser.post(mail.link_to(OLD), [])
    proof = mail.link_to(NEW)
    for forged in (proof[:-1], f"{proof}0", proof.upper(), proof.replace("/mail-link/", "/mail-link/%00")):
        assert (await ada.browser.post(forged, [])).status == 404
    cookie = stage.house.browser()
    cookie.client.cookies.set("__Host-kb_session", proof.rpartition("/")[2])
    assert (await cookie.get("/settings/account")).title.startswith("Sign in")
    assert (await stage.house.api(proof.rpartition("/")[2]).get("/api/v2/me")).status_code == 401


async def test_g14_a_form_of_another_site_does_not_press_the_button(stage: Stage, ada: Person, mail: Mailbox) -> None:
    await ada.browser.post(ADDRESS, [("email", NEW)])
    page = await ada.browser.post(mail.link_to(OLD), [], site="cross-site")
    assert page.status == 403
    assert await email_of_ada(stage) == OLD


async def test_g15_what_is_no_address_is_refused_on_the_page_and_in_the_api(
    stage: Stage, ada: Person, mail: Mailbox
) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    for email in UNFIT_ADDRESSES:
        page = await ada.browser.post(ADDRESS, [("email", email)])
        assert (page.status, 'id="error-email"' in page.html) == (422, True), ascii(email[:40])
        answer = await api.patch("/api/v2/me", json={"email": email})
        assert (answer.status_code, list(answer.json())) == (422, ["email"]), ascii(email[:40])
    assert mail.all() == []
    assert await email_of_ada(stage) == OLD


async def test_g15_two_accounts_never_share_an_address_however_it_is_spelt(
    stage: Stage, ada: Person, mail: Mailbox
) -> None:
    node = stage.house.node
    first, *others = SPELLINGS
    await node.act(add_user, Actor("-", "-"), NewUser(first, "First", "-", is_verified=True), node.now())
    for email in others:
        with pytest.raises(Refusal, match="taken"):
            await node.act(add_user, Actor("-", "-"), NewUser(email, "Second", "-", is_verified=True), node.now())
    for email in others[:5]:
        await ada.browser.post(ADDRESS, [("email", email)])
        assert "cannot be used for your account" in mail.last_to(OLD).get_content(), email
