"""A lease runs from when a question was begun, if its answer says all there is; whatever does not fit gives none."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from keybearer.verify.lease import DRIFT, NOWHERE, Heard, Lease
from keybearer.verify.mirror import Mirror
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.feed import NO_HASH, Event, Position, SyncAnswer
from keybearer.wire.principal import Principal
from tests.verify.tokens import EPOCH, chained, digest_of, fetched

START = Position(EPOCH, 0, NO_HASH)
TWO = chained([("user.changed", "user:8"), ("user.changed", "user:9")])
ADA = digest_of("ada")
LEASE_S = 8.0


def at(moment: float) -> Callable[[], float]:
    return lambda: moment


def head_of(events: tuple[Event, ...]) -> Position:
    return Position(EPOCH, events[-1].seq, events[-1].hash)


def answer(*events: Event, head: Position | None = None, nonce: str = "q", age_s: float = 0.0) -> SyncAnswer:
    return SyncAnswer(nonce, head or (head_of(events) if events else START), events, False, age_s)


def reset(head: Position = START, nonce: str = "q", age_s: float = 0.0) -> SyncAnswer:
    return SyncAnswer(nonce, head, (), True, age_s)


@pytest.fixture
def lease() -> Lease:
    """A lease that was begun at 0 and knows Ada's token."""
    lease = Lease(Mirror(), LEASE_S)
    lease.ask("first", 0.0)
    assert lease.hear(reset(nonce="first")) is Heard.RENEWED
    lease.fetched(ADA, fetched("ada"), 0.0, 0.0)
    return lease


@pytest.mark.parametrize(("now", "is_known"), [(8.0, True), (8.001, False)])
def test_a_lease_runs_from_when_the_question_was_begun(lease: Lease, now: float, *, is_known: bool) -> None:
    assert (lease.known(ADA, at(now)) is not None) is is_known
    assert lease.is_out(now) is not is_known


@pytest.mark.parametrize(("now", "is_known"), [(3 * (1 - DRIFT) - 0.001, True), (3 * (1 - DRIFT), False)])
def test_a_token_ends_on_this_clock(lease: Lease, now: float, *, is_known: bool) -> None:
    lease.fetched(ADA, fetched("ada", lasts_s=3.0), 0.0, 0.0)
    assert (lease.known(ADA, at(now)) is not None) is is_known


def test_an_unknown_token_is_not_known(lease: Lease) -> None:
    assert lease.known(digest_of("bob"), at(0.0)) is None


def test_nothing_is_believed_before_the_first_answer() -> None:
    lease = Lease(Mirror())
    assert lease.is_out(0.0)
    lease.ask("q", 0.0)
    assert lease.is_out(0.0)


def test_an_answer_that_says_all_renews_from_its_question(lease: Lease) -> None:
    lease.ask("q", 5.0)
    assert lease.hear(answer(*TWO)) is Heard.RENEWED
    assert lease.fresh == 5.0
    assert lease.position == head_of(TWO)


def test_a_page_that_does_not_reach_the_head_renews_nothing(lease: Lease) -> None:
    lease.ask("q", 5.0)
    assert lease.hear(answer(TWO[0], head=head_of(TWO))) is Heard.BEHIND
    assert lease.fresh == 0.0
    lease.ask("r", 6.0)
    assert lease.hear(answer(TWO[1], nonce="r")) is Heard.RENEWED
    assert lease.fresh == 6.0


def test_the_age_of_a_snapshot_shortens_the_lease(lease: Lease) -> None:
    lease.ask("q", 5.0)
    assert lease.hear(answer(age_s=2.0)) is Heard.RENEWED
    assert lease.fresh == 5.0 - 2.0 * (1 + 3 * DRIFT)


def test_an_old_snapshot_does_not_take_a_lease_back(lease: Lease) -> None:
    lease.ask("q", 5.0)
    assert lease.hear(answer(age_s=50.0)) is Heard.RENEWED
    assert lease.fresh == 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(answer(*TWO, nonce="first"), id="the answer to an earlier question"),
        pytest.param(answer(*TWO, age_s=-0.001), id="an age below nothing"),
        pytest.param(answer(*TWO, age_s=math.nan), id="an age that is no number"),
        pytest.param(answer(head=Position("e2", 9, bytes(32))), id="another epoch without a reset"),
    ],
)
def test_as_if_it_had_not_come(lease: Lease, wrong: SyncAnswer) -> None:
    lease.ask("q", 5.0)
    assert lease.hear(wrong) is Heard.NOTHING
    assert (lease.fresh, lease.position) == (0.0, START)
    assert lease.known(ADA, at(1.0)) is not None
    assert lease.hear(answer(*TWO)) is Heard.RENEWED  # the right one is still waited for


def test_a_node_that_is_behind_is_not_heard(lease: Lease) -> None:
    lease.ask("q", 1.0)
    lease.hear(answer(*TWO))
    lease.ask("r", 5.0)
    assert lease.hear(answer(head=replace(head_of(TWO), seq=1), nonce="r")) is Heard.NOTHING
    assert lease.fresh == 1.0


def test_an_answer_counts_once(lease: Lease) -> None:
    lease.ask("q", 5.0)
    assert lease.hear(answer(*TWO)) is Heard.RENEWED
    assert lease.hear(answer(*TWO)) is Heard.NOTHING


ELSEWHERE = chained([("user.changed", "user:6"), ("user.changed", "user:7")])


