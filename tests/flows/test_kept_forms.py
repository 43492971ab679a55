"""A form that comes when its sign-in has ended comes back as it was typed, to whoever typed it and to nobody else."""

from typing import Final

import pytest

from keybearer.server.pages import client
from keybearer.server.store.faults import StoreUnavailable
from tests.support.api import Stage
from tests.support.browser import Browser
from tests.support.clock import HandClock
from tests.support.page import Page
from tests.support.people import PASSWORD, Person

TYPED: Final = "__Host-kb_typed"
BACK: Final = "is back in the form. It was not sent yet."
ACCOUNT: Final = "/settings/account"

# Where a form stands, its button, and what is typed; {app}, {member} and {hook} are the ids of what there is.
FORMS: Final[list[tuple[str, str, dict[str, str | list[str]]]]] = [
    (
        "/settings/clients/new",
        "Create API client",
        {"name": "Second & <b>", "redirect_uris": "https://a.example/1\nhttps://a.example/2", "kind": "public"},
    ),
    ("/settings/clients/{app}", "Save changes", {"name": "Renamed", "redirect_uris": "nonsense", "pkce": "required"}),
    ("/settings/clients/{app}/go-live", "Go live", {"live_team": "{works}"}),
    ("/team", "Save", {"contact": "team@example.org", "telephone": ""}),
    (ACCOUNT, "Save name", {"name": "Ada, Countess"}),
    (ACCOUNT, "Change address", {"email": "ada@example.org"}),
    ("/team/members/new", "Add member", {"email": "bob@example.com", "role": "assumed", "hours": "3"}),
    ("/team/members/{member}", "Change role", {"role": "assigned-only"}),
    (
        "/team/webhooks/new",
        "Add webhook",
        {"url": "https://hooks.example.com/?a=b", "events": ["token.*", "grant.ended"]},
    ),
    ("/team/webhooks/{hook}", "Save changes", {"url": "https://hooks.example.com/2", "events": ["member.*"]}),
]


@pytest.fixture
async def ada(stage: Stage) -> Person:
    person = Person("Ada", stage.house.browser())
    await person.sign_in()
    await person.switch_team(stage.acme.team_id)
    return person


async def send_late(browser: Browser, clock: HandClock, address: str, button: str, **typed: str | list[str]) -> Page:
    """Open a form, and send it once the sign-in has ended."""
    await browser.get(address)
    clock.advance(hours=8)
    page = await browser.fill_and_submit(button, row="", **typed)
    assert (page.title.startswith("Sign in"), "nothing was done" in page.text) == (True, True)
    return page


async def sign_in(browser: Browser, email: str = "ada@example.com") -> Page:
    return await browser.fill_and_submit("Sign in", email=email, password=PASSWORD)


async def test_every_form_comes_back_as_it_was_typed_and_waits_to_be_sent(
    stage: Stage, ada: Person, clock: HandClock
) -> None:
    browser = ada.browser
    ids = {
        "app": (await ada.register("First")).client_id,
        "works": str(stage.works.team_id),
        "member": str((await stage.place_of(stage.acme, stage.cleo)).membership_id),
    }
    await browser.get("/team/webhooks/new")
    await browser.fill_and_submit("Add webhook", url="https://hooks.example.com/1", events=["*"])
    await browser.get("/team/webhooks")
    ids["hook"] = browser.page.link("hooks.example.com").rpartition("/")[2]
    for form, button, fields in FORMS:
        address = form.format(**ids)
        typed = {name: one if isinstance(one, list) else one.format(**ids) for name, one in fields.items()}
        page = await send_late(browser, clock, address, button, **typed)
        assert all(one not in page.url for values in typed.values() for one in values if len(one) > 3), page.url
        page = await sign_in(browser)
        values = page.button(button)[0].values
        wanted = {(name, one) for name, many in typed.items() for one in ([many] if isinstance(many, str) else many)}
        assert (page.url.endswith(address), BACK in page.text) == (True, True), page.url
        assert wanted <= {(name, value.replace("\r\n", "\n")) for name, value in values}, form
        assert {name for name, _ in values if name == "events"} <= set(typed)
        assert BACK not in (await browser.get(address)).text, "it is shown once"


