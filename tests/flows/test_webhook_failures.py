"""A webhook whose events are not taken is switched off, its owners are told, and everything can be tried again."""

import asyncio

import pytest
from pydantic import SecretStr

from keybearer.server.clock import MINUTE
from tests.support.house import open_house
from tests.support.mailbox import Mailbox
from tests.support.receiver import TIMEOUT_S
from tests.support.webhook_desk import Hook, HookDesk


@pytest.fixture
def mail(desk: HookDesk) -> Mailbox:
    return Mailbox(desk.house.settings.data_dir / "mail")


async def fail(desk: HookDesk, count: int, first: int = 0) -> None:
    """Have so many events fail for good."""
    desk.receiver.answers(503)
    for number in range(first, first + count):
        await desk.ada.make_token(f"Token {number}")
    await desk.fail_for_good()


async def is_on(desk: HookDesk, hook: Hook) -> bool:
    page = await desk.ada.browser.get(hook.path)
    assert page.status == 200
    return "Switch on again" not in page.text


async def test_the_tenth_event_in_a_row_that_failed_for_good_switches_the_webhook_off_and_owners_are_told(
    desk: HookDesk, mail: Mailbox
) -> None:
    hook = await desk.add(["token.created"])
    await desk.play.scene.member(desk.play.acme, desk.play.bob, "member")
    await fail(desk, 9)
    assert await is_on(desk, hook)
    await fail(desk, 1, 9)
    assert not await is_on(desk, hook)
    await desk.owners_are_told()
    (letter,) = mail.all()
    assert letter["To"] == "ada@example.com"
    assert f"{desk.house.settings.issuer}{hook.path}" in letter.get_content()
    assert "127.0.0.1" not in letter.get_content()
    await desk.ada.make_token("Nobody is told of this one")
    await desk.after(days=1)
    assert len(desk.receiver.heard) == 50
    assert await desk.recorded() == ["webhook.created", "webhook.switched_off"]


async def test_one_event_that_is_taken_begins_the_count_anew_and_tries_by_hand_do_not_count(desk: HookDesk) -> None:
    hook = await desk.add(["token.created"])
    await fail(desk, 9)
    desk.receiver.answers(200)
    await desk.ada.make_token("One that is taken")
    await desk.all_sent()
    await fail(desk, 9, 9)
    await desk.press(hook, "Send a test event")
    await desk.all_sent()
    await desk.press(hook, "Resend", (await desk.log())[0]["delivery_id"])
    await desk.all_sent()
    assert await is_on(desk, hook)
    await fail(desk, 1, 18)
    assert not await is_on(desk, hook)


async def test_switched_on_again_it_is_sent_what_waited_and_what_comes_but_not_what_happened_meanwhile(
    desk: HookDesk,
) -> None:
    hook = await desk.add(["token.created", "client.created"])
    desk.receiver.answers(500)
    for number in range(10):
        await desk.ada.make_token(f"Token {number}")
    for seconds in (0, 60, 120, 600):
        await desk.after(seconds=seconds)
    await desk.ada.register("Waits")
    await desk.all_sent()
    await desk.after(seconds=900)
    assert not await is_on(desk, hook)
    await desk.ada.register("Meanwhile")
    desk.receiver.answers(200)
    desk.receiver.heard.clear()
    page = await desk.press(hook, "Switch on again")
    assert "is switched on. Events are sent again." in page.text
    await desk.ada.make_token("Afterwards")
    await desk.after(seconds=120)  # when what waits was tried last is up to the sender, and so is when it is due
    assert sorted(desk.receiver.events) == ["client.created", "token.created"]
    assert await is_on(desk, hook)
    assert (await desk.recorded())[-1] == "webhook.switched_on"


async def test_what_failed_is_resent_by_hand_with_the_same_id_and_body_and_the_next_number(desk: HookDesk) -> None:
    hook = await desk.add(["token.created"])
    await fail(desk, 1)
    desk.receiver.answers(202)
    page = await desk.press(hook, "Resend")
    assert "The event is on its way again." in page.text
    await desk.all_sent()
    first, again = desk.receiver.heard[0], desk.receiver.heard[-1]
    assert (again.headers["webhook-id"], again.body) == (first.headers["webhook-id"], first.body)
    assert again.headers["x-keybearer-attempt"] == "6"
    page = await desk.ada.browser.get(hook.path)
    assert "Delivered" in page.text
    assert "202" in page.text
    await desk.after(days=1)
    assert len(desk.receiver.heard) == 6


async def test_what_is_resent_by_hand_and_fails_is_not_tried_again_by_itself(desk: HookDesk) -> None:
    hook = await desk.add(["token.created"])
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    desk.receiver.answers(500)
    await desk.press(hook, "Resend")
    await desk.all_sent()
    await desk.after(days=1)
    assert len(desk.receiver.heard) == 2
    (row,) = await desk.log()
    assert (row["status"], row["attempts"]) == ("failed", 2)


async def test_nothing_is_tried_by_hand_while_it_waits_or_the_webhook_is_off(desk: HookDesk) -> None:
    hook = await desk.add(["token.created"])
    desk.receiver.answers(500)
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    (row,) = await desk.log()
    resend = f"{hook.path}/deliveries/{row['delivery_id']}/resend"
    page = await desk.ada.browser.post(resend, [("team", str(desk.play.acme.team_id))])
    assert (page.status, "waiting to be sent already" in page.text) == (409, True)
    await fail(desk, 9)
    assert not await is_on(desk, hook)
    for path in (resend, f"{hook.path}/test"):
        page = await desk.ada.browser.post(path, [("team", str(desk.play.acme.team_id))])
        assert (page.status, "switch it on first" in page.text) == (409, True)
    assert len(await desk.log()) == 10


async def test_a_node_with_another_key_sends_nothing_and_leaves_it_to_those_who_have_the_key(
    desk: HookDesk,
) -> None:
    await desk.add(["token.created"])
    desk.receiver.answers(500)
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    settings = desk.house.settings.model_copy(
        update={"webhook_key": SecretStr("another key, and long enough to be one")}
    )
    later = desk.clock.now() + MINUTE
    async with open_house(settings, lambda: later) as stranger:
        async with asyncio.timeout(TIMEOUT_S):
            while (await desk.log())[0]["claim_id"] is None:
                stranger.node.webhook_sender.wake()
                await asyncio.sleep(0.01)
    assert len(desk.receiver.heard) == 1
    desk.receiver.answers(200)
    desk.clock.advance(seconds=120)  # the end of the stranger's claim
    await desk.all_sent()
    assert [heard.headers["x-keybearer-attempt"] for heard in desk.receiver.heard] == ["1", "2"]
    assert (await desk.log())[0]["status"] == "delivered"
