"""What a verifier asks next, whom and when, told without a network: by answers, by failures, by clocks."""

import asyncio
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from keybearer.sdk.clocks import Clocks
from keybearer.sdk.driver import SOONEST_S, TIMEOUT_S, Call, Driver
from keybearer.sdk.following import follow
from keybearer.sdk.nodes import Nodes
from keybearer.verify.lease import Lease
from keybearer.verify.mirror import Mirror
from keybearer.verify.recent_denials import RecentDenials
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.feed import NO_HASH, Event, Position, SyncAnswer
from keybearer.wire.messages import sync_answer_as_json
from tests.verify.tokens import chained

START = Position("e1", 0, NO_HASH)


@dataclass
class Desk:
    """A driver, its clocks by hand, and a node that says what the test wants."""

    urls: list[str] = field(default_factory=lambda: ["https://a", "https://b"])
    now: float = 100.0
    wall: float = 1_000.0

    def __post_init__(self) -> None:
        random = Random(7)  # noqa: S311 - a test's chance
        self.lease = Lease(Mirror())
        nodes = Nodes(self.urls, random)
        self.driver = Driver(self.lease, nodes, "instance", Clocks(lambda: self.now, lambda: self.wall), random)

    def answer(self, call: Call, **about: Any) -> float:
        """Have *call* answered with a reset to the start, or as *about* says."""
        terms = {"lease": about.pop("lease", 8.0), "interval": about.pop("interval", 1.0)}
        parts = {"head": START, "events": (), "is_reset": True, "age_s": 0.0, **about}
        return self.driver.answered({**sync_answer_as_json(SyncAnswer(call.body["nonce"], **parts)), **terms})

    def settled(self) -> None:
        """Be in touch."""
        self.answer(self.driver.question())


def test_the_first_question_is_answered_at_once_and_the_next_are_held() -> None:
    desk = Desk()
    first = desk.driver.question()
    assert (first.body["wait"], first.timeout_s) == (0.0, TIMEOUT_S)
    assert desk.answer(first) == pytest.approx(SOONEST_S)
    waits = set()
    for _ in range(100):
        held = desk.driver.question()
        assert 0.8 <= held.body["wait"] <= 1.2
        assert held.timeout_s == held.body["wait"] + TIMEOUT_S
        waits.add(held.body["wait"])
        desk.answer(held, is_reset=False)
    assert len(waits) > 50  # not all verifiers at one moment


def test_a_node_that_does_not_hold_is_asked_once_an_interval() -> None:
    desk = Desk()
    desk.settled()
    call = desk.driver.question()
    assert 0.8 <= desk.answer(call, is_reset=False) <= 1.2
    held = desk.driver.question()
    desk.now += held.body["wait"]
    assert desk.answer(held, is_reset=False) == pytest.approx(0.0, abs=0.001)


def test_news_is_followed_by_the_next_question_soon_and_a_page_at_once() -> None:
    desk = Desk()
    desk.settled()
    two = chained([("user.changed", "user:1")] * 2)
    head = Position("e1", 2, two[1].hash)
    assert desk.answer(desk.driver.question(), is_reset=False, events=two[:1], head=head) == 0.0
    assert desk.answer(desk.driver.question(), is_reset=False, events=two[1:], head=head) == pytest.approx(SOONEST_S)


def test_each_failure_goes_on_to_another_node_and_the_pauses_grow_to_an_interval() -> None:
    desk = Desk()
    desk.settled()
    nodes, pauses = [], []
    for _ in range(12):
        nodes.append(desk.driver.question().node)
        pauses.append(desk.driver.unanswered("gone"))
    assert all(one != other for one, other in pairwise(nodes))
    assert pauses[:2] == [0.0, 0.0]  # every node once, at once
    assert 0.1 <= pauses[2] <= 0.2
    assert all(0.5 <= pause <= 1.0 for pause in pauses[-3:])
    assert len(set(pauses[-3:])) == 3


@pytest.mark.parametrize(("silences", "is_cut_off"), [(3, False), (4, True)])
def test_it_is_cut_off_when_every_node_was_silent_twice(silences: int, *, is_cut_off: bool) -> None:
    desk = Desk()
    for _ in range(silences):
        desk.driver.question()
        desk.driver.unanswered("gone")
    assert desk.driver.is_cut_off is is_cut_off
    desk.driver.question()
    desk.driver.refused("500")  # it speaks, if not to the purpose
    assert not desk.driver.is_cut_off


