"""A team's own programs are told what happens in it: each event once, signed, by ids alone."""

import base64
import hashlib
import hmac
import re
from collections import Counter

from sqlalchemy import select

from keybearer.server.clock import SECOND, as_wire
from keybearer.server.store.tables import webhooks
from keybearer.server.upkeep import prune_all
from tests.support.receiver import Heard
from tests.support.webhook_desk import HookDesk, another_node

SECRETS_AND_PEOPLE = re.compile(r"kb_|whsec_|Ada|Bob|@|example|127\.0\.0\.1")


def signature_of(heard: Heard, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), heard.body, hashlib.sha256)).decode()


def standard_signature_of(heard: Heard, secret: str) -> str:
    content = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return f"v1,{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}"


async def do_everything(desk: HookDesk) -> None:
    """Do in Acme, on its pages and at its endpoints, whatever a webhook could be told of."""
    play, browser = desk.play, desk.ada.browser
    token = await desk.ada.make_token("Nightly import")
    assert (await desk.house.api(token).delete("/api/v2/token")).status_code == 204
    app = await desk.ada.register("Reader")
    address = f"/settings/clients/{app.client_id}"
    await browser.get(address)
    await browser.fill_and_submit("Save changes", name="Ledger reader")
    await browser.get(address)
    await browser.fill_and_submit("Rotate secret")
    await browser.get(address)
    await browser.fill_and_submit("Delete")
    await browser.fill_and_submit("Delete API client")
    await play.ask()
    await play.decide("deny", team=play.acme)
    pair = await play.pair(team=play.acme)
    pair = (await play.refresh(pair["refresh_token"])).json()
    assert (await desk.house.api(pair["access_token"]).delete("/api/v2/token")).status_code == 204
    await browser.get("/settings/apps")
    await browser.fill_and_submit("Revoke")
    await browser.fill_and_submit("Revoke")
    await browser.get("/team/members/new")
    page = await browser.fill_and_submit("Add member", email="bob@example.com", role="member")
    await browser.get([address for label, address in page.links if label == "Change role"][-1])
    await browser.fill_and_submit("Change role", role="read-only")
    await browser.get("/team/members")
    await browser.fill_and_submit("Remove", row="Bob")
    page = await browser.fill_and_submit("Remove member")
    assert "no longer in Acme" in page.text


