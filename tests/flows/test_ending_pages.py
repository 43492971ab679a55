"""After something was ended the page tells how many APIs have confirmed, and when nobody accepts it any more."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from keybearer.server.actions.set_operator import set_operator
from keybearer.server.activities import Actor
from keybearer.server.pages import endings
from tests.support.api import Stage, set_stage
from tests.support.browser import Browser
from tests.support.clock import HandClock
from tests.support.verifiers import Asking, asking
from tests.support.waiting import BOUND_S, Town, open_town

LIST = "/settings/tokens"
OVER = "No one accepts it any more."
CALLBACK = "https://app.example.com/cb"


@pytest.fixture
async def town(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Town]:
    async with open_town(database_url, tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def stage(town: Town, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(endings, "_SOON_S", 0.05)
    return await set_stage(await town.node())


async def verifying(stage: Stage, name: str = "Ledger API") -> Asking:
    """Have an API that has followed the feed so far."""
    verifier = await asking(stage.house, name=name)
    await verifier.sync()
    await verifier.sync()
    return verifier


async def confirm(verifier: Asking) -> None:
    """Let the API hear what happened, and say so."""
    await verifier.sync()
    await verifier.sync()


async def delete_a_token(stage: Stage, ada: Browser) -> None:
    await stage.scene.personal_token(stage.ada, stage.acme)
    await ada.get(LIST)
    await ada.fill_and_submit("Delete")
    page = await ada.fill_and_submit("Delete token")
    assert "It no longer works." in page.text


async def test_where_no_api_verifies_tokens_it_is_over_at_once_and_said_once(stage: Stage) -> None:
    ada = await stage.at_browser(stage.ada)
    await delete_a_token(stage, ada)
    assert OVER in ada.page.text
    assert "Look again" not in ada.page.text
    assert OVER not in (await ada.get(LIST)).text


async def test_the_page_counts_the_apis_that_have_confirmed_until_all_have(stage: Stage, clock: HandClock) -> None:
    ledger, people = await verifying(stage), await verifying(stage, "People API")
    ada = await stage.at_browser(stage.ada)
    await delete_a_token(stage, ada)
    assert "0 of 2 APIs have confirmed. At the latest in 10 seconds, no one accepts it any more." in ada.page.text
    clock.advance(seconds=3.5)
    await confirm(ledger)
    page = await ada.follow("Look again")
    assert page.url.endswith(LIST)
    assert "It no longer works. 1 of 2 APIs have confirmed. At the latest in 7 seconds" in page.text
    await confirm(people)
    page = await ada.follow("Look again")
    assert "It no longer works. No one accepts it any more." in page.text
    assert "It no longer works." not in (await ada.get(LIST)).text


async def test_a_silent_api_has_no_say_after_the_bound(stage: Stage, clock: HandClock) -> None:
    await verifying(stage)
    ada = await stage.at_browser(stage.ada)
    await delete_a_token(stage, ada)
    clock.advance(seconds=BOUND_S - 1)
    assert "0 of 1 API has confirmed. At the latest in 1 second, no one" in (await ada.get(LIST)).text
    clock.advance(seconds=1)
    assert OVER in (await ada.get(LIST)).text


async def test_most_have_confirmed_before_the_page_is_drawn(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to the form waits for a moment, so that without a script nobody need look again."""
    monkeypatch.setattr(endings, "_SOON_S", 30.0)
    verifier = await verifying(stage)
    ada = await stage.at_browser(stage.ada)
    wait, waited = stage.house.node.certainty.wait, []

    async def confirm_meanwhile(*args: object) -> bool:
        await confirm(verifier)
        waited.append(await wait(*args))  # type: ignore[arg-type]
        return waited[-1]

    monkeypatch.setattr(type(stage.house.node.certainty), "wait", lambda _, *args: confirm_meanwhile(*args))
    await delete_a_token(stage, ada)
    assert waited == [True]
    assert OVER in ada.page.text


