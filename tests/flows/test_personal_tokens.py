"""The reference, line by line: personal access tokens on their pages."""

import re
from hashlib import sha256

import pytest
from sqlalchemy import select

from keybearer.server.store.tables import feed, metadata
from tests.support.activity import recorded
from tests.support.clock import HandClock
from tests.support.house import House
from tests.support.people import Person
from tests.support.token_pages import LIST, NEW, TokenDesk, at_the_tokens

YEAR_DAYS = 365

_FEED = select(feed).order_by(feed.c.seq)


@pytest.fixture
async def desk(house: House) -> TokenDesk:
    return await at_the_tokens(house)


async def test_the_page_has_the_tabs_saved_and_create_token(desk: TokenDesk) -> None:
    page = await desk.browser.get(LIST)
    assert (page.link("Saved"), page.link("Personal access tokens")) == (LIST, LIST)
    assert {address for label, address in page.links if label == "Create token"} == {NEW}


async def test_a_person_without_tokens_is_told_what_one_is_and_how_to_call(desk: TokenDesk) -> None:
    page = await desk.browser.get(LIST)
    assert "You have no tokens yet" in page.text
    assert 'curl -H "Authorization: Bearer $KEYBEARER_TOKEN" https://keybearer.test/api/v2/me' in page.text


async def test_a_token_made_on_the_page_works_and_is_its_users_in_the_active_team(desk: TokenDesk) -> None:
    page = await desk.create(name="Nightly report")
    said = (await desk.call(page.shown["token"])).json()
    assert (said["name"], said["user"]["id"]) == ("Nightly report", desk.stage.ada.user_id)
    assert (said["team"]["id"], said["environment"]) == (desk.stage.acme.team_id, "sandbox")
    assert page.shown["token"].startswith("kb_pat_test_")


async def test_a_program_without_scripts_posts_only_a_name(desk: TokenDesk) -> None:
    page = await desk.browser.post(NEW, [("name", "By a program")])
    said = (await desk.call(page.shown["token"])).json()
    assert said["expires_at"] == "2027-11-24T12:00:00Z"
    assert set(said["permissions"]) == desk.house.node.role_permissions["owner"]


async def test_a_token_is_shown_once_and_never_again(desk: TokenDesk) -> None:
    page = await desk.create(name="Once")
    text = page.shown["token"]
    assert page.headers["cache-control"] == "no-store"
    assert page.text.count("It is shown only once") == 1
    for address in (LIST, NEW, "/settings/apps", "/switch-team"):
        assert text not in (await desk.browser.get(address)).html
    again = await desk.browser.post(NEW, [("name", "Once")])
    assert (again.status, "token" in again.shown) == (422, False)


async def test_the_answer_has_the_call_and_the_variable_ready(desk: TokenDesk) -> None:
    page = await desk.create(name="Ready")
    assert f"export KEYBEARER_TOKEN={page.shown['token']}" in page.text
    assert 'curl -H "Authorization: Bearer $KEYBEARER_TOKEN" https://keybearer.test/api/v2/me' in page.text


async def test_the_database_keeps_nothing_but_the_digest(desk: TokenDesk) -> None:
    text = (await desk.create(name="Digest")).shown["token"]
    secret = text.rpartition("_")[2]
    everything = [
        str(value)
        for table in metadata.sorted_tables
        for row in await desk.house.node.database.many(select(table))
        for value in dict(row).values()
    ]
    assert not [value for value in everything if secret[:12] in value]
    assert [row["digest"] for row in await desk.kept()] == [sha256(text.encode()).digest()]


