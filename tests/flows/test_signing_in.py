"""Signing in and out: sessions, their ends, several tabs, and what happens in between two steps."""

from typing import Final

import pytest
from pydantic import SecretStr

from keybearer.server.actions.confirm_identity import confirm_identity
from keybearer.server.actions.count_attempt import count_attempt
from keybearer.server.actions.note_visit import note_visit
from keybearer.server.actions.set_user_disabled import set_user_disabled
from keybearer.server.actions.sign_in import NewSession, sign_in
from keybearer.server.activities import Actor
from keybearer.server.reads.visit import Visit, visit
from keybearer.server.records import PasswordAttempt
from keybearer.server.refusals import Refusal
from keybearer.server.settings import Settings
from keybearer.server.store import users
from tests.support import residents
from tests.support.api import Stage
from tests.support.browser import Browser
from tests.support.clock import HandClock
from tests.support.house import open_house
from tests.support.people import PASSWORD, Person
from tests.support.scenes import Scene

SESSION: Final = "__Host-kb_session"
HERE: Final = "/settings/account"
ACTOR: Final = Actor("-", "-")


@pytest.fixture
async def ada(stage: Stage) -> Person:
    return await residents.at_home(stage.house, stage.ada)


async def is_signed_in(browser: Browser) -> bool:
    return (await browser.get(HERE)).title.startswith("Account")


def with_cookie(stage: Stage, text: str) -> Browser:
    """Lend a thief's browser with a stolen session cookie."""
    thief = stage.house.browser()
    thief.client.cookies.set(SESSION, text)
    return thief


async def visit_of(stage: Stage, person: Person) -> Visit:
    found = await stage.house.node.view(visit, person.browser.client.cookies[SESSION], stage.house.node.now(), 0)
    assert found is not None
    return found


async def test_a_page_sends_a_stranger_to_sign_in_and_back(stage: Stage) -> None:
    browser = stage.house.browser()
    page = await browser.get("/settings/security?from=a%26b")
    assert page.title.startswith("Sign in")
    page = await browser.fill_and_submit("Sign in", email=" ADA@Example.com ", password=PASSWORD)
    assert page.url == f"{stage.house.settings.issuer}/settings/security?from=a%26b"


async def test_a_wrong_password_keeps_the_address_and_where_one_was_going(stage: Stage) -> None:
    browser = stage.house.browser()
    await browser.get("/login?next=/settings/account")
    page = await browser.fill_and_submit("Sign in", email="ada@example.com", password="not this one")
    assert page.status == 401
    assert "The address or the password is wrong." in page.text
    assert "not this one" not in page.html
    values = dict(page.button("Sign in")[0].values)
    assert (values["email"], values["password"], values["next"]) == ("ada@example.com", "", HERE)


@pytest.mark.parametrize("fields", [{"email": "", "password": PASSWORD}, {"email": "ada@example.com", "password": ""}])
async def test_an_empty_field_is_no_attempt(stage: Stage, fields: dict[str, str]) -> None:
    browser = stage.house.browser()
    for _ in range(7):
        await browser.get("/login")
        assert (await browser.fill_and_submit("Sign in", **fields)).status == 422
    await residents.sign_in(Person("Ada", browser))


async def test_signing_in_again_begins_a_new_session_and_ends_the_one_before(stage: Stage, ada: Person) -> None:
    old = ada.browser.client.cookies[SESSION]
    await ada.browser.post("/login", [("email", ada.email), ("password", PASSWORD)])
    assert ada.browser.client.cookies[SESSION] != old
    assert not await is_signed_in(with_cookie(stage, old))
    assert await is_signed_in(ada.browser)


async def test_a_session_id_that_somebody_planted_is_worth_nothing_after_the_sign_in(stage: Stage) -> None:
    browser = with_cookie(stage, "planted")
    await residents.sign_in(Person("Ada", browser))
    assert not await is_signed_in(with_cookie(stage, "planted"))


async def test_confirming_ones_password_changes_the_id_of_the_session(stage: Stage, ada: Person) -> None:
    old = ada.browser.client.cookies[SESSION]
    await ada.browser.get(f"/login?confirm=1&next={HERE}")
    await ada.browser.fill_and_submit("Confirm", password=PASSWORD)
    assert ada.browser.client.cookies[SESSION] != old
    assert not await is_signed_in(with_cookie(stage, old))
    assert await is_signed_in(ada.browser)


async def test_a_wrong_password_confirms_nothing(ada: Person, clock: HandClock) -> None:
    clock.advance(hours=5)
    await ada.browser.get(f"/login?confirm=1&next={HERE}")
    page = await ada.browser.fill_and_submit("Confirm", password="wrong wrong wrong")
    assert (page.status, "Confirm it is you" in page.title) == (401, True)
    page = await ada.browser.get(HERE)
    assert "Confirm your password to change the address" in page.text


@pytest.mark.parametrize(("seconds", "lives"), [(8 * 3600 - 1, True), (8 * 3600, False)])
async def test_an_unused_session_ends_after_eight_hours(
    ada: Person, clock: HandClock, seconds: int, lives: bool
) -> None:
    clock.advance(seconds=seconds)
    assert await is_signed_in(ada.browser) is lives


