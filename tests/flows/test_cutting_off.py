"""Cutting off what acts in a name, on the pages, as the next call finds it."""

import pytest
from sqlalchemy import select

from keybearer.server.records import User
from keybearer.server.store import users
from keybearer.server.store.tables import grants
from tests.support.activity import recorded
from tests.support.api import Stage
from tests.support.clock import HandClock
from tests.support.scenes import PASSWORD, App

APPS = "/settings/apps"
TEAM_APPS = "/team/apps"
STATUS = "/api/v2/status"
CALLBACK = "https://app.example.com/cb"


async def an_app(stage: Stage, name: str) -> App:
    return await stage.scene.app(name, stage.acme, stage.ada, CALLBACK)


async def grant_id_of(stage: Stage, user: User) -> str:
    """Return the id of the user's newest grant."""
    newest = select(grants.c.grant_id).where(grants.c.user_id == user.user_id).order_by(grants.c.grant_id.desc())
    row = await stage.house.node.database.one(newest)
    assert row is not None
    return str(row["grant_id"])


async def test_without_apps_the_page_says_what_will_be_there(stage: Stage) -> None:
    ada = await stage.at_browser(stage.ada)
    page = await ada.get(APPS)
    assert "No app acts in your name" in page.text
    assert "cuts it off" in page.text


async def test_an_app_let_in_is_listed_with_all_that_matters(stage: Stage, clock: HandClock) -> None:
    app = await an_app(stage, "Ledger Sync")
    follows = await stage.app_access(app, stage.ada, stage.acme)
    await follows.get(STATUS)
    await stage.house.node.last_used.write(stage.house.node.database)
    clock.advance(minutes=5)
    ada = await stage.at_browser(stage.ada)
    page = await ada.get(APPS)
    form, _ = page.button("Revoke", "Ledger Sync")
    for said in ("by Acme", "Sandbox", "All that your role allows", "24 Nov 2026", "25 Nov 2026", "5 minutes ago"):
        assert said in form.row


async def test_a_narrowed_app_is_listed_with_its_permissions_in_words(stage: Stage) -> None:
    await stage.app_access(await an_app(stage, "Reader"), stage.ada, stage.acme, "team:read members:read")
    await stage.app_access(await an_app(stage, "Powerless"), stage.ada, stage.acme, "")
    ada = await stage.at_browser(stage.ada)
    page = await ada.get(APPS)
    row = page.button("Revoke", "Reader")[0].row
    assert "See the team's name and contact details" in row
    assert "See who is in the team" in row
    assert "All that your role allows" not in row
    assert "Nothing" in page.button("Revoke", "Powerless")[0].row


async def test_revoking_asks_first_and_then_cuts_off_at_the_next_call(stage: Stage) -> None:
    app, other = await an_app(stage, "Ledger Sync"), await an_app(stage, "Other")
    calls, others = [await stage.app_access(one, stage.ada, stage.acme) for one in (app, other)]
    of_cleo = await stage.app_access(app, stage.cleo, stage.acme)
    ada = await stage.at_browser(stage.ada)
    await ada.get(APPS)
    page = await ada.fill_and_submit("Revoke", row="Ledger Sync")
    assert page.status == 200
    for said in ("every token it holds is refused from its next call on", "the app must ask", "Acme"):
        assert said in page.text
    assert (await calls.get(STATUS)).status_code == 204
    page = await ada.fill_and_submit("Revoke")
    assert (page.url.endswith(APPS), page.status) == (True, 200)
    assert "Ledger Sync can no longer act in your name." in page.text
    assert (await calls.get(STATUS)).status_code == 401
    assert (await others.get(STATUS)).status_code == 204
    assert (await of_cleo.get(STATUS)).status_code == 204
    assert "Ledger Sync" not in (await ada.get(APPS)).text