async def test_nobody_else_sees_what_was_typed_and_the_cookie_does_not_say_it(ada: Person, clock: HandClock) -> None:
    browser = ada.browser
    await send_late(browser, clock, ACCOUNT, "Change address", email="secret.friend@example.com")
    page = await sign_in(browser, "bob@example.com")
    assert (page.url.endswith(ACCOUNT), "secret.friend" in page.html, BACK in page.text) == (True, False, False)
    await browser.get("/logout")
    await browser.fill_and_submit("Sign out")
    assert "friend" not in browser.client.cookies[TYPED]
    await sign_in(browser)
    assert "secret.friend" in (await browser.get(ACCOUNT)).html
    assert TYPED not in browser.client.cookies


async def test_what_was_typed_is_let_go_after_an_hour(ada: Person, clock: HandClock) -> None:
    await send_late(ada.browser, clock, ACCOUNT, "Change address", email="friend@example.com")
    clock.advance(hours=1)
    page = await sign_in(ada.browser)
    assert (page.url.endswith(ACCOUNT), "friend@example.com" in page.html) == (True, False)


async def test_a_page_that_fails_leaves_what_was_typed_for_the_next_try(
    ada: Person, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_away(*_: object) -> None:
        raise StoreUnavailable("away for a moment")

    address = f"/settings/clients/{(await ada.register('First')).client_id}"
    await send_late(ada.browser, clock, address, "Save changes", name="Renamed", redirect_uris="https://a.example/1")
    with monkeypatch.context() as patched:
        patched.setattr(client, "details_for", is_away)
        failed = await sign_in(ada.browser)
    assert (failed.status, BACK in failed.text) == (503, False)
    page = await ada.browser.get(address)
    assert ("Renamed" in page.html, BACK in page.text) == (True, True)


async def test_a_form_of_one_team_does_not_come_back_in_another(stage: Stage, ada: Person, clock: HandClock) -> None:
    page = await send_late(ada.browser, clock, "/settings/tokens/new", "Create token", name="For Acme")
    elsewhere = Person("Ada", stage.house.browser())
    await elsewhere.sign_in()
    clock.advance(minutes=2)
    await elsewhere.switch_team(stage.works.team_id)
    page = await sign_in(ada.browser)
    assert ("Works" in page.title, "For Acme" in page.html) == (True, False)
    await ada.switch_team(stage.acme.team_id)
    assert "For Acme" in (await ada.browser.get("/settings/tokens/new")).html


UNKEPT = [
    pytest.param(
        "/settings/security",
        "Change password",
        {"current_password": PASSWORD, "password": "another long phrase", "password_again": "another long phrase"},
        id="passwords",
    ),
    pytest.param(
        "/settings/clients/new",
        "Create API client",
        {"redirect_uris": "https://a.example/" + "b" * 3000},
        id="too long",
    ),
]


@pytest.mark.parametrize(("address", "button", "typed"), UNKEPT)
async def test_what_is_not_kept_is_told_to_be_done_again(
    ada: Person, clock: HandClock, address: str, button: str, typed: dict[str, str]
) -> None:
    page = await send_late(ada.browser, clock, address, button, **typed)
    assert "Sign in, then do it once more." in page.text
    assert TYPED not in ada.browser.client.cookies
    assert not any(one in page.html for one in typed.values())


async def test_a_stranger_leaves_nothing_behind(stage: Stage) -> None:
    browser = stage.house.browser()
    page = await browser.post(ACCOUNT, [("name", "Nobody")])
    assert ("do it once more" in page.text, dict(browser.client.cookies)) == (True, {})