@pytest.mark.parametrize(
    "about",
    [
        pytest.param({"lease": 1.0, "interval": 1.0}, id="a lease no longer than the interval"),
        pytest.param({"lease": 0.0}, id="no lease"),
        pytest.param({"lease": -8.0}, id="a lease below nothing"),
        pytest.param({"lease": 3_601.0}, id="a lease of more than an hour"),
        pytest.param({"lease": float("nan")}, id="a lease that is no number"),
        pytest.param({"lease": 10**400}, id="a lease that no float holds"),
        pytest.param({"lease": "8"}, id="a lease in words"),
        pytest.param({"interval": 0.0}, id="no interval"),
        pytest.param({"head": Position("e1", 3, NO_HASH), "is_reset": False}, id="events that are not brought"),
        pytest.param({"age_s": float("inf")}, id="an endless age"),
    ],
)
def test_an_answer_that_makes_no_sense_renews_nothing(about: dict[str, Any]) -> None:
    desk = Desk()
    desk.settled()
    fresh, lease_s = desk.lease.fresh, desk.lease.lease_s
    desk.now += 1
    desk.answer(desk.driver.question(), **{"is_reset": False, **about})
    assert (desk.lease.fresh, desk.lease.lease_s) == (fresh, lease_s)
    assert desk.driver.trouble is not None
    desk.settled()
    assert desk.driver.trouble is None


async def test_an_answer_at_which_it_fails_is_followed_by_a_question_to_another_node() -> None:
    """Half a character cannot be hashed; a node that says so kept whoever asked it first from all others, for good."""
    desk, asked = Desk(), list[str]()
    desk.settled()

    class Transport:
        async def post(self, call: Call) -> dict[str, Any]:
            asked.append(call.node)
            if len(asked) > 1:
                raise asyncio.CancelledError
            event = Event(1, "user.changed", "user:\ud800", 1, NO_HASH)
            said = SyncAnswer(call.body["nonce"], replace(START, seq=1), (event,), is_reset=False, age_s=0.0)
            return {**sync_answer_as_json(said), "lease": 8.0, "interval": 1.0}

    with pytest.raises(asyncio.CancelledError):
        await follow(desk.driver, Transport(), lambda: None)  # type: ignore[arg-type] # as much of one as is needed
    assert len(set(asked)) == 2


@pytest.mark.parametrize(("jump_s", "is_void"), [(1.0, False), (-1.0, False), (1.01, True), (-1.01, True)])
@pytest.mark.parametrize("is_under_way", [True, False])
def test_clocks_that_part_by_more_than_a_second_void_the_lease(
    jump_s: float, *, is_void: bool, is_under_way: bool
) -> None:
    desk = Desk()
    desk.settled()
    call = desk.driver.question() if is_under_way else None
    desk.wall += jump_s
    if call is None:
        desk.driver.question()
    else:
        desk.answer(call, is_reset=False)
    assert desk.lease.is_out(desk.now) is is_void
    desk.settled()
    assert not desk.lease.is_out(desk.now)


DENIAL = Denial(Reason.UNKNOWN)
ELSEWHERE = Position("e1", 1, NO_HASH)


@pytest.mark.parametrize(("now", "is_kept"), [(1.0, True), (1.999, True), (2.0, False)])
def test_a_refusal_is_kept_for_a_second(now: float, *, is_kept: bool) -> None:
    denials = RecentDenials()
    denials.keep(b"x", DENIAL, START, START, 1.0)
    assert (denials.get(b"x", START, now) is not None) is is_kept


def test_a_refusal_from_before_an_event_is_not_kept() -> None:
    denials = RecentDenials()
    denials.keep(b"x", DENIAL, START, ELSEWHERE, 1.0)
    assert denials.get(b"x", ELSEWHERE, 1.0) is None


def test_refusals_are_bounded_and_the_oldest_goes() -> None:
    denials = RecentDenials(most=2)
    for digest in (b"a", b"b", b"c"):
        denials.keep(digest, DENIAL, START, START, 1.0)
    assert [denials.get(digest, START, 1.0) is not None for digest in (b"a", b"b", b"c")] == [False, True, True]
