"""The team's pages: its details, who is in it, and how people come, change and go."""

import csv
import io
import json

import pytest

from keybearer.server.clock import HOUR, as_wire
from keybearer.server.records import Member
from keybearer.server.store import memberships
from tests.support.activity import recorded
from tests.support.api import Stage
from tests.support.browser import Browser
from tests.support.clock import HandClock

MEMBERS = "/team/members"
STATUS = "/api/v2/status"


async def remove(browser: Browser, name: str) -> None:
    await browser.get(MEMBERS)
    await browser.fill_and_submit("Remove", row=name)
    await browser.fill_and_submit("Remove member")


async def give(browser: Browser, membership: Member, role: str, hours: str = "8") -> None:
    await browser.get(f"{MEMBERS}/{membership.membership_id}")
    await browser.fill_and_submit("Change role", role=role, hours=hours)


async def add(browser: Browser, email: str, role: str = "member") -> None:
    await browser.get(f"{MEMBERS}/new")
    await browser.fill_and_submit("Add member", email=email, role=role)


async def test_an_admin_changes_how_the_team_is_reached_and_the_api_says_so(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    ada = await stage.at_browser(stage.ada)
    await ada.get("/team")
    page = await ada.fill_and_submit("Save", contact="hello@acme.example", telephone="+44 20 7946 0000")
    assert "The team's details are changed." in page.text
    shown = (await api.get("/api/v2/team")).json()
    assert (shown["contact"], shown["telephone"]) == ("hello@acme.example", "+44 20 7946 0000")
    await ada.fill_and_submit("Save", telephone="  ")
    assert (await api.get("/api/v2/team")).json()["telephone"] is None


async def test_wrong_details_come_back_as_typed_each_with_its_error(stage: Stage) -> None:
    ada = await stage.at_browser(stage.ada)
    await ada.get("/team")
    page = await ada.fill_and_submit("Save", contact="not an address", telephone="call me")
    assert page.status == 422
    assert {("contact", "not an address"), ("telephone", "call me")} <= set(page.button("Save")[0].values)
    assert 'id="error-contact"' in page.html
    assert 'id="error-telephone"' in page.html


async def test_who_may_not_manage_sees_the_team_and_cannot_change_it(stage: Stage) -> None:
    cleo = await stage.at_browser(stage.cleo)
    page = await cleo.get("/team")
    assert "acme@example.com" in page.text
    assert "Read only" in page.text
    with pytest.raises(LookupError):
        page.button("Save")
    assert (await cleo.post("/team", [("contact", "mine@example.com")])).status == 403
    page = await cleo.get(MEMBERS)
    assert "ada@example.com" in page.text
    assert [form for form in page.forms if form.action.startswith("/team")] == []
    assert "Change role" not in page.text


async def test_a_role_given_on_the_page_is_what_the_token_may_do_at_its_next_call(stage: Stage) -> None:
    await stage.scene.member(stage.acme, stage.bob, "owner")
    tokens = [await stage.either_kind(kind, stage.bob, stage.acme) for kind in ("pat", "oat")]
    ada = await stage.at_browser(stage.ada)
    bobs = await stage.place_of(stage.acme, stage.bob)
    for role, status in (("read-only", 403), ("owner", 200), ("member", 403)):
        await give(ada, bobs, role)
        for api in tokens:
            assert (await api.patch("/api/v2/team", json={"telephone": "112"})).status_code == status
            assert (await api.get("/api/v2/token")).json()["role"] == role


async def test_whoever_is_removed_is_out_and_so_is_all_that_acts_as_them(stage: Stage) -> None:
    tokens = [await stage.either_kind(kind, stage.cleo, stage.acme) for kind in ("pat", "oat")]
    other = await stage.personal(stage.ada, stage.acme)
    ada, cleo = await stage.at_browser(stage.ada), await stage.at_browser(stage.cleo)
    await ada.get(MEMBERS)
    page = await ada.fill_and_submit("Remove", row="Cleo")
    assert "These end for good" in page.text
    assert "token " in page.text
    assert "App " in page.text
    assert [(await api.get(STATUS)).status_code for api in tokens] == [204, 204]
    page = await ada.fill_and_submit("Remove member")
    assert "Cleo is no longer in Acme." in page.text
    assert [(await api.get(STATUS)).status_code for api in tokens] == [401, 401]
    assert (await other.get(STATUS)).status_code == 204
    assert (await cleo.get(MEMBERS)).status == 403
    assert (await stage.house.api("").get(STATUS)).status_code == 401


async def test_added_again_they_are_in_and_what_ended_stays_ended(stage: Stage) -> None:
    old = [await stage.either_kind(kind, stage.cleo, stage.acme) for kind in ("pat", "oat")]
    ada = await stage.at_browser(stage.ada)
    before = await stage.place_of(stage.acme, stage.cleo)
    await remove(ada, "Cleo")
    await add(ada, "CLEO@example.com", "owner")
    assert "Cleo is now in Acme as Admin." in ada.page.text
    after = await stage.place_of(stage.acme, stage.cleo)
    assert (after.membership_id, after.role) == (before.membership_id, "owner")
    assert [(await api.get(STATUS)).status_code for api in old] == [401, 401]
    new = await stage.personal(stage.cleo, stage.acme)
    assert (await new.get(STATUS)).status_code == 204


async def test_a_support_visit_ends_by_itself_and_the_next_one_does_not_revive_its_tokens(
    stage: Stage, clock: HandClock
) -> None:
    ada = await stage.at_browser(stage.ada)
    await add(ada, stage.bob.email, "assumed")
    api = await stage.personal(stage.bob, stage.acme)
    assert (await stage.place_of(stage.acme, stage.bob)).expires_at == clock.now() + 8 * HOUR
    clock.advance(hours=8, seconds=-1)
    assert (await api.get(STATUS)).status_code == 204
    clock.advance(seconds=1)
    assert (await api.get(STATUS)).status_code == 401
    ada = await stage.at_browser(stage.ada)
    await add(ada, stage.bob.email, "assumed")
    assert "Bob is now in Acme" in ada.page.text
    assert (await api.get(STATUS)).status_code == 401
    assert len(await recorded(stage.house.node.database, "grant.ended")) == 1


async def test_the_log_tells_who_was_in_the_team_as_what_and_until_when(stage: Stage, clock: HandClock) -> None:
    ada = await stage.at_browser(stage.ada)
    await add(ada, stage.bob.email, "assumed")
    bobs = await stage.place_of(stage.acme, stage.bob)
    assert bobs.expires_at == clock.now() + 8 * HOUR
    await give(ada, bobs, "read-only")
    await remove(ada, "Bob")
    export = (await ada.client.get("/activity/export?format=csv")).text
    told = {row["action"]: row["words"] for row in csv.DictReader(io.StringIO(export, newline=""))}
    assert json.loads(told["member.joined"]) == {"role": "assumed", "until": as_wire(bobs.expires_at)}
    assert json.loads(told["member.changed"]) == {"role": "read-only", "before": "assumed"}
    assert json.loads(told["member.left"]) == {"before": "read-only"}


@pytest.mark.parametrize(
    ("hours", "is_taken"), [("1", True), ("8", True), ("9", False), ("0", False), ("", False), ("soon", False)]
)
async def test_the_support_role_must_end_within_eight_hours(stage: Stage, hours: str, is_taken: bool) -> None:
    ada = await stage.at_browser(stage.ada)
    cleos = await stage.place_of(stage.acme, stage.cleo)
    await give(ada, cleos, "assumed", hours)
    assert ada.page.status == (200 if is_taken else 422)
    assert ('id="error-hours"' in ada.page.html) != is_taken
    assert (await stage.place_of(stage.acme, stage.cleo)).role == ("assumed" if is_taken else "read-only")


async def test_a_member_leaves_by_themselves_and_their_tokens_with_them(stage: Stage) -> None:
    api = await stage.personal(stage.cleo, stage.acme)
    cleo = await stage.at_browser(stage.cleo)
    await cleo.get("/team")
    await cleo.follow("Leave team")
    assert (await api.get(STATUS)).status_code == 204
    page = await cleo.fill_and_submit("Leave team")
    assert "You have left Acme." in page.text
    assert "You are in no team yet" in page.text
    assert not {"/team", "/activity"} & {address for _, address in page.links}, "nothing is there without a team"
    assert (await api.get(STATUS)).status_code == 401


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("nobody@example.com", "Nobody here has this address."),
        ("cleo@example.com", "Cleo is in the team already, as Read only."),
        ("cleo", "This is not an email address."),
        ("", "This is not an email address."),
    ],
)
async def test_an_address_that_cannot_be_added_is_refused_beside_its_field(stage: Stage, email: str, said: str) -> None:
    ada = await stage.at_browser(stage.ada)
    await add(ada, email, "owner")
    assert ada.page.status == 422
    assert said in ada.page.text
    assert 'id="error-email"' in ada.page.html
    assert {("email", email), ("role", "owner")} <= set(ada.page.button("Add member")[0].values)
    assert (await stage.place_of(stage.acme, stage.cleo)).role == "read-only"


