"""However much ends at once, one event tells the verifiers, and it reaches every token that ended (S1)."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import func, select

from keybearer.server import secrets
from keybearer.server.actions.delete_client import delete_client
from keybearer.server.actions.remove_member import remove_member
from keybearer.server.actions.set_member_role import RoleGiven, set_member_role
from keybearer.server.actions.set_user_disabled import set_user_disabled
from keybearer.server.activities import Actor
from keybearer.server.clock import HOUR
from keybearer.server.store import tokens
from keybearer.server.store.tables import feed, grants
from keybearer.verify.decide import decide
from keybearer.verify.mirror import Mirror
from keybearer.wire.denial import Denial
from keybearer.wire.feed import Event, Fetched
from tests.support.api import Stage
from tests.support.clock import HandClock
from tests.support.scenes import PASSWORD, App

ACTOR = Actor("a test", "127.0.0.1")
EVENTS = select(feed).order_by(feed.c.seq)
LIVE_GRANTS = select(func.count().label("total")).select_from(grants).where(grants.c.ended_at.is_(None))


async def leave(stage: Stage, _app: App) -> str:
    member = (stage.acme.team_id, stage.cleo.user_id)
    await stage.house.node.act(remove_member, ACTOR, *member, frozenset(), stage.house.node.now())
    return f"membership:{stage.cleo.user_id}:{stage.acme.team_id}"


async def disable(stage: Stage, _app: App) -> str:
    now = stage.house.node.now()
    await stage.house.node.act(set_user_disabled, ACTOR, stage.cleo.user_id, now, is_disabled=True)
    return f"user:{stage.cleo.user_id}"


async def change_password(stage: Stage, _app: App) -> str:
    browser = await stage.at_browser(stage.cleo)
    await browser.get("/settings/security")
    new = "fourteen umbrellas in march"
    page = await browser.fill_and_submit(
        "Change password", current_password=PASSWORD, password=new, password_again=new, revoke="yes"
    )
    assert page.status == 200, page.text
    return f"user:{stage.cleo.user_id}"


async def delete_app(stage: Stage, app: App) -> str:
    now = stage.house.node.now()
    await stage.house.node.act(delete_client, ACTOR, app.client.client_id, stage.acme.team_id, now)
    return f"client:{app.client.client_id}"


Cut = Callable[[Stage, App], Awaitable[str]]


async def mirrored(stage: Stage, texts: list[str]) -> Mirror:
    """Return the mirror of a verifier that has seen these tokens accepted."""
    mirror, node = Mirror(), stage.house.node
    for text in texts:
        record = await node.view(tokens.record_of, secrets.digest(text))
        assert record is not None
        principal = decide(record, node.now(), node.role_permissions)
        assert not isinstance(principal, Denial)
        mirror.insert(secrets.digest(text), Fetched(principal, "e", 0, record.family_id, 60.0), 0, 60.0)
    return mirror


async def told_since(stage: Stage, seq: int) -> list[Event]:
    """Return the events after *seq* that concern tokens."""
    rows = await stage.house.node.database.many(EVENTS)
    events = [Event(row["seq"], row["kind"], row["subject"], row["at"], row["hash"]) for row in rows]
    return [event for event in events if event.seq > seq and not event.subject.startswith("session:")]


@pytest.mark.parametrize("cut", [leave, disable, change_password, delete_app])
async def test_five_tokens_end_by_one_event_that_reaches_them_all(stage: Stage, cut: Cut) -> None:
    app = await stage.scene.app("Ledger", stage.acme, stage.ada, "https://app.example.com/cb")
    texts = [await stage.access_text(app, stage.cleo, stage.acme) for _ in range(5)]
    if cut is not delete_app:
        texts += [await stage.scene.personal_token(stage.cleo, stage.acme) for _ in range(5)]
    mirror = await mirrored(stage, texts)
    assert len(mirror.entries) == len(texts)
    _, before = await stage.house.node.database.position()
    subject = await cut(stage, app)
    told = await told_since(stage, before)
    assert [event.subject for event in told] == [subject]
    mirror.apply(told[0])
    assert mirror.entries == {}
    assert {(await stage.house.api(text).get("/api/v2/me")).status_code for text in texts} == {401}


async def test_a_support_visit_that_ran_out_ends_its_tokens_by_the_event_of_the_next_one(
    stage: Stage, clock: HandClock
) -> None:
    async def visit() -> None:
        now = stage.house.node.now()
        given = RoleGiven(stage.acme.team_id, stage.bob.user_id, "assumed", now + HOUR)
        await stage.house.node.act(set_member_role, ACTOR, given, frozenset(), now)

    await visit()
    texts = [await stage.scene.personal_token(stage.bob, stage.acme) for _ in range(3)]
    mirror = await mirrored(stage, texts)
    clock.advance(hours=2)
    _, before = await stage.house.node.database.position()
    await visit()
    told = await told_since(stage, before)
    assert [event.subject for event in told] == [f"membership:{stage.bob.user_id}:{stage.acme.team_id}"]
    mirror.apply(told[0])
    assert mirror.entries == {}
    assert {(await stage.house.api(text).get("/api/v2/me")).status_code for text in texts} == {401}


async def test_a_client_s_end_changes_no_row_of_those_who_let_it_in_and_is_not_ended_again_later(stage: Stage) -> None:
    app = await stage.scene.app("Ledger", stage.acme, stage.ada, "https://app.example.com/cb")
    for user in (stage.ada, stage.cleo):
        await stage.access_text(app, user, stage.acme)
    await delete_app(stage, app)
    assert await stage.house.node.database.one(LIVE_GRANTS) == {"total": 2}
    await leave(stage, app)
    assert await stage.house.node.database.one(LIVE_GRANTS) == {"total": 2}
