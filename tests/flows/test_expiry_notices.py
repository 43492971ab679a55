"""Whoever has something act in their name is told before it ends, when it has, and when somebody else ends it."""

import asyncio
import re
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from keybearer.server.actions.set_user_disabled import set_user_disabled
from keybearer.server.activities import Actor
from keybearer.server.clock import DAY, MINUTE, as_wire
from keybearer.server.settings import Settings
from keybearer.server.store.notices import claim
from keybearer.server.store.tables import activity_records, expiries, notices
from tests.conftest import HOUSE
from tests.flows.test_webhooks import SECRETS_AND_PEOPLE
from tests.support.clock import HandClock
from tests.support.notices import GATHERING_MINUTES, Watch
from tests.support.people import Person
from tests.support.receiver import receiving
from tests.support.webhook_desk import HookDesk, another_node, hook_desk

OPERATOR = Actor("", "the command line")
_RECORDED = (
    select(activity_records.c.action)
    .where(activity_records.c.action.like("%.expir%"))
    .order_by(activity_records.c.activity_id)
)


@pytest.fixture
def watch(desk: HookDesk) -> Watch:
    """Watch what Ada is mailed."""
    return Watch(desk)


async def make_token(desk: HookDesk, name: str, lifetime: str = "longest") -> str:
    await desk.ada.browser.get("/settings/tokens/new")
    page = await desk.ada.browser.fill_and_submit("Create token", name=name, lifetime=lifetime)
    return page.shown["token"]


async def revoke_in_team(admin: Person, name: str) -> None:
    await admin.browser.get("/team/apps")
    await admin.browser.fill_and_submit("Revoke", row=name)
    page = await admin.browser.fill_and_submit("Revoke")
    assert f"{name} can no longer act as Ada in Works." in page.text


async def end_of_app(desk: HookDesk, name: str) -> str:
    desk.play.browsers.clear()  # the sign-in is long over
    page = await (await desk.play.browser(desk.play.ada)).get("/settings/apps")
    return next(form.row for form in page.forms if form.row.startswith(name))


def subjects(mails: list[EmailMessage]) -> list[str]:
    return [f"{mail['To']}: {mail['Subject']}" for mail in mails]


async def test_a_token_is_told_of_30_7_and_1_days_before_its_end_and_once_it_has_ended(
    desk: HookDesk, watch: Watch
) -> None:
    await desk.add(["token.expiring", "token.expired"])
    made_at = desk.clock.now()
    text = await make_token(desk, "Nightly import")
    assert await watch.mailed(days=335, minutes=-GATHERING_MINUTES - 1) == []
    for day in (335, 358, 364):
        (mail,) = await watch.mailed(days=day)
        assert subjects([mail]) == ["ada@example.com: [Sandbox] A personal access token ends soon on Keybearer"]
        said = mail.get_content()
        assert f"Nightly import (personal access token …{text[-4:]})" in said
        assert "in the sandbox team Acme" in said
        assert "ends on 24 November 2027, 12:00 UTC" in said
        assert "https://keybearer.test/settings/tokens" in said
        assert text[:-4] not in said
    (mail,) = await watch.mailed(days=365)
    assert subjects([mail]) == ["ada@example.com: [Sandbox] A personal access token has ended on Keybearer"]
    assert "ended on 24 November 2027, 12:00 UTC" in mail.get_content()
    assert await watch.mailed(days=700) == []
    assert Counter(desk.receiver.events) == {"token.expiring": 3, "token.expired": 1}
    for heard in desk.receiver.heard:
        assert heard.said["data"]["expires_at"] == as_wire(made_at + 365 * DAY)
        assert heard.said["data"]["user"] == desk.play.ada.user_id
        assert heard.said["data"]["subject"] == f"token:{heard.said['data']['token']}"
        assert not SECRETS_AND_PEOPLE.search(heard.body.decode())
    recorded = [row["action"] for row in await desk.house.node.database.many(_RECORDED)]
    assert recorded == ["token.expiring"] * 3 + ["token.expired"]
    assert await desk.house.node.database.many(select(expiries)) == []
    assert await desk.house.node.database.many(select(notices)) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_of_what_was_missed_only_the_last_is_told_and_nothing_from_before_it_was_made(
    desk: HookDesk, watch: Watch
) -> None:
    await make_token(desk, "A week", "7")
    assert await watch.mailed(days=0) == []
    await make_token(desk, "A quarter", "90")
    (mail,) = await watch.mailed(days=6)
    assert "A week" in mail.get_content()
    (mail,) = await watch.mailed(days=85)  # the week has been over for too long to be news
    assert re.findall(r"A week|A quarter", mail.get_content()) == ["A quarter"]


