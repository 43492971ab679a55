"""A plain question about a known token is answered below the application, and nobody could tell by the answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from keybearer.reporting.segment import Segment, Unwritable
from keybearer.server.reads.resource_servers import all_resource_servers
from keybearer.wire.activity import CALL
from tests.server.store.trial import execute
from tests.support.activity import recorded
from tests.support.clock import HandClock
from tests.support.databases import PostgresDatabases, copy_sqlite
from tests.support.hits import Doors, doors_of
from tests.support.scraped import scraping
from tests.support.sockets import Answer, on_a_socket, read_answer
from tests.support.verifiers import asking

NOT_ALIKE = ("x-request-id", "x-ratelimit-remaining")  # from one answer to the next


@pytest.fixture
def url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """Have a store that tells at once whether anything was committed."""
    return copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db")


@pytest.fixture
def postgres_url(migrated_postgres: PostgresDatabases) -> Iterator[str]:
    """Have one that does not."""
    with migrated_postgres.fresh() as url:
        yield url


@pytest.fixture
async def doors(url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Doors]:
    """Have a token that the node knows."""
    async with doors_of(url, tmp_path, clock) as doors:
        yield doors


@pytest.fixture
async def doors_on_each(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Doors]:
    """Have one on each database, also where a look at the feed takes a round trip."""
    async with doors_of(database_url, tmp_path, clock) as doors:
        yield doors


def alike(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = sorted((name, value) for name, value in answer.headers if name not in NOT_ALIKE)
    return answer.status, headers, answer.body


API = ("/me", "/team", "/team/me", "/token")


@pytest.mark.parametrize("door", API)
async def test_a_hit_of_the_api_is_answered_as_the_application_answers_it(doors: Doors, door: str) -> None:
    await check_both_ways(doors, doors.api(door))


@pytest.mark.parametrize("door", ["introspect", "forward", "me"])
async def test_rfc9110_5_5_blanks_at_the_end_of_a_line_are_not_the_headers(doors: Doors, door: str) -> None:
    first, *lines = getattr(doors, door).split(b"\r\n\r\n")[0].split(b"\r\n")
    question = b"\r\n".join([first, *(b"%b \t" % line for line in lines)])
    question += getattr(doors, door)[len(question) - 2 * len(lines) :]
    assert (await doors.hit(question)).status == 200
    await check_both_ways(doors, question)


@pytest.mark.parametrize("door", ["introspect", "forward"])
async def test_a_hit_is_answered_as_the_application_answers_it(doors_on_each: Doors, door: str) -> None:
    await check_both_ways(doors_on_each, getattr(doors_on_each, door))


async def check_both_ways(doors: Doors, question: bytes) -> None:
    hit = await doors.hit(question)
    asked = doors.front.asked
    [answer] = await doors.front.ask(question[:40], question[40:])
    assert doors.front.asked == asked + 1
    assert alike(hit) == alike(answer)
    assert {name for name, _ in hit.headers} == {name for name, _ in answer.headers}


@pytest.mark.parametrize(
    ("door", "counted"),
    [("introspect", "POST /oauth/introspect"), ("forward", "GET /forward-auth"), ("me", "GET /api/v2/me")],
)
async def test_a_hit_is_counted_among_the_requests(doors: Doors, door: str, counted: str) -> None:
    question: bytes = getattr(doors, door)
    scrape = scraping(doors.stage.house)
    await doors.hit(question)
    before, asked = await scrape(), doors.front.asked
    for _ in range(3):
        await doors.hit(question)
    by_the_application = doors.front.asked - asked
    assert (await scrape()).risen(before, "requests_total", "hits_total", "request_duration_seconds_count") == {
        f"requests_total {counted} 200": 3 + by_the_application,
        f"hits_total {counted}": 3,
        **({f"request_duration_seconds_count {counted}": by_the_application} if by_the_application else {}),
    }


async def test_where_a_look_up_takes_a_round_trip_what_has_to_be_read_is_no_hit(
    postgres_url: str, tmp_path: Path, clock: HandClock
) -> None:
    async with doors_of(postgres_url, tmp_path, clock) as doors:
        await doors.hit(doors.introspect)
        assert not await doors.is_hit(doors.me)


PLAIN_NO_LONGER = {
    "HTTP/1.0": (b"HTTP/1.1", b"HTTP/1.0"),
    "a connection that ends": (b"Host: x", b"Host: x\r\nConnection: close"),
    "a header twice": (b"Host: x", b"Host: x\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 1.2.3.4"),
    "two authorizations": (b"Host: x", b"Host: x\r\nAuthorization: Basic eDp5"),
    "no host": (b"Host: x\r\n", b""),
    "a wait for a word": (b"Host: x", b"Host: x\r\nExpect: 100-continue"),
    "a coded body": (b"Host: x", b"Host: x\r\nContent-Encoding: gzip"),
    "a wish for another protocol": (b"Host: x", b"Host: x\r\nConnection: upgrade\r\nUpgrade: h2c"),
    "a hundred headers": (b"Host: x", b"Host: x" + b"".join(b"\r\nX-%d: x" % each for each in range(100))),
    "a long head": (b"Host: x", b"Host: x\r\nX-Long: " + b"x" * 16_384),
    "another path": (b" HTTP/1.1", b"?x HTTP/1.1"),
    "another token": (b"_pat_", b"_pet_"),
    "another key": (b"_rsk_", b"_rsq_"),
    "a form with more in it": (b"token=", b"t0ken="),
}


@pytest.mark.parametrize("door", ["introspect", "forward"])
async def test_a_hit_is_a_use_of_the_key_that_asks(doors: Doors, clock: HandClock, door: str) -> None:
    node = doors.stage.house.node
    await node.last_seen.write(node.database)
    await doors.hit(doors.introspect)
    clock.advance(minutes=1)
    assert await doors.is_hit(getattr(doors, door))
    await node.last_seen.write(node.database)
    assert [server.seen_at for server in await node.view(all_resource_servers)] == [clock.now()]


async def test_whatever_takes_judgement_is_left_to_the_application(doors: Doors) -> None:
    for question in (doors.introspect, doors.forward, doors.me):
        for name, change in PLAIN_NO_LONGER.items():
            changed = question.replace(*change)
            await doors.hit(question)
            assert changed == question or not await doors.is_hit(changed), (name, question[:30])


async def test_what_the_user_may_not_do_is_left_to_the_application(doors: Doors) -> None:
    for demanded, status in ((b"team:manage team:read", 200), (b"team:manage pigs:fly", 503)):
        changed = doors.forward.replace(b"Host: x", b"Host: x\r\nX-Keybearer-Permission: %b" % demanded)
        assert (await doors.front.ask(changed))[0].status == status
    stage = doors.stage
    for scope, status in (("team:read", 200), ("members:read", 403)):
        token = await stage.scene.personal_token(stage.ada, stage.acme, scope)
        asking = replace(doors, token=token)
        assert {(await doors.front.ask(asking.api("/team")))[0].status for _ in range(3)} == {status}


async def test_a_key_of_the_other_environment_hears_nothing_of_a_known_token(doors: Doors) -> None:
    other = replace(doors, key=(await asking(doors.stage.house, "live")).key)
    await other.front.ask(other.introspect)  # from here on the key is known, too
    for _ in range(3):
        await doors.hit(doors.introspect)
        assert (await other.front.ask(other.introspect))[0].body == b'{"active":false}'
        assert (await other.front.ask(other.forward))[0].status == 401


async def test_a_commit_that_changes_no_token_is_no_reason_to_ask_the_application(doors: Doors) -> None:
    await doors.hit(doors.introspect)
    for _ in range(3):
        await doors.front.ask(doors.forward)
        await doors.stage.house.node.call_records.flush()
        assert await doors.is_hit(doors.introspect)


async def test_what_others_committed_counts_at_the_next_question(doors_on_each: Doors, database_url: str) -> None:
    doors = doors_on_each
    await doors.hit(doors.introspect)
    await execute(database_url, f"UPDATE users SET disabled_at = 1 WHERE user_id = {doors.stage.ada.user_id}")  # noqa: S608 - a number of ours
    [told] = await doors.front.ask(doors.introspect)
    [passed] = await doors.front.ask(doors.forward)
    [refused] = await doors.front.ask(doors.me)
    assert (told.body, passed.status, refused.status) == (b'{"active":false}', 401, 401)


async def test_what_the_feed_does_not_tell_is_read_anew_by_each_hit(doors: Doors, url: str) -> None:
    await doors.hit(doors.me)
    await execute(url, f"UPDATE users SET updated_at = 0 WHERE user_id = {doors.stage.ada.user_id}")  # noqa: S608 - a number of ours
    assert json.loads((await doors.hit(doors.me)).body)["updated_at"] == "1970-01-01T00:00:00Z"


async def test_a_call_of_the_api_leaves_a_line_in_the_log_whichever_way_it_is_answered(doors: Doors) -> None:
    with capture_logs() as lines:
        hit = await doors.hit(doors.me)
        [answer] = await doors.front.ask(doors.me[:40], doors.me[40:])
    told = {line["request_id"]: line for line in lines if line["event"] == "request"}
    one, other = (told[each.header("x-request-id")] for each in (hit, answer))
    differing = ("request_id", "duration_ms")
    assert one.keys() == other.keys() >= {*differing, "user", "team", "token_last4", "address"}
    assert all(one[name] == other[name] for name in one if name not in differing)


async def test_hits_and_others_in_one_piece_are_answered_in_their_order(doors_on_each: Doors) -> None:
    doors = doors_on_each
    other = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    pieces = [doors.introspect, doors.forward, other, doors.introspect, other, doors.forward, doors.introspect]
    answers = await doors.front.ask(b"".join(pieces), answers=len(pieces))
    bodies = [(b'"active":true' in answer.body, b"alive" in answer.body) for answer in answers]
    assert bodies == [(piece == doors.introspect, piece == other) for piece in pieces]
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize(
    ("door", "told"),
    [("forward", ("POST", "/forward-auth", '{"api":"Ledger API"}')), ("me", ("GET", "/api/v2/me", None))],
)
async def test_each_call_that_may_pass_is_counted_and_recorded_once(
    doors_on_each: Doors, door: str, told: tuple[str, str, str | None]
) -> None:
    doors, question = doors_on_each, getattr(doors_on_each, door)
    node = doors.stage.house.node
    await doors.front.ask(question)
    await node.call_records.flush()
    before = len(await recorded(node.database, CALL))
    answers = await doors.front.ask(question, question, question, answers=3)
    remaining = [int(answer.header("x-ratelimit-remaining")) for answer in answers]
    assert remaining == list(range(remaining[0], remaining[0] - 3, -1))
    await node.call_records.flush()
    rows = (await recorded(node.database, CALL))[before:]
    assert [row["request_id"] for row in rows] == [answer.header("x-request-id") for answer in answers]
    assert {(row["method"], row["route"], row.get("words")) for row in rows} == {told}
    assert {(row["status"], row["agent"], row["address"]) for row in rows} == {(200, "curl/8", "127.0.0.1")}


@pytest.mark.parametrize("door", ["forward", "me"])
async def test_a_call_that_cannot_be_recorded_does_not_pass(
    doors: Doors, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_no_room(*_: object) -> None:
        raise Unwritable("no room")

    monkeypatch.setattr(Segment, "append", has_no_room)
    [answer] = await doors.front.ask(getattr(doors, door))
    assert (answer.status, answer.header("retry-after")) == (503, "5")


async def test_after_a_hit_the_next_head_may_not_take_for_ever(doors: Doors) -> None:
    await doors.hit(doors.introspect)
    async with on_a_socket(doors.stage.house, patience_s=0.5) as front:
        hit, refused = await front.ask(doors.introspect, b"GET /healthz HT", answers=2)
    assert (hit.status, refused.status, front.asked) == (200, 408, 0)


async def test_a_connection_ends_when_it_has_been_idle_since_the_last_hit(doors: Doors) -> None:
    await doors.hit(doors.introspect)
    now, idle_s = asyncio.get_running_loop().time, 0.3
    async with on_a_socket(doors.stage.house, idle_s=idle_s) as front, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        began = asked_at = now()
        try:
            while now() - began < 4 * idle_s:
                asked_at = now()
                writer.write(doors.introspect)
                await read_answer(reader)
                await asyncio.sleep(0.01)
            await reader.readexactly(1)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass  # it has ended
        finally:
            writer.close()
        assert now() - asked_at >= idle_s
        assert front.asked == 0
