"""A plain question about a known token is answered below the application, and nobody could tell by the answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from keybearer.reporting.segment import Segment, Unwritable
from keybearer.server.http.edge import Terms
from keybearer.server.http.hits import Hit, HitDoor, Hits
from keybearer.server.metrics.requests import Requests
from keybearer.server.settings import Settings
from keybearer.wire.activity import CALL
from tests.server.store.trial import execute
from tests.support.activity import recorded
from tests.support.api import Stage, set_stage
from tests.support.clock import START, HandBoottime, HandClock
from tests.support.databases import PostgresDatabases, copy_sqlite
from tests.support.house import open_house
from tests.support.scraped import scraping
from tests.support.sockets import Answer, Front, on_a_socket, read_answer
from tests.support.verifiers import asking

NOT_ALIKE = ("x-request-id", "x-ratelimit-remaining")  # from one answer to the next


@dataclass(frozen=True, slots=True)
class Doors:
    """What is asked at the doors that can tell a hit."""

    stage: Stage
    front: Front
    token: str
    key: str

    @property
    def introspect(self) -> bytes:
        """Ask as a resource server."""
        form = f"token={self.token}".encode()
        return b"POST /oauth/introspect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n%b\r\n%b" % (
            self.key.encode(),
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(form),
            form,
        )

    @property
    def forward(self) -> bytes:
        """Ask as a gateway."""
        token, key = self.token.encode(), self.key.encode()
        head = b"GET /forward-auth HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/8\r\nX-Forwarded-Method: POST\r\n"
        return head + b"X-Keybearer-Key: %b\r\nAuthorization: Bearer %b\r\n\r\n" % (key, token)

    async def hit(self, question: bytes) -> Answer:
        """Ask until the application is not asked: it is once after each change of something that the feed tells of."""
        async with asyncio.timeout(20):
            while True:
                asked = self.front.asked
                [answer] = await self.front.ask(question)
                if self.front.asked == asked:
                    return answer

    async def is_hit(self, question: bytes) -> bool:
        """Tell whether the application is not asked."""
        asked = self.front.asked
        await self.front.ask(question)
        return self.front.asked == asked


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


@asynccontextmanager
async def doors_of(url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Doors]:
    """Have a token known in a house whose clocks stand still: the node need not look around again."""
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(url), issuer="https://keybearer.test")
    async with open_house(settings, clock.now, HandBoottime().now, clock.elapsed) as house, on_a_socket(house) as front:
        stage = await set_stage(house)
        token = await stage.scene.personal_token(stage.ada, stage.acme)
        doors = Doors(stage, front, token, (await asking(house)).key)
        for question in (doors.introspect, doors.forward):
            assert (await front.ask(question))[0].status == 200
        yield doors


def alike(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = sorted((name, value) for name, value in answer.headers if name not in NOT_ALIKE)
    return answer.status, headers, answer.body


@pytest.mark.parametrize("door", ["introspect", "forward"])
async def test_a_hit_is_answered_as_the_application_answers_it(doors: Doors, door: str) -> None:
    question: bytes = getattr(doors, door)
    hit = await doors.hit(question)
    asked = doors.front.asked
    [answer] = await doors.front.ask(question[:40], question[40:])
    assert doors.front.asked == asked + 1
    assert alike(hit) == alike(answer)
    assert {name for name, _ in hit.headers} == {name for name, _ in answer.headers}


@pytest.mark.parametrize(
    ("door", "counted"), [("introspect", "POST /oauth/introspect"), ("forward", "GET /forward-auth")]
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


async def test_where_only_a_look_up_can_tell_what_was_committed_nothing_is_a_hit(
    postgres_url: str, tmp_path: Path, clock: HandClock
) -> None:
    async with doors_of(postgres_url, tmp_path, clock) as doors:
        assert not await doors.is_hit(doors.introspect)
        assert not await doors.is_hit(doors.forward)


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


async def test_whatever_takes_judgement_is_left_to_the_application(doors: Doors) -> None:
    for question in (doors.introspect, doors.forward):
        for name, change in PLAIN_NO_LONGER.items():
            changed = question.replace(*change)
            await doors.hit(question)
            assert changed == question or not await doors.is_hit(changed), (name, question[:30])


async def test_what_the_user_may_not_do_is_left_to_the_application(doors: Doors) -> None:
    for demanded, status in ((b"team:manage team:read", 200), (b"team:manage pigs:fly", 503)):
        changed = doors.forward.replace(b"Host: x", b"Host: x\r\nX-Keybearer-Permission: %b" % demanded)
        assert (await doors.front.ask(changed))[0].status == status


async def test_a_commit_that_changes_no_token_is_no_reason_to_ask_the_application(doors: Doors) -> None:
    await doors.hit(doors.introspect)
    for _ in range(3):
        await doors.front.ask(doors.forward)
        await doors.stage.house.node.call_records.flush()
        assert await doors.is_hit(doors.introspect)


async def test_what_others_committed_counts_at_the_next_question(doors: Doors, url: str) -> None:
    await doors.hit(doors.introspect)
    await execute(url, f"UPDATE users SET disabled_at = 1 WHERE user_id = {doors.stage.ada.user_id}")  # noqa: S608 - a number of ours
    [told] = await doors.front.ask(doors.introspect)
    [passed] = await doors.front.ask(doors.forward)
    assert (told.body, passed.status) == (b'{"active":false}', 401)


async def test_one_look_at_the_store_does_for_all_that_one_turn_of_the_loop_reads() -> None:
    answers = iter([False, True, True])
    door = HitDoor("/x", _no_knock, lambda _: Hit(b"", b"yes"), method="GET", headers={})
    hits = Hits([door], Terms("https://keybearer.test"), lambda: START, lambda: next(answers), Requests())

    def asked() -> bool:
        return hits.answer(b"GET /x HTTP/1.1", [(b"host", b"x")], b"", "") is not None

    assert [asked(), asked(), asked()] == [False, True, True]
    await asyncio.sleep(0)
    assert asked()
    assert next(answers, "all looks were made") == "all looks were made"


async def _no_knock(_: Request) -> Response:
    raise AssertionError("nobody knocks here")


async def test_hits_and_others_in_one_piece_are_answered_in_their_order(doors: Doors) -> None:
    other = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    pieces = [doors.introspect, doors.forward, other, doors.introspect, other, doors.forward, doors.introspect]
    answers = await doors.front.ask(b"".join(pieces), answers=len(pieces))
    bodies = [(b'"active":true' in answer.body, b"alive" in answer.body) for answer in answers]
    assert bodies == [(piece == doors.introspect, piece == other) for piece in pieces]
    assert {answer.status for answer in answers} == {200}


async def test_each_call_that_may_pass_is_counted_and_recorded_once(doors: Doors) -> None:
    node = doors.stage.house.node
    await doors.hit(doors.forward)
    await node.call_records.flush()
    before = len(await recorded(node.database, CALL))
    answers = await doors.front.ask(doors.forward, doors.forward, doors.forward, answers=3)
    remaining = [int(answer.header("x-ratelimit-remaining")) for answer in answers]
    assert remaining == list(range(remaining[0], remaining[0] - 3, -1))
    await node.call_records.flush()
    rows = (await recorded(node.database, CALL))[before:]
    assert [row["request_id"] for row in rows] == [answer.header("x-request-id") for answer in answers]
    told = {(row["method"], row["status"], row["agent"], row["address"], row["words"]) for row in rows}
    assert told == {("POST", 200, "curl/8", "127.0.0.1", '{"api":"Ledger API"}')}


async def test_a_call_that_cannot_be_recorded_does_not_pass(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    def has_no_room(*_: object) -> None:
        raise Unwritable("no room")

    monkeypatch.setattr(Segment, "append", has_no_room)
    [answer] = await doors.front.ask(doors.forward)
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
