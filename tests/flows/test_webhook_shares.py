"""Receivers that are slow, dead or hostile hold back nothing but what is their own."""

from collections import Counter
from dataclasses import replace

from keybearer.server.rules.webhook_details import MAX_WEBHOOKS
from keybearer.server.webhooks.shares import MOST_OF_TEAM, MOST_TO_ONE
from tests.support.people import Person
from tests.support.receiver import receiving
from tests.support.webhook_desk import HookDesk


async def test_a_slow_receiver_holds_back_nothing_but_its_own_webhook(desk: HookDesk) -> None:
    slow = await desk.add(["token.created"])
    desk.receiver.may_answer.clear()
    for number in range(MOST_TO_ONE + 2):
        await desk.ada.make_token(f"Token {number}")
    await desk.receiver.has_heard(MOST_TO_ONE)
    async with receiving() as quick:
        await desk.add(["client.created"], quick.url)
        await desk.ada.register("Reader")
        desk.house.node.webhook_sender.wake()
        await quick.has_heard(1)
        assert len(desk.receiver.heard) == MOST_TO_ONE
        desk.receiver.may_answer.set()
        await desk.all_sent()
    assert len(desk.receiver.heard) == MOST_TO_ONE + 2
    assert {heard.said["webhook"]["uuid"] for heard in desk.receiver.heard} == {slow.webhook_id}


async def test_a_team_whose_receivers_all_hang_holds_back_no_other_team(desk: HookDesk) -> None:
    bobs = replace(desk, ada=Person("Bob", await desk.play.browser(desk.play.bob)))
    async with receiving() as quick:
        await bobs.ada.switch_team(desk.play.birch.team_id)
        await bobs.add(["token.created"], quick.url)
        hooks = [await desk.add(["token.created"]) for _ in range(MAX_WEBHOOKS)]
        desk.receiver.may_answer.clear()
        for number in range(MOST_TO_ONE):
            await desk.ada.make_token(f"Token {number}")
        await desk.receiver.has_heard(MOST_OF_TEAM)
        await bobs.ada.make_token("Nightly import")
        await quick.has_heard(1)
        assert len(desk.receiver.heard) == MOST_OF_TEAM
        desk.receiver.may_answer.set()
        await desk.all_sent()
    told = Counter(heard.said["webhook"]["uuid"] for heard in desk.receiver.heard)
    assert told == {hook.webhook_id: MOST_TO_ONE for hook in hooks}