async def test_an_app_that_refreshes_is_no_news_and_one_that_stops_is_told_anew(desk: HookDesk, watch: Watch) -> None:
    await desk.add(["grant.*"])
    pair = await desk.play.pair(team=desk.play.acme)
    assert await watch.mailed(days=300) == []
    assert "24 Nov 2026 24 Nov 2027 in 2 months Never" in await end_of_app(desk, "Ledger Sync")
    pair = (await desk.play.refresh(pair["refresh_token"])).json()
    assert await watch.mailed(days=600) == []
    (mail,) = await watch.mailed(days=640)
    assert subjects([mail]) == ["ada@example.com: [Sandbox] An app's access ends soon on Keybearer"]
    assert "Ledger Sync (app)" in mail.get_content()
    assert "https://keybearer.test/settings/apps" in mail.get_content()
    assert (await desk.play.refresh(pair["refresh_token"])).status_code == 200
    assert await watch.mailed(days=690) == []
    assert "24 Nov 2026 23 Nov 2028 in 1 month Never" in await end_of_app(desk, "Ledger Sync")
    assert desk.receiver.events == ["grant.created", "grant.expiring"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_of_two_consents_the_later_end_counts_until_the_app_gives_it_back(desk: HookDesk, watch: Watch) -> None:
    await desk.play.pair(team=desk.play.acme)
    assert await watch.mailed(days=100) == []
    desk.play.browsers.clear()  # the sign-in is long over
    later = await desk.play.pair(team=desk.play.acme)
    assert await watch.mailed(days=336) == []
    assert (await desk.play.post("/oauth/revoke", token=later["refresh_token"])).status_code == 200
    (mail,) = await watch.mailed(days=337)
    assert "ends on 24 November 2027, 12:00 UTC" in mail.get_content()


async def test_of_two_nodes_one_tells_and_one_mail_tells_of_all_that_ends_at_once(desk: HookDesk, watch: Watch) -> None:
    for name in ("Import", "Export", "Report"):
        await make_token(desk, name, "30")
        desk.clock.advance(minutes=1)
    async with another_node(desk) as other:
        neighbour = Watch(other)
        desk.clock.advance(days=23)
        await asyncio.gather(watch.all_told(), neighbour.all_told())
        desk.clock.advance(minutes=GATHERING_MINUTES)
        await asyncio.gather(watch.all_told(), neighbour.all_told())
    (mail,) = watch.mailbox.all()
    assert subjects([mail]) == ["ada@example.com: [Sandbox] 3 of your tokens and apps end soon on Keybearer"]
    assert re.findall(r"Import|Export|Report", mail.get_content()) == ["Import", "Export", "Report"]
    assert len(await desk.house.node.database.many(_RECORDED)) == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_cannot_use_it_is_told_nothing_until_they_can(desk: HookDesk, watch: Watch) -> None:
    await make_token(desk, "Import", "60")
    node, ada = desk.house.node, desk.play.ada.user_id
    await node.act(set_user_disabled, OPERATOR, ada, node.now(), is_disabled=True)
    assert await watch.mailed(days=31) == []
    await node.act(set_user_disabled, OPERATOR, ada, node.now(), is_disabled=False)
    (mail,) = await watch.mailed(days=53)
    assert "Import" in mail.get_content()


async def test_what_somebody_else_revokes_is_mailed_to_its_user_and_what_one_revokes_oneself_is_not(
    desk: HookDesk, watch: Watch
) -> None:
    play = desk.play
    bob = Person("Bob", await play.browser(play.bob))
    await desk.ada.switch_team(play.works.team_id)
    for name in ("Import", "Mine", "Export"):
        await make_token(desk, name)
    await desk.ada.browser.get("/settings/tokens")
    await desk.ada.browser.fill_and_submit("Delete", row="Mine")
    await desk.ada.browser.fill_and_submit("Delete token")
    await bob.switch_team(play.works.team_id)
    await revoke_in_team(bob, "Import")
    (mail,) = await watch.mailed_at_once()
    assert subjects([mail]) == ["ada@example.com: A personal access token was revoked on Keybearer"]
    said = mail.get_content()
    assert "Import" in said
    assert "revoked on 24 November 2026, 12:00 UTC\n  by Bob <bob@example.com>" in said
    assert not re.search("Mine|Export|ends on", said)

    await bob.browser.get("/team/members")
    await bob.browser.fill_and_submit("Remove", row="Ada")
    await bob.browser.fill_and_submit("Remove member")
    (mail,) = await watch.mailed_at_once()
    assert "Export" in mail.get_content()
    assert not re.search("Mine|Import", mail.get_content())
    assert await watch.mailed(days=400) == []


async def test_who_let_an_app_in_is_mailed_that_it_was_deleted_and_not_by_whom(desk: HookDesk, watch: Watch) -> None:
    play, app = desk.play, desk.play.app.client
    await play.pair(team=play.acme)
    await play.pair(user=play.bob, team=play.birch)
    public = await play.pair(play.public, play.bob, play.birch)
    assert (await play.post("/oauth/revoke", play.public, token=public["refresh_token"])).status_code == 200
    for name in (app.client_id, play.public.client.client_id):
        await desk.ada.browser.get(f"/settings/clients/{name}")
        await desk.ada.browser.fill_and_submit("Delete")
        await desk.ada.browser.fill_and_submit("Delete API client")
    (mail,) = await watch.mailed_at_once()
    assert subjects([mail]) == ["bob@example.com: [Sandbox] An app's access was revoked on Keybearer"]
    said = mail.get_content()
    assert "Ledger Sync (app)\n  in the sandbox team Birch\n" in said
    assert "\n  with the app itself: it was deleted\n" in said
    assert not re.search("Ada|ada@", said)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_mail_that_cannot_be_sent_undoes_nothing_and_is_sent_later(desk: HookDesk, watch: Watch) -> None:
    play = desk.play
    bob = Person("Bob", await play.browser(play.bob))
    await desk.ada.switch_team(play.works.team_id)
    text = await make_token(desk, "Import")
    watch.mailbox.folder.write_text("in the place of the folder, so that no mail can be written")
    await bob.switch_team(play.works.team_id)
    await revoke_in_team(bob, "Import")
    assert await play.status(text) == 401
    assert await watch.mailed_at_once() == []
    (waiting,) = await desk.house.node.database.many(select(notices))
    assert (waiting["attempts"], waiting["claim_id"]) == (1, None)
    watch.mailbox.folder.unlink()
    assert await watch.mailed_at_once() == []
    desk.clock.advance(minutes=1)
    (mail,) = await watch.mailed_at_once()
    assert "Import" in mail.get_content()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_mail_that_a_node_had_in_hand_when_it_died_is_sent_by_another(desk: HookDesk, watch: Watch) -> None:
    await make_token(desk, "Import", "7")
    node = desk.house.node
    desk.clock.advance(days=6)
    await watch.all_told()
    put_at, end = desk.clock.now(), desk.clock.now() + 5 * MINUTE
    (claimed,) = await node.act(claim, desk.play.ada.user_id, "of one that died", put_at, end)
    assert claimed.name == "Import"
    desk.clock.advance(minutes=GATHERING_MINUTES)
    (mail,) = await watch.mailed_at_once()
    assert "Import" in mail.get_content()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_where_notices_are_off_webhooks_are_told_and_nothing_is_mailed_or_piles_up(
    database_url: str, tmp_path: Path, clock: HandClock
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(database_url), issuer=HOUSE, notices="off")
    async with receiving() as receiver, hook_desk(settings, clock, receiver) as desk:
        watch = Watch(desk)
        await desk.add(["token.expiring"])
        await make_token(desk, "Import", "30")
        assert await watch.mailed(days=23) == []
        assert desk.receiver.events == ["token.expiring"]
        assert await desk.house.node.database.many(select(notices)) == []
