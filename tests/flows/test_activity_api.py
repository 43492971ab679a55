"""`GET /api/v2/activity`: who sees what, each filter, and cursors that are good for one query alone."""

from importlib.resources import files
from typing import Any

import httpx2
import pytest
import yaml
from sqlalchemy import text, update

from keybearer.server.clock import MINUTE
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_records
from tests.support.api import Stage, set_stage
from tests.support.clock import HandClock
from tests.support.happenings import happen, held_token
from tests.support.house import House

PATH = "/api/v2/activity"
DESCRIPTION: dict[str, Any] = yaml.safe_load(files("keybearer.server.api").joinpath("openapi.yaml").read_text("utf-8"))


@pytest.fixture
async def stage(house: House) -> Stage:
    """Cleo may do in Acme what a member may; in Works, Bob's, something happened as well."""
    stage = await set_stage(house)
    await stage.scene.member(stage.acme, stage.cleo, "member")
    await happen(house.node, stage.bob, stage.works, request_id="of-works", sealing={"agent": "secret of works"})
    return stage


async def asked(api: httpx2.AsyncClient, query: str = "") -> dict[str, Any]:
    answer = await api.get(f"{PATH}?{query}&action=api.called" if "action" not in query else f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def requests_of(api: httpx2.AsyncClient, query: str = "") -> list[str]:
    """Return which requests of those that are named here an answer tells of; the calls of this test are not named."""
    return [each["request_id"] for each in (await asked(api, query))["data"] if len(each["request_id"]) < 20]


async def test_a_record_has_every_documented_property_and_no_other(stage: Stage) -> None:
    _, token = await held_token(stage, stage.ada, stage.acme)
    said: dict[str, Any] = {
        "token": token.token_id,
        "token_last4": token.last4,
        "outcome": "refused",
        "reason": "too_narrow",
    }
    await happen(stage.house.node, stage.ada, stage.acme, client="app-1", status=403, **said)
    (record,) = (await asked(await stage.personal(stage.ada, stage.acme), "client=app-1"))["data"]
    assert isinstance(record.pop("id"), int)
    assert record == {
        "object": "activity",
        "at": "2026-11-24T12:00:00Z",
        "action": "api.called",
        "outcome": "refused",
        "reason": "too_narrow",
        "user": stage.ada.user_id,
        "client": "app-1",
        "token": token.token_id,
        "token_last4": token.last4,
        "method": "GET",
        "route": "/invoices/{id}",
        "status": 403,
        "request_id": "request-1",
        "environment": "sandbox",
        "team": stage.acme.team_id,
        "address": "203.0.113.9",
        "agent": "curl/8.5.0",
    }


@pytest.mark.parametrize("column", ["entry", "details"])
async def test_of_a_record_spoilt_in_the_database_the_api_tells_what_it_can_and_keeps_its_form(
    stage: Stage, column: str
) -> None:
    for request_id in ("sound", "spoilt"):
        await happen(stage.house.node, stage.ada, stage.acme, request_id=request_id, outcome="failed")
    await stage.house.node.act(_put_text, column)
    spoilt, sound = (await asked(await stage.personal(stage.ada, stage.acme), "outcome=failed"))["data"]
    schema = DESCRIPTION["components"]["schemas"]["Activity"]
    assert spoilt.keys() == sound.keys() == set(schema["required"])
    assert (sound["request_id"], sound["address"]) == ("sound", "203.0.113.9")
    told = {name: spoilt[name] for name in ("action", "outcome", "user", "at")}
    assert told == {name: sound[name] for name in told}
    assert (spoilt["address"], spoilt["agent"]) == (None, None)
    assert spoilt["status"] == (None if column == "entry" else 200)


async def _put_text(tx: Transaction, column: str) -> None:
    """Spoil a record as a plain UPDATE does; SQLite keeps it as text in a column of bytes."""
    await tx.run(text(f"UPDATE activity_records SET {column} = 'no record' WHERE request_id = 'spoilt'"))  # noqa: S608 - ours


async def test_an_owner_sees_the_teams_a_member_their_own_and_a_narrowed_token_itself(stage: Stage) -> None:
    node = stage.house.node
    text, token = await held_token(stage, stage.cleo, stage.acme, "team:read")
    await happen(node, stage.ada, stage.acme, request_id="adas")
    await happen(node, stage.cleo, stage.acme, request_id="cleos")
    await happen(node, stage.cleo, stage.acme, request_id="narrows", token=token.token_id)
    assert await requests_of(await stage.personal(stage.ada, stage.acme)) == ["narrows", "cleos", "adas"]
    assert await requests_of(await stage.personal(stage.cleo, stage.acme)) == ["narrows", "cleos"]
    assert await requests_of(stage.house.api(text)) == ["narrows"]
    assert await requests_of(await stage.personal(stage.ada, stage.acme, "members:manage")) == [
        "narrows",
        "cleos",
        "adas",
    ]
    assert await requests_of(await stage.personal(stage.cleo, stage.acme), f"user={stage.ada.user_id}") == []


async def test_f3_f5_nothing_of_another_team_or_environment_is_told(stage: Stage) -> None:
    """Ada is in Works, too: her token of Acme shows nothing of it, by no filter."""
    api = await stage.personal(stage.ada, stage.acme)
    for query in ("", f"user={stage.bob.user_id}", "user=999", "client=none", "from=2020-01-01"):
        assert "of-works" not in (await api.get(f"{PATH}?{query}")).text
    in_works = await stage.personal(stage.ada, stage.works)  # a member there: her own alone
    assert await requests_of(in_works) == []
    assert await requests_of(await stage.personal(stage.bob, stage.works)) == ["of-works"]


async def test_each_filter_finds_what_it_names_alone_and_with_the_others(stage: Stage, clock: HandClock) -> None:
    node, ada, acme = stage.house.node, stage.ada, stage.acme
    start = clock.now()
    await happen(node, ada, acme, request_id="plain")
    await happen(node, ada, acme, request_id="by-token", token="token-1")
    await happen(node, stage.cleo, acme, request_id="by-app", client="app-1", at=start + MINUTE)
    await happen(node, stage.cleo, acme, request_id="refused", client="app-1", outcome="refused", at=start + 2 * MINUTE)
    await happen(node, ada, acme, request_id="change", action="token.created", at=start - MINUTE)
    api = await stage.personal(ada, acme)
    for query, found in (
        (f"user={stage.cleo.user_id}", ["refused", "by-app"]),
        ("token=token-1", ["by-token"]),
        ("client=app-1", ["refused", "by-app"]),
        ("action=token.created", ["change"]),
        ("outcome=refused", ["refused"]),
        ("outcome=done&client=app-1", ["by-app"]),
        ("from=2026-11-24T12:01:00Z", ["refused", "by-app"]),
        ("from=2026-11-24&to=2026-11-24T12:00:01Z&token=token-1", ["by-token"]),
        ("to=2026-11-24T12:00:00Z&action=token.created", ["change"]),
        ("to=2026-11-24&client=app-1", ["refused", "by-app"]),
        ("to=2026-11-23", []),
        (f"user={ada.user_id}&client=app-1", []),
        (f"user={stage.cleo.user_id}&client=app-1&outcome=refused&from=2026-11-24T12:02", ["refused"]),
    ):
        assert await requests_of(api, query) == found, query


async def test_what_cannot_be_asked_is_refused_by_name(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    for query, field in (
        ("user=ada", "user"),
        ("user=", "user"),
        ("user=1&user=2", "user"),
        ("token=a%20b", "token"),
        ("token=%00", "token"),
        (f"client={'x' * 65}", "client"),
        ("action=Token.Created", "action"),
        ("outcome=fine", "outcome"),
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("to=9999-12-31", "to"),
        ("limit=101", "limit"),
        ("limit=0", "limit"),
        ("usr=3", "usr"),
        ("page=2", "page"),
        ("cursor=abc", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("cursor=a&cursor=b", "cursor"),
    ):
        answer = await api.get(f"{PATH}?{query}")
        assert (answer.status_code, list(answer.json())) == (422, [field]), query


async def test_following_the_cursors_walks_through_everything_once(stage: Stage, clock: HandClock) -> None:
    """Some of it is of the same microsecond, and some was reported later than it happened."""
    for number in range(7):
        await happen(stage.house.node, stage.ada, stage.acme, request_id=f"r{number}", at=clock.now() + number // 3)
    await happen(stage.house.node, stage.ada, stage.acme, request_id="late", at=clock.now() - MINUTE)
    api = await stage.personal(stage.ada, stage.acme)
    url, walked = f"{PATH}?action=api.called&user={stage.ada.user_id}&limit=3&to=2026-11-24T12:00:01", []
    while url:
        page = (await api.get(url)).json()
        assert page["count"] == len(page["data"]) <= page["limit"] == 3
        walked += [each["request_id"] for each in page["data"] if len(each["request_id"]) < 20]
        url = page["links"]["next"] if page["links"] else ""
        assert bool(url) is (page["next_cursor"] is not None)
    assert walked == ["r6", "r5", "r4", "r3", "r2", "r1", "r0", "late"]


async def test_f4_a_cursor_is_good_for_its_query_its_team_and_its_user_alone(stage: Stage) -> None:
    for _ in range(3):
        await happen(stage.house.node, stage.ada, stage.acme)
        await happen(stage.house.node, stage.ada, stage.works)
    await stage.scene.member(stage.acme, stage.bob, "owner")
    query = "action=api.called&from=2026-11-24"
    adas, bobs = await stage.personal(stage.ada, stage.acme), await stage.personal(stage.bob, stage.acme)
    cursor = (await asked(adas, f"{query}&limit=1"))["next_cursor"]
    assert (await adas.get(f"{PATH}?{query}&limit=2&cursor={cursor}")).status_code == 200
    other_token = await stage.personal(stage.ada, stage.acme)
    assert (await other_token.get(f"{PATH}?{query}&cursor={cursor}")).status_code == 200
    in_works = await stage.personal(stage.ada, stage.works)
    for api, used, sent in (
        (adas, f"{query}&outcome=done", cursor),
        (adas, "action=api.called", cursor),
        (bobs, query, cursor),
        (in_works, query, cursor),
        *((adas, query, altered) for altered in _altered(cursor)),
    ):
        answer = await api.get(f"{PATH}?{used}&cursor={sent}")
        assert answer.status_code == 422, (used, sent)
        assert "not one of this query" in answer.json()["cursor"][0]


def _altered(cursor: str) -> list[str]:
    flipped = [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :] for at in range(len(cursor))]
    return [*flipped, cursor[:-1], cursor + "A", cursor + "=", "", " " + cursor]


async def test_what_is_erased_is_null_and_the_record_stays(stage: Stage) -> None:
    await happen(stage.house.node, stage.cleo, stage.acme, request_id="erased")

    async def erase(tx: Transaction) -> None:
        await tx.run(update(activity_records).values(details=None, user_id=None))

    await stage.house.node.act(erase)
    (record,) = (await asked(await stage.personal(stage.ada, stage.acme), "from=2026-11-24&outcome=done"))["data"][-1:]
    assert (record["request_id"], record["user"], record["address"], record["agent"]) == ("erased", None, None, None)


async def test_a_team_in_which_nothing_happened_has_an_empty_list(stage: Stage) -> None:
    empty = await asked(await stage.personal(stage.ada, stage.acme), "client=none")
    assert empty == {
        "object": "cursor_list",
        "data": [],
        "count": 0,
        "limit": 25,
        "next_cursor": None,
        "links": None,
    }