async def test_the_list_says_what_each_token_is(desk: TokenDesk, clock: HandClock) -> None:
    whole = (await desk.create(name="Whole")).shown["token"]
    await desk.create(name="Narrow", lifetime="7", narrowing="scope", permissions=["team:read", "clients:read"])
    await desk.call(whole)
    await desk.house.node.last_used.write(desk.house.node.database)
    clock.advance(hours=3)
    page = await desk.browser.get(LIST)
    rows = {form.row.split()[0]: form.row for form in page.forms if form.row.startswith(("Whole", "Narrow"))}
    assert f"kb_pat_test_…{whole[-4:]} Acme Sandbox Follows your role 24 Nov 2026 24 Nov 2027" in rows["Whole"]
    assert "3 hours ago" in rows["Whole"]
    assert (
        "Acme Sandbox 2 permissions clients:read, team:read 24 Nov 2026 1 Dec 2026 in 6 days Ends soon Never"
        in rows["Narrow"]
    )


async def test_a_token_ends_after_one_year_by_itself(desk: TokenDesk, clock: HandClock) -> None:
    text = (await desk.create(name="A year")).shown["token"]
    clock.advance(days=YEAR_DAYS, seconds=-0.000001)
    assert (await desk.call(text)).status_code == 200
    clock.advance(seconds=0.000001)
    assert (await desk.call(text)).status_code == 401
    await desk.ada.sign_in()
    page = await desk.browser.get(LIST)
    assert next(form.row for form in page.forms if form.row.startswith("A year")).count("Expired") == 1


@pytest.mark.parametrize(
    ("chosen", "end"),
    [
        pytest.param({"lifetime": "7"}, "2026-12-01T12:00:00Z", id="7 days"),
        pytest.param({"lifetime": "90"}, "2027-02-22T12:00:00Z", id="90 days"),
        pytest.param({"lifetime": "longest"}, "2027-11-24T12:00:00Z", id="longest"),
        pytest.param({"lifetime": "custom", "expires_on": "2026-11-25"}, "2026-11-25T00:00:00Z", id="the first day"),
        pytest.param({"lifetime": "custom", "expires_on": "2027-11-24"}, "2027-11-24T00:00:00Z", id="the last day"),
        pytest.param({"lifetime": "7", "expires_on": "2027-01-01"}, "2026-12-01T12:00:00Z", id="a day not chosen"),
    ],
)
async def test_a_token_ends_when_its_user_chose(desk: TokenDesk, chosen: dict[str, str], end: str) -> None:
    page = await desk.create(name="Ends", **chosen)
    assert (await desk.call(page.shown["token"])).json()["expires_at"] == end


async def test_every_lifetime_says_its_date(desk: TokenDesk) -> None:
    page = await desk.browser.get(NEW)
    for said in ("7 days until 1 Dec 2026, 12:00 UTC", "1 year until 24 Nov 2027, 12:00 UTC"):
        assert said in page.text


async def test_a_narrowed_token_does_only_what_was_ticked(desk: TokenDesk) -> None:
    page = await desk.create(name="Narrow", narrowing="scope", permissions=["team:read"])
    api = desk.house.api(page.shown["token"])
    assert (await api.get("/api/v2/team")).status_code == 200
    assert (await api.get("/api/v2/team/members")).status_code == 403
    assert (await api.get("/api/v2/token")).json()["permissions"] == ["team:read"]


async def test_a_token_that_follows_the_role_shrinks_with_it(desk: TokenDesk) -> None:
    page = await desk.create(name="Follows")
    assert "may do whatever your role allows at the time" in page.text
    api = desk.house.api(page.shown["token"])
    assert (await api.patch("/api/v2/team", json={"telephone": "112"})).status_code == 200
    await desk.stage.scene.member(desk.stage.acme, desk.stage.ada, "read-only")
    assert (await api.patch("/api/v2/team", json={"telephone": "113"})).status_code == 403


async def test_only_what_the_role_allows_can_be_ticked(desk: TokenDesk) -> None:
    await desk.ada.switch_team(desk.stage.works.team_id)
    page = await desk.browser.get(NEW)
    for name in desk.house.settings.permissions:
        box = page.html.partition(f'value="{name}"')[2].partition(">")[0]
        assert ("disabled" in box) == (name in {"team:manage", "members:manage"}), name