async def test_nobody_goes_through_a_list_of_addresses(stage: Stage, clock: HandClock) -> None:
    ada = await stage.at_browser(stage.ada)
    for _ in range(60):
        assert (await ada.post(f"{MEMBERS}/new", [("email", "nobody@example.com"), ("role", "member")])).status == 422
    for email in ("nobody@example.com", "bob@example.com"):
        page = await ada.post(f"{MEMBERS}/new", [("email", email), ("role", "member")])
        assert page.status == 429
        assert page.headers["retry-after"] == "60"
    clock.advance(minutes=1)
    assert "Bob is now in Acme" in (await ada.post(f"{MEMBERS}/new", [("email", email), ("role", "member")])).text


@pytest.mark.parametrize("role", ["king", "", "Owner"])
async def test_only_roles_that_exist_are_given(stage: Stage, role: str) -> None:
    ada = await stage.at_browser(stage.ada)
    cleos = await stage.place_of(stage.acme, stage.cleo)
    page = await ada.post(f"{MEMBERS}/{cleos.membership_id}", [("role", role)])
    assert (page.status, 'id="error-role"' in page.html) == (422, True)
    assert (await stage.place_of(stage.acme, stage.cleo)).role == "read-only"


@pytest.mark.parametrize(("role", "of"), [("owner", "cleo"), ("assumed", "cleo"), ("owner", "bob"), ("member", "bob")])
async def test_support_staff_gives_no_role_that_outlasts_the_visit(stage: Stage, role: str, of: str) -> None:
    await stage.scene.member(stage.acme, stage.bob, "assumed")
    bob = await stage.at_browser(stage.bob)
    await bob.post("/switch-team", [("team", str(stage.acme.team_id))])
    offered = (await bob.get(f"{MEMBERS}/new")).html
    assert [f'value="{one}"' in offered for one in ("member", "owner", "assumed")] == [True, False, False]
    before = await stage.place_of(stage.acme, {"cleo": stage.cleo, "bob": stage.bob}[of])
    page = await bob.post(f"{MEMBERS}/{before.membership_id}", [("role", role), ("hours", "8")])
    assert page.status == 403
    assert await stage.place_of(stage.acme, {"cleo": stage.cleo, "bob": stage.bob}[of]) == before