@pytest.mark.parametrize(
    "events",
    [
        pytest.param((TWO[1],), id="a gap"),
        pytest.param((TWO[0], TWO[0], TWO[1]), id="a duplicate"),
        pytest.param((TWO[1], TWO[0]), id="out of order"),
        pytest.param((TWO[0], replace(TWO[1], hash=bytes(32))), id="a wrong hash"),
        pytest.param((TWO[0], replace(TWO[1], subject="user:10")), id="another subject under the hash"),
        pytest.param((TWO[0], replace(TWO[1], kind="")), id="a blank kind under the hash"),
        pytest.param((TWO[0], ELSEWHERE[1]), id="another history"),
        pytest.param(ELSEWHERE, id="to the head by another history"),
        pytest.param(chained([("user.changed", "user:8")] * 3), id="past the head"),
    ],
)
def test_what_does_not_fit_together_loses_everything(lease: Lease, events: tuple[Event, ...]) -> None:
    lease.ask("q", 5.0)
    assert lease.hear(answer(*events, head=head_of(TWO))) is Heard.LOST
    assert lease.position == NOWHERE
    assert lease.fresh == -math.inf
    assert lease.mirror.entries == {}


def test_a_well_bound_event_of_an_unknown_kind_is_followed(lease: Lease) -> None:
    strange = chained([("planet.exploded", "planet:mars"), ("", "")])
    lease.ask("q", 5.0)
    assert lease.hear(answer(*strange)) is Heard.RENEWED
    assert lease.mirror.entries == {}  # it may have concerned anybody


def test_a_reset_empties_the_mirror_and_begins_at_the_head(lease: Lease) -> None:
    there = Position("e2", 40, bytes([7] * 32))
    lease.ask("q", 5.0)
    assert lease.hear(reset(there)) is Heard.RENEWED
    assert (lease.position, lease.fresh) == (there, 5.0)
    assert lease.known(ADA, at(5.0)) is None


def test_a_reset_to_an_old_snapshot_leaves_nothing_of_an_earlier_lease(lease: Lease) -> None:
    """What happened between that snapshot and the earlier lease was applied once, and is forgotten now."""
    lease.ask("q", 5.0)
    lease.hear(answer(*TWO))
    lease.ask("r", 6.0)
    assert lease.hear(reset(nonce="r", age_s=4.0)) is Heard.RENEWED
    assert (lease.position, lease.fresh) == (START, 6.0 - 4.0 * (1 + 3 * DRIFT))


def test_epochs_that_come_and_go_revive_nothing(lease: Lease) -> None:
    lease.ask("q", 1.0)
    [ended] = chained([("grant.ended", "grant:g-ada:1:7")])
    lease.hear(answer(ended))
    for turn, epoch in enumerate(["e2", EPOCH, "e2", EPOCH]):
        lease.ask(f"t{turn}", 2.0 + turn)
        assert lease.hear(reset(Position(epoch, 0, NO_HASH), f"t{turn}")) is Heard.RENEWED
        outcome = lease.fetched(ADA, fetched("ada"), 2.0 + turn, 2.0 + turn)
        assert isinstance(outcome, Denial)
        assert outcome.reason is Reason.REVOKED
        assert lease.mirror.entries == {}


def test_an_answer_from_before_a_reset_is_not_heard(lease: Lease) -> None:
    lease.ask("q", 5.0)
    lease.forget()
    assert lease.hear(answer(*TWO)) is Heard.NOTHING


def test_a_void_lease_is_out_and_what_was_asked_before_does_not_renew_it(lease: Lease) -> None:
    lease.ask("q", 5.0)
    lease.void()
    assert lease.is_out(5.0)
    assert lease.hear(answer(*TWO)) is Heard.NOTHING
    assert lease.is_out(5.0)
    lease.ask("r", 6.0)
    assert lease.hear(answer(nonce="r")) is Heard.RENEWED
    assert lease.known(ADA, at(6.0)) is not None


@pytest.mark.parametrize(("now", "is_proof"), [(9.0, True), (9.001, False)])
def test_what_was_fetched_proves_something_for_a_lease(lease: Lease, now: float, *, is_proof: bool) -> None:
    outcome = lease.fetched(digest_of("bob"), fetched("bob"), 1.0, now)
    assert isinstance(outcome, Principal) is is_proof


def test_what_was_fetched_has_ended_meanwhile(lease: Lease) -> None:
    outcome = lease.fetched(digest_of("bob"), fetched("bob", lasts_s=2.0), 1.0, 3.0)
    assert isinstance(outcome, Denial)
    assert outcome.reason is Reason.EXPIRED


def test_what_was_fetched_in_another_epoch_serves_once_and_is_not_kept(lease: Lease) -> None:
    outcome = lease.fetched(digest_of("bob"), replace(fetched("bob"), epoch="e2"), 1.0, 1.0)
    assert isinstance(outcome, Principal)
    assert digest_of("bob") not in lease.mirror.entries


def test_what_was_fetched_before_an_event_about_it_proves_nothing(lease: Lease) -> None:
    """Whoever waits until that event is confirmed everywhere is told so at this verifier's next question."""
    lease.ask("q", 1.0)
    lease.hear(answer(*chained([("user.changed", "user:1")])))
    assert lease.fetched(ADA, fetched("ada", as_of=0), 0.5, 1.0) is None
    assert lease.known(ADA, at(1.0)) is None


def test_a_process_stopped_between_look_up_and_clock_finds_its_lease_out(lease: Lease) -> None:
    # The clock is read after the look-up: so long was it stopped there.
    assert lease.known(ADA, at(20.0)) is None


def test_a_thread_stopped_after_the_look_up_does_not_take_another_threads_renewal(lease: Lease) -> None:
    [ended] = chained([("grant.ended", "grant:g-ada:1:7")])

    def stopped_here() -> float:
        """Let the other thread hear that this very token has ended, and renew the lease with it."""
        lease.ask("q", 20.0)
        assert lease.hear(answer(ended)) is Heard.RENEWED
        return 20.1

    assert lease.known(ADA, stopped_here) is None