async def test_live_is_said_in_words(desk: TokenDesk) -> None:
    assert "real data" not in (await desk.browser.get(NEW)).text
    await desk.ada.switch_team(desk.stage.works.team_id)
    page = await desk.browser.get(NEW)
    assert "Live. Whatever holds this token reads and changes the real data of Works." in page.text
    page = await desk.browser.fill_and_submit("Create token", name="Live one")
    assert page.shown["token"].startswith("kb_pat_live_")
    assert "It acts as you in Works Live" in page.text


async def test_names_are_unique_per_user_and_team_only(desk: TokenDesk) -> None:
    await desk.create(name="Report")
    await desk.ada.switch_team(desk.stage.works.team_id)
    assert "token" in (await desk.create(name="Report")).shown
    bob = Person("Bob", desk.house.browser())
    await bob.sign_in()
    assert await bob.make_token("Report")


async def test_the_name_of_an_expired_or_deleted_token_can_be_used_again(desk: TokenDesk, clock: HandClock) -> None:
    await desk.create(name="Report", lifetime="7")
    clock.advance(days=7)
    await desk.ada.sign_in()
    await desk.ada.switch_team(desk.stage.acme.team_id)
    assert "token" in (await desk.create(name="Report")).shown
    await desk.delete("Report")
    assert "token" in (await desk.create(name="Report")).shown


async def test_delete_asks_then_a_green_banner_says_it_is_gone_and_the_next_call_is_refused(desk: TokenDesk) -> None:
    text = (await desk.create(name="Nightly report")).shown["token"]
    assert (await desk.call(text)).status_code == 200
    await desk.browser.get(LIST)
    page = await desk.browser.fill_and_submit("Delete", row="Nightly report")
    assert (page.status, (await desk.call(text)).status_code) == (200, 200)  # only asked so far
    assert "Delete the token “Nightly report”?" in page.text
    page = await desk.browser.fill_and_submit("Delete token")
    assert (await desk.call(text)).status_code == 401
    assert page.url.endswith(LIST)
    banner = re.search(r'<p role="status">(.*?)</p>', page.html)
    assert banner
    assert banner[1] == "The token “Nightly report” is deleted. It no longer works."
    assert "Nightly report" not in (await desk.browser.get(LIST)).text  # said once


async def test_deleting_needs_no_other_team_and_ends_only_the_one(desk: TokenDesk) -> None:
    first = (await desk.create(name="First")).shown["token"]
    second = (await desk.create(name="Second")).shown["token"]
    await desk.ada.switch_team(desk.stage.works.team_id)
    await desk.delete("First")
    assert [(await desk.call(text)).status_code for text in (first, second)] == [401, 200]


async def test_each_change_is_told_to_the_activity_log_and_the_feed(desk: TokenDesk) -> None:
    page = await desk.create(name="Told")
    text, made_by = page.shown["token"], page.headers["x-request-id"]
    (row,) = await desk.kept()
    made = (await recorded(desk.house.node.database))[-1]
    assert (made["action"], made["user_id"], made["team_id"]) == (
        "token.created",
        desk.stage.ada.user_id,
        desk.stage.acme.team_id,
    )
    assert (made["environment"], made["token_last4"], made["request_id"]) == ("sandbox", text[-4:], made_by)
    before = len(await desk.house.node.database.many(_FEED))
    await desk.delete("Told")
    ended = (await recorded(desk.house.node.database))[-1]
    assert (ended["action"], ended["grant_id"]) == ("grant.ended", row["grant_id"])
    assert (ended["user_id"], ended["team_id"], ended["outcome"]) == (
        desk.stage.ada.user_id,
        desk.stage.acme.team_id,
        "done",
    )
    told = (await desk.house.node.database.many(_FEED))[before:]
    assert [event["subject"] for event in told] == [
        f"grant:{row['grant_id']}:{desk.stage.ada.user_id}:{desk.stage.acme.team_id}"
    ]