async def test_the_wire_is_the_references_and_standard_webhooks_in_one(desk: HookDesk) -> None:
    hook = await desk.add(["token.*", "member.left"])
    desk.clock.advance(seconds=90)
    triggered = desk.clock.now()
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    (heard,) = desk.receiver.heard
    assert (heard.method, heard.path, heard.headers["content-type"]) == ("POST", "/hooks", "application/json")
    assert heard.said == {
        "webhook": {
            "uuid": hook.webhook_id,
            "created_at": as_wire(triggered - 90 * SECOND),
            "events": ["token.*", "member.left"],
        },
        "trigger": {"triggered_at": as_wire(triggered), "alias": "token.created"},
        "data": {
            "subject": f"token:{heard.said['data']['token']}",
            "team": desk.play.acme.team_id,
            "environment": "sandbox",
            "user": desk.play.ada.user_id,
            "client": None,
            "grant": heard.said["data"]["grant"],
            "token": heard.said["data"]["token"],
        },
    }
    assert heard.headers["x-keybearer-signature"] == signature_of(heard, hook.secret)
    assert heard.headers["x-keybearer-attempt"] == "1"
    assert heard.headers["webhook-timestamp"] == str(triggered // SECOND)
    assert heard.headers["webhook-signature"] == standard_signature_of(heard, hook.secret)
    (row,) = await desk.log()
    assert heard.headers["webhook-id"] == row["delivery_id"]
    assert (row["status"], row["attempts"], row["answered"]) == ("delivered", 1, 204)


async def test_everything_that_happens_to_tokens_clients_grants_and_members_is_told_by_ids_alone(
    desk: HookDesk,
) -> None:
    everything = await desk.add()
    members = await desk.add(["member.*"])
    one = await desk.add(["client.secret_rotated", "token.issued"])
    await do_everything(desk)
    await desk.all_sent()
    told = [heard for heard in desk.receiver.heard if heard.said["webhook"]["uuid"] == everything.webhook_id]
    assert Counter(heard.event for heard in told) == Counter(
        {
            "token.created": 1,
            "token.issued": 1,
            "token.refreshed": 1,
            "token.revoked": 1,
            "client.created": 1,
            "client.changed": 1,
            "client.secret_rotated": 1,
            "client.deleted": 1,
            "grant.created": 1,
            "grant.ended": 2,
            "member.joined": 1,
            "member.changed": 1,
            "member.left": 1,
        }
    )
    for heard in desk.receiver.heard:
        assert heard.said["data"]["team"] == desk.play.acme.team_id
        assert not SECRETS_AND_PEOPLE.search(heard.body.decode()), heard.body
    by_hook = {
        hook.webhook_id: {each.event for each in desk.receiver.heard if each.said["webhook"]["uuid"] == hook.webhook_id}
        for hook in (members, one)
    }
    assert by_hook == {
        members.webhook_id: {"member.joined", "member.changed", "member.left"},
        one.webhook_id: {"client.secret_rotated", "token.issued"},
    }


async def test_another_team_is_told_nothing(desk: HookDesk) -> None:
    await desk.add()
    await desk.play.pair(user=desk.play.bob, team=desk.play.birch)
    await desk.all_sent()
    assert desk.receiver.heard == []
    assert await desk.log() == []


async def test_what_was_rolled_back_is_not_told_and_a_second_press_tells_nothing_new(desk: HookDesk) -> None:
    await desk.add()
    code = await desk.play.code(team=desk.play.acme)
    assert (await desk.play.exchange(code, redirect_uri="https://elsewhere.example.com/")).status_code == 400
    await desk.ada.browser.get("/settings/clients/new")
    page = await desk.ada.browser.fill_and_submit("Create API client", name="", redirect_uris="")
    assert page.status == 422
    await desk.all_sent()
    assert desk.receiver.events == ["grant.created"]


async def test_an_event_that_is_not_taken_is_sent_again_after_1_2_10_and_15_minutes_and_then_no_more(
    desk: HookDesk,
) -> None:
    await desk.add()
    desk.receiver.answers(500)
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    for sent, wait in enumerate((60, 120, 600, 900), start=1):
        await desk.after(seconds=wait - 1)
        assert len(desk.receiver.heard) == sent
        await desk.after(seconds=1)
        assert len(desk.receiver.heard) == sent + 1
    await desk.after(days=30)
    heard = desk.receiver.heard
    assert [each.headers["x-keybearer-attempt"] for each in heard] == ["1", "2", "3", "4", "5"]
    assert len({each.headers["webhook-id"] for each in heard}) == 1
    assert len({each.body for each in heard}) == 1
    sent_at = [int(each.headers["webhook-timestamp"]) for each in heard]
    assert [second - sent_at[0] for second in sent_at] == [0, 60, 180, 780, 1680]
    (row,) = await desk.log()
    assert (row["status"], row["attempts"], row["answered"], row["trouble"]) == ("failed", 5, 500, None)


async def test_a_redirect_is_not_followed_and_takes_no_event(desk: HookDesk) -> None:
    await desk.add()
    desk.receiver.answers(307, f"location: {desk.receiver.url}/elsewhere")
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    assert [each.path for each in desk.receiver.heard] == ["/hooks"]
    (row,) = await desk.log()
    assert (row["status"], row["attempts"], row["answered"]) == ("waiting", 1, 307)


async def test_an_event_is_one_delivery_for_each_webhook_and_whichever_node_sends_it(desk: HookDesk) -> None:
    first, second = await desk.add(), await desk.add(["token.created", "client.*"])
    async with another_node(desk) as other:
        for number in range(6):
            await (desk, other)[number % 2].ada.make_token(f"Token {number}")
        await desk.all_sent()
    assert Counter(heard.said["webhook"]["uuid"] for heard in desk.receiver.heard) == {
        first.webhook_id: 6,
        second.webhook_id: 6,
    }
    assert len({heard.headers["webhook-id"] for heard in desk.receiver.heard}) == 12
    assert len({(row["webhook_id"], row["event_id"]) for row in await desk.log()}) == 12


async def test_a_node_that_dies_between_sending_and_noting_leaves_the_event_to_another(desk: HookDesk) -> None:
    await desk.add()
    desk.receiver.may_answer.clear()
    await desk.ada.make_token("Nightly import")
    await desk.receiver.has_heard(1)
    async with another_node(desk) as other:
        desk.clock.advance(seconds=59)
        other.house.node.webhook_sender.wake()
        await other.ada.browser.get("/team/webhooks")
        assert len(desk.receiver.heard) == 1
        desk.clock.advance(seconds=1)
        other.house.node.webhook_sender.wake()
        await desk.receiver.has_heard(2)
        (row,) = await desk.log()
        assert (row["status"], row["attempts"]) == ("waiting", 0)
        desk.receiver.may_answer.set()
        await desk.all_sent()
    assert len({(each.headers["webhook-id"], each.headers["x-keybearer-attempt"]) for each in desk.receiver.heard}) == 1
    (row,) = await desk.log()
    assert (row["status"], row["attempts"], row["claim_id"]) == ("delivered", 1, None)


async def test_the_log_of_deliveries_is_kept_for_90_days(desk: HookDesk) -> None:
    await desk.add()
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    for days, kept in ((89, 1), (2, 0)):
        desk.clock.advance(days=days)
        await prune_all(desk.house.node.database, desk.clock.now())
        assert len(await desk.log()) == kept


async def test_while_a_secret_is_rotated_both_sign_and_the_references_signature_is_the_old_ones(
    desk: HookDesk,
) -> None:
    hook = await desk.add()
    page = await desk.press(hook, "Rotate secret", overlap="1h")
    new = page.shown["webhook-secret"]
    assert new != hook.secret
    for seconds, known in ((3_599, (new, hook.secret)), (1, (new,))):
        desk.clock.advance(seconds=seconds)
        await desk.ada.make_token(f"Token {seconds}")
        await desk.all_sent()
        heard = desk.receiver.heard[-1]
        assert heard.headers["x-keybearer-signature"] == signature_of(heard, known[-1])
        signed = [standard_signature_of(heard, secret) for secret in known]
        assert heard.headers["webhook-signature"].split(" ") == signed


async def test_what_waits_when_a_webhook_is_deleted_is_never_sent_and_its_secret_is_gone(desk: HookDesk) -> None:
    hook = await desk.add()
    desk.receiver.answers(500)
    await desk.ada.make_token("Nightly import")
    await desk.all_sent()
    await desk.press(hook, "Delete")
    await desk.ada.browser.fill_and_submit("Delete webhook")
    await desk.after(days=1)
    assert len(desk.receiver.heard) == 1
    (row,) = await desk.house.node.database.many(select(webhooks))
    assert (row["sealed_secret"], row["sealed_previous"]) == (None, None)
    desk.clock.advance(days=91)
    await prune_all(desk.house.node.database, desk.clock.now())
    assert await desk.house.node.database.many(select(webhooks)) == []