async def test_every_consent_given_to_an_app_ends_with_it(stage: Stage) -> None:
    app = await an_app(stage, "Ledger Sync")
    held = [await stage.app_access(app, stage.ada, stage.acme, scope) for scope in (None, "team:read", None)]
    ada = await stage.at_browser(stage.ada)
    await ada.get(APPS)
    await ada.fill_and_submit("Revoke", row="Ledger Sync")
    await ada.fill_and_submit("Revoke")
    assert [(await calls.get(STATUS)).status_code for calls in held] == [401, 401, 401]


async def test_an_app_in_a_team_that_is_not_active_is_cut_off_just_there(stage: Stage) -> None:
    works = await stage.scene.app("Everywhere", stage.works, stage.bob, CALLBACK)
    in_works = await stage.app_access(works, stage.ada, stage.works)
    in_acme = await stage.app_access(await an_app(stage, "Everywhere"), stage.ada, stage.acme)
    ada = await stage.at_browser(stage.ada)
    await ada.get(APPS)
    await ada.fill_and_submit("Revoke", row="Works")
    await ada.fill_and_submit("Revoke")
    assert (await in_works.get(STATUS)).status_code == 401
    assert (await in_acme.get(STATUS)).status_code == 204


async def test_a_second_press_finds_it_done(stage: Stage) -> None:
    await stage.app_access(await an_app(stage, "Ledger Sync"), stage.ada, stage.acme)
    ada = await stage.at_browser(stage.ada)
    address = f"{APPS}/{await grant_id_of(stage, stage.ada)}/revoke"
    for _ in range(2):
        page = await ada.post(address, [("confirm", "yes")])
        assert "Ledger Sync can no longer act in your name." in page.text
    assert (await ada.get(address)).status == 404


async def test_opening_the_question_by_its_address_changes_nothing(stage: Stage) -> None:
    calls = await stage.app_access(await an_app(stage, "Ledger Sync"), stage.ada, stage.acme)
    ada = await stage.at_browser(stage.ada)
    address = f"{APPS}/{await grant_id_of(stage, stage.ada)}/revoke"
    assert (await ada.get(f"{address}?confirm=yes")).status == 200
    assert (await ada.post(address, [("confirm", "yes")], site="cross-site")).status == 403
    assert (await calls.get(STATUS)).status_code == 204


@pytest.mark.parametrize("kind", ["oat", "pat"])
async def test_somebody_elses_grant_is_as_absent_as_one_that_never_was(stage: Stage, kind: str) -> None:
    of_bob = await stage.either_kind(kind, stage.bob, stage.works)
    theirs = await grant_id_of(stage, stage.bob)
    never = theirs[:-4] + "0000"
    ada = await stage.at_browser(stage.ada)
    for fields in ([], [("confirm", "yes")]):
        found, missing = [await ada.post(f"{APPS}/{one}/revoke", fields) for one in (theirs, never)]
        assert (found.status, missing.status) == (404, 404)
        assert without_request_id(found.html) == without_request_id(missing.html)
    assert (await of_bob.get(STATUS)).status_code == 204


async def test_a_personal_token_is_no_app(stage: Stage) -> None:
    calls = await stage.personal(stage.ada, stage.acme)
    ada = await stage.at_browser(stage.ada)
    address = f"{APPS}/{await grant_id_of(stage, stage.ada)}/revoke"
    assert (await ada.post(address, [("confirm", "yes")])).status == 404
    assert (await calls.get(STATUS)).status_code == 204


async def test_an_admin_sees_all_that_reaches_the_team_and_whose_it_is(stage: Stage, clock: HandClock) -> None:
    await stage.app_access(await an_app(stage, "Ledger Sync"), stage.cleo, stage.acme)
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    await stage.house.api(text).get(STATUS)
    await stage.house.node.last_used.write(stage.house.node.database)
    await stage.house.node.act(users.set_disabled, stage.cleo.user_id, clock.now(), clock.now())
    await stage.personal(stage.bob, stage.works)
    ada = await stage.at_browser(stage.ada)
    page = await ada.get(TEAM_APPS)
    app, token = page.button("Revoke", "Ledger Sync")[0].row, page.button("Revoke", f"…{text[-4:]}")[0].row
    for said in ("App", "Cleo", "cleo@example.com", "Suspended", "24 Nov 2026", "25 Nov 2026", "Never"):
        assert said in app
    for said in ("Personal token", "Ada", "ada@example.com", "24 Nov 2026", "25 Nov 2026", "just now"):
        assert said in token
    assert "Suspended" not in token
    assert text not in page.html
    assert "bob@example.com" not in page.html


