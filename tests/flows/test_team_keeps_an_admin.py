"""Every team keeps an admin who can sign in, whatever is asked for and however many ask at once."""

import asyncio

from keybearer.server.actions.remove_member import remove_member
from keybearer.server.activities import Actor
from keybearer.server.refusals import Refusal
from keybearer.server.store import users
from tests.support.api import Stage
from tests.support.clock import HandClock

MEMBERS = "/team/members"
NEEDS_AN_ADMIN = "A team needs an admin. Make somebody else admin first."


async def test_the_last_admin_cannot_be_lowered_nor_leave(stage: Stage) -> None:
    ada = await stage.at_browser(stage.ada)
    adas = await stage.place_of(stage.acme, stage.ada)
    await ada.get(f"{MEMBERS}/{adas.membership_id}")
    await ada.fill_and_submit("Change role", role="member")
    assert (ada.page.status, NEEDS_AN_ADMIN in ada.page.text) == (422, True)
    assert 'id="error-role"' in ada.page.html
    await ada.get("/team/leave")
    page = await ada.fill_and_submit("Leave team")
    assert (page.status, NEEDS_AN_ADMIN in page.text) == (422, True)
    assert (await stage.place_of(stage.acme, stage.ada)).role == "owner"


async def test_a_suspended_admin_does_not_count_as_the_one_who_stays(stage: Stage, clock: HandClock) -> None:
    await stage.scene.member(stage.acme, stage.cleo, "owner")
    await stage.house.node.act(users.set_disabled, stage.cleo.user_id, clock.now(), clock.now())
    ada = await stage.at_browser(stage.ada)
    await ada.get("/team/leave")
    page = await ada.fill_and_submit("Leave team")
    assert (page.status, NEEDS_AN_ADMIN in page.text) == (422, True)
    await ada.get(MEMBERS)
    await ada.fill_and_submit("Remove", row="Cleo")
    await ada.fill_and_submit("Remove member")
    assert "Cleo is no longer in Acme." in ada.page.text


async def test_of_the_last_two_admins_who_remove_each_other_at_once_one_stays(stage: Stage) -> None:
    await stage.scene.member(stage.acme, stage.cleo, "owner")
    ada, cleo = await stage.at_browser(stage.ada), await stage.at_browser(stage.cleo)
    adas, cleos = await stage.place_of(stage.acme, stage.ada), await stage.place_of(stage.acme, stage.cleo)
    answers = await asyncio.gather(
        ada.post(f"{MEMBERS}/{cleos.membership_id}/remove", [("confirm", "yes")]),
        cleo.post(f"{MEMBERS}/{adas.membership_id}/remove", [("confirm", "yes")]),
    )
    left = [(await stage.place_of(stage.acme, user)).role for user in (stage.ada, stage.cleo)]
    assert sorted(left, key=str) == [None, "owner"]
    assert sum(answer.status == 200 for answer in answers) == 1


async def test_of_the_last_two_admins_who_leave_at_once_one_stays(stage: Stage) -> None:
    await stage.scene.member(stage.acme, stage.cleo, "owner")
    browsers = [await stage.at_browser(user) for user in (stage.ada, stage.cleo)]
    answers = await asyncio.gather(*[one.post("/team/leave", [("confirm", "yes")]) for one in browsers])
    left = [(await stage.place_of(stage.acme, user)).role for user in (stage.ada, stage.cleo)]
    assert sorted(left, key=str) == [None, "owner"]
    assert sorted(answer.status for answer in answers) == [200, 422]


async def test_of_many_pairs_of_last_admins_who_go_at_the_very_same_moment_one_stays_each_time(stage: Stage) -> None:
    node = stage.house.node
    for number in range(5):
        team = await stage.scene.team(f"Pair{number}", owner=stage.ada)
        await stage.scene.member(team, stage.cleo, "owner")
        leaving = [
            node.act(remove_member, Actor("r", "a", user.user_id), team.team_id, user.user_id, frozenset(), node.now())
            for user in (stage.ada, stage.cleo)
        ]
        outcomes = await asyncio.gather(*leaving, return_exceptions=True)
        assert [one.detail for one in outcomes if isinstance(one, Refusal)] == ["last owner"]
        left = [(await stage.place_of(team, user)).role for user in (stage.ada, stage.cleo)]
        assert sorted(left, key=str) == [None, "owner"]
