"""Mail by SMTP: it arrives, by TLS where that is asked for, and where it cannot be sent nothing is half done."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from keybearer.server.clock import HOUR
from keybearer.server.mail.mailer import must_begin_tls
from keybearer.server.records import Notice, Webhook
from keybearer.server.settings import Settings
from keybearer.server.store import notices, users, webhooks
from keybearer.server.store.tables import grants
from tests.support.account_pages import ACCOUNT, NEW, OLD, ask, follow, kept
from tests.support.activity import recorded
from tests.support.api import Stage, set_stage
from tests.support.certificates import Authority
from tests.support.clock import HandClock
from tests.support.databases import copy_sqlite
from tests.support.house import open_house
from tests.support.mail_server import PASSWORD, USER, MailServer, mail_server
from tests.support.mailbox import links_in
from tests.support.people import Person
from tests.support.residents import at_home
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture
async def office() -> AsyncIterator[MailServer]:
    """Run a mail server that talks in the clear."""
    async with mail_server() as running:
        yield running


@pytest.fixture
async def stage(database_url: str, tmp_path: Path, clock: HandClock, office: MailServer) -> AsyncIterator[Stage]:
    """Have everybody in a house whose mail goes there."""
    async with open_house(mailing(database_url, tmp_path, "smtp", office), clock.now) as house:
        yield await set_stage(house)


@pytest.fixture
async def ada(stage: Stage) -> Person:
    return await at_home(stage.house, stage.ada)


def mailing(database_url: str, data_dir: Path, scheme: str, office: MailServer) -> Settings:
    """Return the settings of a house that sends its mail there, with a password."""
    url = f"{scheme}://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@localhost:{office.port}"
    database, smtp = SecretStr(database_url), SecretStr(url)
    return Settings(data_dir=data_dir, database_url=database, issuer="https://keybearer.test", smtp_url=smtp)


async def said_of_addresses(stage: Stage) -> list[str]:
    """Return what the activity log says was done to profiles, in its order."""
    actions = [record["action"] for record in await recorded(stage.house.node.database)]
    return [action for action in actions if action.startswith(("user.", "email."))]


async def test_nothing_of_a_change_is_kept_whose_mail_cannot_be_sent(
    stage: Stage, ada: Person, office: MailServer
) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    await ask(ada, "first@example.org")
    told, before = await said_of_addresses(stage), await kept(stage)
    office.is_away = True
    answer = await api.patch("/api/v2/me", json={"name": "Ada Lovelace", "email": NEW})
    assert (answer.status_code, "nothing has changed" in answer.json()["message"]) == (503, True)
    await ada.browser.get(ACCOUNT)
    page = await ada.browser.fill_and_submit("Change address", email=NEW)
    assert (page.status, "nothing has changed" in page.text) == (503, True)
    assert ("email", NEW) in page.button("Change address")[0].values
    assert "first@example.org becomes your address once" in page.text
    assert (await said_of_addresses(stage), await kept(stage)) == (told, before)
    office.is_away = False
    await follow(ada, *links_in(office.taken[0]))
    assert (await kept(stage)).email == "first@example.org"


async def test_a_proof_that_was_mailed_acts_until_another_one_is(stage: Stage, ada: Person, office: MailServer) -> None:
    node = stage.house.node
    await node.act(users.set_email, stage.ada.user_id, (OLD, OLD), None, node.now())
    await ada.browser.get(ACCOUNT)
    await ada.browser.post(f"{ACCOUNT}/address/prove", [])
    office.is_away = True
    assert (await ada.browser.post(f"{ACCOUNT}/address/prove", [])).status == 503
    (first,) = links_in(office.taken[0])
    await follow(ada, first, "Confirm address")
    assert (await kept(stage)).verified_at is not None


async def test_a_mail_says_when_it_was_written_which_it_is_and_that_no_person_wrote_it(
    ada: Person, office: MailServer
) -> None:
    await ask(ada, "first@example.org")
    await ask(ada, "second@example.org")
    first, second = office.taken
    assert abs(first["Date"].datetime - datetime.now(UTC)) < timedelta(minutes=5)
    assert re.fullmatch(r"<[^<>@\s]+@localhost>", first["Message-ID"])
    assert first["Message-ID"] != second["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"


async def test_an_address_that_mail_programs_would_read_as_another_is_nobodys(ada: Person, office: MailServer) -> None:
    await ada.browser.get(ACCOUNT)
    for local in ("=?utf-8?q?eve?=", "=?utf-8?q?eve=0D=0ABcc=3A_eve=40example.org?="):
        page = await ada.browser.fill_and_submit("Change address", email=f"{local}@example.org")
        assert (page.status, "This is not an email address." in page.text) == (422, True)
    assert office.taken == []


async def test_a_mail_that_is_on_its_way_to_a_former_address_decides_nothing(
    stage: Stage, ada: Person, office: MailServer
) -> None:
    node = stage.house.node

    async def elsewhere() -> None:
        await node.act(users.set_email, stage.ada.user_id, (NEW, NEW), None, node.now())

    office.meanwhile = elsewhere
    await ada.browser.get(ACCOUNT)
    page = await ada.browser.fill_and_submit("Change address", email="eve@example.org")
    assert page.status == 409
    page = await stage.house.browser().get(*links_in(office.taken[0]))
    assert page.status == 404
    assert await said_of_addresses(stage) == []


async def test_an_owner_whom_no_mail_reaches_does_not_have_the_others_mailed_again_and_again(
    stage: Stage, office: MailServer
) -> None:
    node, now = stage.house.node, stage.house.node.now()
    await stage.scene.member(stage.acme, stage.bob, "owner")
    office.unknown = stage.bob.email
    hook = Webhook("w", stage.acme.team_id, "sandbox", "https://example.com/hook", "*", 10, now, now, None, None)
    await node.act(webhooks.add, hook, b"sealed")
    await node.act(webhooks.switch_off, hook.webhook_id, now)
    async with asyncio.timeout(PATIENCE_S):
        while await node.view(webhooks.to_tell, now + HOUR, 1):
            node.webhook_sender.wake()
            await asyncio.sleep(0.01)
    assert [letter["To"] for letter in office.taken] == [stage.ada.email]


async def test_users_whom_no_mail_reaches_do_not_hold_up_what_the_others_are_told(
    stage: Stage, office: MailServer
) -> None:
    node, now = stage.house.node, stage.house.node.now()
    office.unknown = "@nowhere.test"
    people = [await stage.scene.person(f"User{number}") for number in range(10)]
    for each in people:
        await stage.scene.member(stage.acme, each, "member")
        await stage.scene.personal_token(each, stage.acme)
        lost = (f"{each.user_id}@nowhere.test",) * 2
        await node.act(users.set_email, each.user_id, lost if each != people[-1] else (each.email,) * 2, now, now)
    rows = await node.database.many(select(grants.c.grant_id, grants.c.user_id))
    told = [Notice(row["grant_id"], row["user_id"], "revoked", now, None) for row in rows]
    await node.act(notices.put_all, told, now, now)
    node.notice_sender.wake()
    await until(lambda: bool(office.taken))
    assert [letter["To"] for letter in office.taken] == [people[-1].email]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize("name", ["localhost", "elsewhere.test"])
async def test_mail_goes_by_tls_to_nobody_but_the_mail_server_that_was_named(
    migrated_sqlite: Path, tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch, scheme: str, name: str
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    trust = authority.server(name)
    async with mail_server(**{"trust" if scheme == "smtps" else "upgrade": trust}) as office:
        settings = mailing(copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db"), tmp_path, scheme, office)
        async with open_house(settings, clock.now) as house:
            stage = await set_stage(house)
            answer = await (await stage.personal(stage.ada, stage.acme)).patch("/api/v2/me", json={"email": NEW})
    assert answer.status_code == (200 if name == "localhost" else 503)
    assert [letter["To"] for letter in office.taken] == ([OLD] if name == "localhost" else [])
    assert all(office.was_secret)


@pytest.mark.parametrize("host", ["mail.example.com", "mail_relay", "192.0.2.25", "[2001:db8::25]"])
def test_a_mail_server_may_have_any_name_that_a_network_gives_it(host: str) -> None:
    assert Settings(smtp_url=SecretStr(f"smtp://{host}:25")).smtp_url.get_secret_value() == f"smtp://{host}:25"


@pytest.mark.parametrize(
    ("url", "must"),
    [
        pytest.param("smtp://ada:secret@mail.example.com:587", True, id="a password, to another machine"),
        pytest.param("smtp://ada:secret@[2001:db8::1]:587", True, id="the same, by its address"),
        pytest.param("smtp://ada:secret@localhost", False, id="to this machine"),
        pytest.param("smtp://ada:secret@[::1]:25", False, id="to this machine, by its address"),
        pytest.param("smtp://mail.example.com", False, id="no password"),
        pytest.param("smtps://ada:secret@mail.example.com", False, id="TLS from the first byte"),
    ],
)
def test_a_password_leaves_this_machine_by_tls_alone(url: str, must: bool) -> None:
    assert must_begin_tls(urlsplit(url)) is must


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_mail_server_elsewhere_that_offers_no_tls_is_told_no_password(
    stage: Stage, office: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keybearer.server.mail.mailer._is_this_machine", lambda _: False)
    answer = await (await stage.personal(stage.ada, stage.acme)).patch("/api/v2/me", json={"email": NEW})
    assert (answer.status_code, office.taken) == (503, [])