@pytest.mark.parametrize(("seconds", "lives"), [(-1, True), (0, False)])
async def test_a_session_ends_after_a_fortnight_however_much_it_is_used(
    ada: Person, clock: HandClock, seconds: int, lives: bool
) -> None:
    for _ in range(14 * 4 - 1):
        clock.advance(hours=6)
        assert await is_signed_in(ada.browser)
        assert "Your sign-in ends" not in ada.browser.page.text
    clock.advance(hours=6, seconds=seconds)
    assert await is_signed_in(ada.browser) is lives
    assert ("Your sign-in ends at 8 Dec 2026, 12:00 UTC. Sign in again now" in ada.browser.page.text) is lives


async def test_signing_out_ends_the_session_for_whoever_has_its_cookie(stage: Stage, ada: Person) -> None:
    stolen = ada.browser.client.cookies[SESSION]
    await ada.browser.get("/logout")
    page = await ada.browser.fill_and_submit("Sign out")
    assert "You are signed out." in page.text
    assert SESSION not in ada.browser.client.cookies
    assert not await is_signed_in(with_cookie(stage, stolen))
    assert (await ada.browser.post("/logout", [])).title.startswith("Sign in"), "twice is no error"


async def test_a_disabled_user_is_out_at_once_and_back_once_enabled(stage: Stage, ada: Person) -> None:
    node = stage.house.node
    await node.act(set_user_disabled, ACTOR, stage.ada.user_id, node.now(), is_disabled=True)
    assert not await is_signed_in(ada.browser)
    await ada.browser.get("/login")
    page = await ada.browser.fill_and_submit("Sign in", email=ada.email, password=PASSWORD)
    assert (page.status, "switched off" in page.text) == (403, True)
    await node.act(set_user_disabled, ACTOR, stage.ada.user_id, node.now(), is_disabled=False)
    await residents.sign_in(ada)


async def test_a_browser_that_was_first_used_long_ago_signs_in_like_any_other(ada: Person, clock: HandClock) -> None:
    clock.advance(days=200)
    await residents.sign_in(ada)
    clock.advance(days=200)
    await residents.sign_in(ada)


async def test_over_plain_http_the_cookie_has_its_plain_name(database_url: str, clock: HandClock) -> None:
    settings = Settings(database_url=SecretStr(database_url), issuer="http://127.0.0.1:8000")
    async with open_house(settings, clock.now) as house:
        await Scene(house.node).person("Ada")
        browser = house.browser()
        await residents.sign_in(Person("Ada", browser))
        assert set(browser.client.cookies) == {"kb_session", "kb_device"}


async def test_a_form_of_another_tab_is_refused_once_the_team_was_switched_and_changes_nothing(
    stage: Stage, ada: Person
) -> None:
    await ada.switch_team(stage.acme.team_id)
    await ada.browser.get("/settings/tokens/new")
    first_tab = ada.browser.page
    await ada.switch_team(stage.works.team_id)
    ada.browser.page = first_tab
    page = await ada.browser.fill_and_submit("Create token", name="In which team?")
    assert (page.status, page.shown) == (409, {})
    assert "Works" in page.text
    for team in (stage.acme, stage.works):
        await ada.switch_team(team.team_id)
        assert "In which team?" not in (await ada.browser.get("/settings/tokens")).text


async def test_a_request_that_began_before_does_not_take_a_switch_back(stage: Stage, ada: Person) -> None:
    await ada.switch_team(stage.acme.team_id)
    began = (await visit_of(stage, ada)).session
    await ada.switch_team(stage.works.team_id)
    node = stage.house.node
    await node.act(note_visit, began, began.team_id, node.now())
    assert (await visit_of(stage, ada)).session.team_id == stage.works.team_id
    await node.act(note_visit, began, None, node.now())
    assert (await visit_of(stage, ada)).session.team_id == stage.works.team_id, "another tab has chosen since"


async def knock_then_change_the_password(stage: Stage) -> PasswordAttempt:
    """Find a password right, and have it changed before anything is done about that."""
    node = stage.house.node
    knock = await node.act(count_attempt, "ada@example.com", "", node.now())
    assert knock.user is not None
    assert await node.passwords.is_right(PASSWORD, knock.user.password_hash)
    await node.act(users.set_password, stage.ada.user_id, "$argon2id$another", node.now())
    return knock


async def test_a_password_that_was_changed_meanwhile_opens_no_session(stage: Stage) -> None:
    knock = await knock_then_change_the_password(stage)
    node = stage.house.node
    new = NewSession(b"d" * 32, "device", "", node.now() + 1)
    with pytest.raises(Refusal, match="password changed meanwhile"):
        await node.act(sign_in, ACTOR, knock, new, node.now())


async def test_a_password_that_was_changed_meanwhile_confirms_nothing(stage: Stage, ada: Person) -> None:
    knock = await knock_then_change_the_password(stage)
    session = (await visit_of(stage, ada)).session
    node = stage.house.node
    with pytest.raises(Refusal, match="password changed meanwhile"):
        await node.act(confirm_identity, ACTOR, knock, session, b"d" * 32, node.now())


async def test_a_password_confirms_only_its_own_users_session(stage: Stage, ada: Person) -> None:
    node = stage.house.node
    bobs = await node.act(count_attempt, "bob@example.com", "", node.now())
    session = (await visit_of(stage, ada)).session
    with pytest.raises(Refusal, match="session has ended"):
        await node.act(confirm_identity, ACTOR, bobs, session, b"d" * 32, node.now())