async def test_it_is_told_on_every_page_until_something_else_was_done(stage: Stage) -> None:
    await verifying(stage)
    ada = await stage.at_browser(stage.ada)
    await delete_a_token(stage, ada)
    assert "0 of 1 API has confirmed" in (await ada.get("/settings/account")).text
    await ada.get("/settings/account")
    page = await ada.fill_and_submit("Save name", name="Ada K")
    assert "Your name is changed." in page.text
    assert "confirmed" not in page.text


async def test_what_a_form_answers_says_nothing_of_it_and_takes_nothing_of_it_away(stage: Stage) -> None:
    await verifying(stage)
    ada = await stage.at_browser(stage.ada)
    await delete_a_token(stage, ada)
    await ada.get("/settings/account")
    page = await ada.fill_and_submit("Save name", name="\u202e")
    assert (page.status, "have confirmed" in page.text) == (422, False)
    assert "0 of 1 API has confirmed" in (await ada.get(LIST)).text


@pytest.mark.parametrize(
    "cookie", ["token!!!", "token!e!9999999999999999999!1", "other!e!1!1", "token!e!1", '"token!%22!1!1"']
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_cookie_that_was_made_up_tells_nothing(stage: Stage, cookie: str) -> None:
    ada = await stage.at_browser(stage.ada)
    ada.client.cookies.set("__Host-kb_ending", cookie, domain="keybearer.test")
    page = await ada.get(LIST)
    assert (page.status, "confirmed" in page.text, OVER in page.text) == (200, False, False)


async def _delete_client(stage: Stage, ada: Browser) -> None:
    await stage.scene.app("Ledger Sync", stage.acme, stage.ada, CALLBACK)
    await ada.get("/settings/clients")
    await ada.follow("Ledger Sync")
    await ada.fill_and_submit("Delete")
    await ada.fill_and_submit("Delete API client")


async def _revoke_app(stage: Stage, ada: Browser) -> None:
    app = await stage.scene.app("Ledger Sync", stage.acme, stage.ada, CALLBACK)
    await stage.app_access(app, stage.ada, stage.acme)
    await ada.get("/settings/apps")
    await ada.fill_and_submit("Revoke")
    await ada.fill_and_submit("Revoke")


async def _revoke_team_app(stage: Stage, ada: Browser) -> None:
    await stage.scene.personal_token(stage.cleo, stage.acme)
    await ada.get("/team/apps")
    await ada.fill_and_submit("Revoke")
    await ada.fill_and_submit("Revoke")


async def _remove_member(_: Stage, ada: Browser) -> None:
    await ada.get("/team/members")
    await ada.fill_and_submit("Remove", row="Cleo")
    await ada.fill_and_submit("Remove member")


async def _revoke_key(stage: Stage, ada: Browser) -> None:
    node = stage.house.node
    await node.act(set_operator, Actor("a test", "127.0.0.1"), stage.ada.user_id, node.now(), is_operator=True)
    await ada.get("/operator/resource-servers")
    await ada.fill_and_submit("Revoke")
    await ada.fill_and_submit("Revoke key")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        pytest.param(_revoke_app, "no one accepts its tokens any more", id="an app"),
        pytest.param(_delete_client, "no one accepts its tokens any more", id="an API client"),
        pytest.param(_revoke_team_app, "no one accepts it any more", id="what reaches the team"),
        pytest.param(_remove_member, "no one accepts their tokens any more", id="a member"),
        pytest.param(_revoke_key, "no API that used it accepts tokens any more", id="an API's key"),
    ],
)
async def test_every_page_that_ends_something_tells_it(
    stage: Stage, clock: HandClock, end: Callable[[Stage, Browser], Awaitable[None]], said: str
) -> None:
    await verifying(stage)
    ada = await stage.at_browser(stage.ada)
    await end(stage, ada)
    assert f"0 of 1 API has confirmed. At the latest in 10 seconds, {said}. Look again" in ada.page.text
    clock.advance(seconds=BOUND_S)
    page = await ada.follow("Look again")
    assert f"{said[0].upper()}{said[1:]}." in page.text