async def test_a_membership_of_another_team_is_as_absent_as_none(stage: Stage) -> None:
    bobs = await stage.house.node.view(memberships.of_user, stage.works.team_id, stage.bob.user_id)
    assert bobs is not None
    ada = await stage.at_browser(stage.ada)
    for ending, fields in (("", [("role", "member")]), ("/remove", []), ("/remove", [("confirm", "yes")])):
        found, missing, nonsense = [
            await ada.post(f"{MEMBERS}/{one}{ending}", fields) for one in (bobs.membership_id, 999, "x")
        ]
        assert (found.status, missing.status, nonsense.status) == (404, 404, 404)
        assert found.text.partition("Request id")[0] == missing.text.partition("Request id")[0]
    assert await stage.house.node.view(memberships.of_user, stage.works.team_id, stage.bob.user_id) == bobs


async def test_a_form_made_for_another_team_changes_nothing(stage: Stage) -> None:
    await stage.scene.member(stage.works, stage.ada, "owner")
    ada = await stage.at_browser(stage.ada)
    cleos = await stage.place_of(stage.acme, stage.cleo)
    await ada.get(f"{MEMBERS}/{cleos.membership_id}")
    shown = ada.page
    await ada.post("/switch-team", [("team", str(stage.works.team_id))])
    ada.page = shown
    page = await ada.fill_and_submit("Change role", role="owner")
    assert page.status == 409
    assert (await stage.place_of(stage.acme, stage.cleo)).role == "read-only"


@pytest.mark.parametrize("address", [f"{MEMBERS}/new", f"{MEMBERS}/1", f"{MEMBERS}/2/remove", "/team/leave"])
async def test_after_four_hours_the_password_is_asked_for_first(stage: Stage, clock: HandClock, address: str) -> None:
    ada = await stage.at_browser(stage.ada)
    clock.advance(hours=4)
    fields = [("confirm", "yes"), ("role", "member"), ("email", "bob@example.com")]
    page = await ada.post(address, fields)
    assert "Confirm it is you" in page.text
    assert dict(page.button("Confirm")[0].values)["next"] == address


async def test_long_lists_come_in_pages(stage: Stage) -> None:
    for number in range(50):
        await stage.scene.member(stage.acme, await stage.scene.person(f"P{number:02}"), "member")
    ada = await stage.at_browser(stage.ada)
    first = await ada.get(MEMBERS)
    assert ("Page 1 of 2" in first.text, "p47@example.com" in first.text, "p48@example.com" in first.text) == (
        True,
        True,
        False,
    )
    second = await ada.follow("Next")
    assert ("p48@example.com" in second.text, "ada@example.com" in second.text.partition("Name")[2]) == (True, False)
    for page in ("3", "0", "-1", "x", "9" * 30):
        assert (await ada.get(f"{MEMBERS}?page={page}")).status == 404
