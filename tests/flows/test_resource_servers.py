"""Operators add APIs that verify tokens and revoke their keys; to everybody else there is nothing there."""

import asyncio

import pytest
from sqlalchemy import select, update

from keybearer.server import secrets
from keybearer.server.actions.add_resource_server import add_resource_server
from keybearer.server.actions.revoke_resource_server import revoke_resource_server
from keybearer.server.actions.set_operator import set_operator
from keybearer.server.activities import Actor
from keybearer.server.clock import MINUTE
from keybearer.server.refusals import Refusal
from keybearer.server.store.resource_servers import note_seen
from keybearer.server.store.tables import feed, resource_servers
from keybearer.wire import token_text
from tests.support.activity import recorded
from tests.support.api import Stage
from tests.support.browser import Browser
from tests.support.clock import HandClock

LIST = "/operator/resource-servers"
ACTOR = Actor("a test", "127.0.0.1")


@pytest.fixture
async def operator(stage: Stage) -> Browser:
    """Have Bob operate the server."""
    await make_operator(stage, is_operator=True)
    return await stage.at_browser(stage.bob)


async def make_operator(stage: Stage, *, is_operator: bool) -> None:
    node = stage.house.node
    await node.act(set_operator, ACTOR, stage.bob.user_id, node.now(), is_operator=is_operator)


async def add(browser: Browser, name: str = "Ledger API", environment: str = "sandbox") -> dict[str, str]:
    await browser.get(f"{LIST}/new")
    page = await browser.fill_and_submit("Add resource server", name=name, environment=environment)
    assert page.status == 200, page.text
    assert page.headers["cache-control"] == "no-store"
    return page.shown


async def fetch(stage: Stage, key: str) -> int:
    """Ask as a verifier with this key who acts with Ada's token; return the status."""
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    body = {"nonce": "n", "instance": "instance-0001", "digest": secrets.digest(text).hex()}
    return (await stage.house.api(key).post("/verifier/fetch", json=body)).status_code


async def told(stage: Stage, action: str) -> list[tuple[str, int | None]]:
    records = await recorded(stage.house.node.database, action)
    return [(record["subject"], record["user_id"]) for record in records]


@pytest.mark.parametrize(("environment", "word"), [("sandbox", "test"), ("live", "live")])
async def test_a_key_is_shown_once_and_only_its_digest_is_kept(
    stage: Stage, operator: Browser, environment: str, word: str
) -> None:
    shown = await add(operator, environment=environment)
    key = shown["resource-server-key"]
    assert key.startswith(f"kb_rsk_{word}_")
    assert token_text.parse(key) is not None
    page = await operator.get(LIST)
    assert "Ledger API" in page.text
    assert key not in page.html
    (row,) = await stage.house.node.database.many(select(resource_servers))
    assert (row["resource_server_id"], bytes(row["digest"]), row["last4"], row["environment"]) == (
        shown["resource-server-id"],
        secrets.digest(key),
        key[-4:],
        environment,
    )
    assert await told(stage, "resource_server.created") == [
        (f"resource_server:{row['resource_server_id']}", stage.bob.user_id)
    ]


async def test_a_revoked_key_is_refused_at_its_next_question_and_asked_about_first(
    stage: Stage, operator: Browser
) -> None:
    shown = await add(operator)
    key = shown["resource-server-key"]
    assert await fetch(stage, key) == 200
    await operator.get(LIST)
    page = await operator.fill_and_submit("Revoke")
    assert "within 10 seconds it refuses every call" in page.text
    assert await fetch(stage, key) == 200
    page = await operator.fill_and_submit("Revoke key")
    assert "The key of Ledger API is revoked." in page.text
    assert "No resource servers yet" in page.text
    assert await fetch(stage, key) == 401
    subject = f"resource_server:{shown['resource-server-id']}"
    assert await told(stage, "resource_server.revoked") == [(subject, stage.bob.user_id)]
    events = await stage.house.node.database.many(select(feed).where(feed.c.subject == subject))
    assert [row["kind"] for row in events] == ["resource_server.ended"]


@pytest.mark.parametrize("path", ["/oauth/introspect", "/forward-auth", "/verifier/fetch", "/verifier/count"])
async def test_the_list_tells_when_a_key_was_presented_last_at_whichever_door(
    stage: Stage, operator: Browser, path: str
) -> None:
    """An operator would revoke a key that seems to be of no use to anybody."""
    key = (await add(operator))["resource-server-key"]
    assert "Never" in (await operator.get(LIST)).text
    await stage.house.api(key).post(path, headers={"x-keybearer-key": key})
    await stage.house.node.last_seen.write(stage.house.node.database)
    assert "Never" not in (await operator.get(LIST)).text


async def test_a_node_that_has_seen_a_key_earlier_takes_nothing_back(
    stage: Stage, operator: Browser, clock: HandClock
) -> None:
    shown, node = await add(operator), stage.house.node
    for at in (clock.now(), clock.now() - 5 * MINUTE):
        await node.act(note_seen, {shown["resource-server-id"]: at})
    assert "just now" in (await operator.get(LIST)).text


async def test_revoking_twice_changes_nothing_more(stage: Stage, operator: Browser) -> None:
    shown = await add(operator)
    for _ in range(2):
        page = await operator.post(f"{LIST}/{shown['resource-server-id']}/revoke", [("confirm", "yes")])
        assert page.status == 200
    assert len(await told(stage, "resource_server.revoked")) == 1