@pytest.mark.parametrize("kind", ["oat", "pat"])
async def test_an_admin_cuts_off_what_acts_as_somebody_else(stage: Stage, kind: str) -> None:
    calls = await stage.either_kind(kind, stage.cleo, stage.acme)
    own = await stage.either_kind(kind, stage.ada, stage.acme)
    ada = await stage.at_browser(stage.ada)
    await ada.get(TEAM_APPS)
    page = await ada.fill_and_submit("Revoke", row="cleo@example.com")
    assert "This cannot be undone." in page.text
    assert (await calls.get(STATUS)).status_code == 204
    page = await ada.fill_and_submit("Revoke")
    assert "can no longer act as Cleo in Acme." in page.text
    assert (await calls.get(STATUS)).status_code == 401
    assert (await own.get(STATUS)).status_code == 204
    record = (await recorded(stage.house.node.database, "grant.ended"))[-1]
    assert (record["user_id"], record["team_id"]) == (stage.ada.user_id, stage.acme.team_id)


async def test_who_does_not_manage_members_neither_sees_nor_ends_what_reaches_the_team(stage: Stage) -> None:
    calls = await stage.personal(stage.ada, stage.acme)
    address = f"{TEAM_APPS}/{await grant_id_of(stage, stage.ada)}/revoke"
    cleo = await stage.at_browser(stage.cleo)
    assert (await cleo.get(TEAM_APPS)).status == 403
    assert (await cleo.get(address)).status == 403
    assert (await cleo.post(address, [("confirm", "yes")])).status == 403
    assert (await calls.get(STATUS)).status_code == 204


async def test_what_reaches_another_team_is_absent_from_this_one(stage: Stage) -> None:
    await stage.scene.member(stage.acme, stage.bob, "member")
    calls = await stage.personal(stage.bob, stage.works)
    theirs = await grant_id_of(stage, stage.bob)
    ada = await stage.at_browser(stage.ada)
    for fields in ([], [("confirm", "yes")]):
        found, missing = [await ada.post(f"{TEAM_APPS}/{one}/revoke", fields) for one in (theirs, theirs[:-4] + "0000")]
        assert (found.status, missing.status) == (404, 404)
        assert without_request_id(found.html) == without_request_id(missing.html)
    assert (await calls.get(STATUS)).status_code == 204


async def test_cutting_off_others_asks_for_the_password_after_four_hours(stage: Stage, clock: HandClock) -> None:
    calls = await stage.personal(stage.cleo, stage.acme)
    address = f"{TEAM_APPS}/{await grant_id_of(stage, stage.cleo)}/revoke"
    ada = await stage.at_browser(stage.ada)
    clock.advance(hours=4)
    page = await ada.post(address, [("confirm", "yes")])
    assert "Confirm it is you" in page.text
    assert (await calls.get(STATUS)).status_code == 204
    page = await ada.fill_and_submit("Confirm", password=PASSWORD)
    assert page.url.endswith(address)
    await ada.fill_and_submit("Revoke")
    assert (await calls.get(STATUS)).status_code == 401


async def test_all_that_reaches_a_team_comes_in_pages(stage: Stage) -> None:
    for _ in range(51):
        await stage.scene.personal_token(stage.cleo, stage.acme)
    ada = await stage.at_browser(stage.ada)
    counts = [len((await ada.get(f"{TEAM_APPS}?page={page}")).forms) for page in (1, 2)]
    assert counts[0] - counts[1] == 49
    assert (await ada.get(f"{TEAM_APPS}?page=3")).status == 404


def without_request_id(html: str) -> str:
    before, _, after = html.partition("Request id <code>")
    return before + after.partition("</code>")[2]
