"""K7: well-formed tokens and keys that nobody made cost the store a few look-ups at once, whoever sends how many."""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from keybearer.server.limits.places import Places
from keybearer.server.refusals import Refusal
from keybearer.verify.lease import Heard
from keybearer.wire.token_text import compose
from tests.support.clock import HandClock
from tests.support.oauth import Play
from tests.support.verifiers import asking

FLOOD = 150


def guess(kind: str = "pat") -> str:
    """Return a text whose checksum is right: the algorithm is no secret."""
    return compose("kb", kind, "sandbox", secrets.token_hex(16))


@dataclass(slots=True)
class Looks:
    """How many look-ups by a digest there were, and the most at once."""

    all: int = 0
    now: int = 0
    most: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
def looks(play: Play, monkeypatch: pytest.MonkeyPatch) -> Looks:
    """Count look-ups; each takes a moment."""
    database, seen = type(play.house.node.database), Looks()
    one = database.one

    async def counted(self: Any, statement: Any, /, **values: Any) -> Any:
        if "digest" not in values:
            return await one(self, statement, **values)
        seen.all, seen.now = seen.all + 1, seen.now + 1
        seen.most = max(seen.most, seen.now)
        seen.begun.set()
        try:
            await asyncio.sleep(0.01)
            return await one(self, statement, **values)
        finally:
            seen.now -= 1

    monkeypatch.setattr(database, "one", counted)
    return seen


async def flood(play: Play, door: str, texts: list[str]) -> Counter[int]:
    program = play.house.program()

    async def knock(text: str) -> int:
        method = "GET" if door.startswith("/api") else "POST"
        answer = await program.request(method, door, headers={"authorization": f"Bearer {text}"})
        assert answer.status_code == 401 or answer.headers["retry-after"] == "1", answer.text
        return answer.status_code

    return Counter(await asyncio.gather(*map(knock, texts)))


@pytest.mark.parametrize(("door", "kind"), [("/api/v2/status", "pat"), ("/verifier/sync", "rsk")])
async def test_k7_a_flood_of_guesses_is_looked_up_a_few_at_once_and_most_are_told_to_come_back(
    play: Play, looks: Looks, door: str, kind: str
) -> None:
    statuses = await flood(play, door, [guess(kind) for _ in range(FLOOD)])
    assert looks.most <= 4
    assert statuses[401] == looks.all
    assert statuses[429] == FLOOD - looks.all > 0


async def test_k7_whoever_is_known_is_served_in_the_middle_of_a_flood(play: Play, looks: Looks) -> None:
    known = await play.scene.personal_token(play.ada, play.acme)
    verifier = await asking(play.house)
    assert await play.status(known) == 204
    await verifier.sync()
    looks.begun.clear()
    async with asyncio.TaskGroup() as both:
        flooding = both.create_task(flood(play, "/api/v2/status", [guess() for _ in range(FLOOD)]))
        await looks.begun.wait()
        assert await play.status(known) == 204
        assert await verifier.sync() is Heard.RENEWED
    assert flooding.result()[429] > 0


async def test_k7_a_bad_token_in_a_loop_is_looked_up_once_a_second_and_a_good_one_is_not_hidden(
    play: Play, looks: Looks, clock: HandClock
) -> None:
    bad, good = guess(), await play.scene.personal_token(play.ada, play.acme)
    assert [await play.status(bad) for _ in range(20)] == [401] * 20
    assert looks.all == 1
    assert await play.status(good) == 204
    clock.advance(seconds=1)
    assert await play.status(bad) == 401
    assert looks.all == 3


@pytest.mark.parametrize(
    "flooding",
    [
        pytest.param(("a", "a", "a", "a"), id="from one address"),
        pytest.param(tuple(f"2001:db8::{n}" for n in range(4)), id="from an IPv6 network"),
    ],
)
async def test_k7_one_that_floods_leaves_places_for_others(flooding: tuple[str, ...]) -> None:
    places = Places("questions", most=5, most_of_one=3, most_shared=5, at_once=1)
    is_over = asyncio.Event()

    async def ask(source: str) -> str:
        try:
            async with places.place(source):
                await is_over.wait()
        except Refusal as refusal:
            return refusal.code
        return ""

    asked = [asyncio.create_task(ask(source)) for source in (*flooding, "b", "2001:db8:0:1::", "c")]
    await asyncio.sleep(0)
    is_over.set()
    assert await asyncio.gather(*asked) == ["", "", "", "too_many", "", "", "unavailable"]
    assert await ask(flooding[0]) == ""