async def test_the_name_of_a_revoked_one_is_free_again(operator: Browser) -> None:
    shown = await add(operator)
    await operator.post(f"{LIST}/{shown['resource-server-id']}/revoke", [("confirm", "yes")])
    assert (await add(operator, "ledger api"))["resource-server-id"] != shown["resource-server-id"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"name": "LEDGER api", "environment": "live"}, "name", id="a name that is taken"),
        pytest.param({"name": " ", "environment": "live"}, "name", id="no name"),
        pytest.param({"name": "Evil\u202e", "environment": "live"}, "name", id="a name that cannot be seen"),
        pytest.param({"name": "x" * 61, "environment": "live"}, "name", id="a name too long"),
        pytest.param({"name": "Other", "environment": "production"}, "environment", id="no such environment"),
        pytest.param({"name": "Other"}, "environment", id="no environment"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(
    stage: Stage, operator: Browser, fields: dict[str, str], field: str
) -> None:
    await add(operator)
    page = await operator.post(f"{LIST}/new", list(fields.items()))
    assert page.status == 422
    assert f'id="error-{field}"' in page.html
    assert len(await stage.house.node.database.many(select(resource_servers))) == 1


async def test_of_two_that_take_a_name_at_once_one_gets_it(stage: Stage) -> None:
    node = stage.house.node
    prefix = node.settings.token_prefix
    tries = [node.act(add_resource_server, ACTOR, ("Twice", "live"), prefix, node.now()) for _ in range(2)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Refusal) for each in done) == 1


DOORS = [("GET", LIST), ("GET", f"{LIST}/new"), ("POST", f"{LIST}/new"), ("GET", "ONE"), ("POST", "ONE")]


@pytest.mark.parametrize(("method", "path"), DOORS, ids=[" ".join(door) for door in DOORS])
async def test_for_others_there_is_nothing_there(stage: Stage, operator: Browser, method: str, path: str) -> None:
    """Ada owns her team, and still: an owner of a team is nobody's operator."""
    shown = await add(operator)
    one = f"{LIST}/{shown['resource-server-id']}/revoke"
    ada = await stage.at_browser(stage.ada)
    address = one if path == "ONE" else path
    fields = [("confirm", "yes"), ("name", "Mine"), ("environment", "live")]
    page = await (ada.get(address) if method == "GET" else ada.post(address, fields))
    assert page.status == 404
    assert "Resource servers" not in page.text
    assert await fetch(stage, shown["resource-server-key"]) == 200
    assert len(await stage.house.node.database.many(select(resource_servers))) == 1


async def test_the_menu_leads_operators_there_and_nobody_else(stage: Stage, operator: Browser) -> None:
    assert LIST in (await operator.get("/settings/account")).html
    ada = await stage.at_browser(stage.ada)
    assert LIST not in (await ada.get("/settings/account")).html


async def test_who_is_an_operator_no_longer_finds_nothing_at_once(stage: Stage, operator: Browser) -> None:
    assert (await operator.get(LIST)).status == 200
    await make_operator(stage, is_operator=False)
    assert (await operator.get(LIST)).status == 404
    node, actor = stage.house.node, Actor("a test", "127.0.0.1", user_id=stage.bob.user_id)
    with pytest.raises(Refusal, match="not an operator"):
        await node.act(add_resource_server, actor, ("Late", "live"), "kb", node.now())
    with pytest.raises(Refusal, match="not an operator"):
        await node.act(revoke_resource_server, actor, "any", node.now())


@pytest.mark.parametrize("path", [LIST, f"{LIST}/new"])
async def test_the_password_must_have_been_given_lately(operator: Browser, clock: HandClock, path: str) -> None:
    clock.advance(hours=4)
    page = await operator.get(path)
    assert "password" in page.text.lower()
    assert "confirm=1" in page.url


async def test_whoever_is_not_signed_in_is_asked_to(stage: Stage) -> None:
    page = await stage.house.browser().get(LIST)
    assert "/login" in page.url


async def test_last_seen_is_written_when_a_verifier_asks(stage: Stage, operator: Browser) -> None:
    shown = await add(operator)
    assert "Never" in (await operator.get(LIST)).text
    question = {
        "nonce": "n",
        "instance": "instance-0001",
        "position": {"epoch": "", "seq": 0, "hash": "0" * 64},
    }
    answer = await stage.house.api(shown["resource-server-key"]).post("/verifier/sync", json=question)
    assert answer.status_code == 200, answer.text
    node = stage.house.node
    await node.last_seen.write(node.database)
    assert "Never" not in (await operator.get(LIST)).text


async def test_a_key_whose_row_was_moved_to_another_environment_is_nobodys(stage: Stage, operator: Browser) -> None:
    shown = await add(operator)
    await stage.house.node.database.transact(lambda tx: tx.run(update(resource_servers).values(environment="live")))
    assert await fetch(stage, shown["resource-server-key"]) == 401


async def test_naming_an_operator_twice_is_told_once(stage: Stage) -> None:
    for _ in range(2):
        await make_operator(stage, is_operator=True)
    assert await told(stage, "operator.added") == [(f"user:{stage.bob.user_id}", stage.bob.user_id)]
