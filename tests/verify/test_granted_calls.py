"""What a verifier lets through is what it was granted, once each, and never later than it may."""

from keybearer.verify.granted_calls import GrantedCalls
from keybearer.wire.quota import UNCOUNTED, Grant, Left, Terms, Want

TERMS = Terms(200, 60.0, 3.0)
ADA, ACME = 1, 7


def granted_with(calls: int, *, asked_at: float = 100.0, remaining: int = 150, wait_s: float = 0.0) -> GrantedCalls:
    granted = GrantedCalls()
    granted.take_in(TERMS, [Grant(ADA, ACME, calls, remaining, wait_s)], asked_at, asked_at)
    return granted


def spent(granted: GrantedCalls, times: int, now: float) -> int:
    """Return how many of so many calls were let through."""
    return sum(granted.spend(ADA, ACME, now) is not None for _ in range(times))


def test_nothing_is_let_through_before_a_node_has_granted_it() -> None:
    assert GrantedCalls().spend(ADA, ACME, 100.0) is None


def test_as_many_are_let_through_as_were_granted() -> None:
    assert spent(granted_with(5), 10, 100.0) == 5


def test_another_user_and_another_team_have_none_of_it() -> None:
    granted = granted_with(5)
    assert granted.spend(ADA + 1, ACME, 100.0) is None
    assert granted.spend(ADA, ACME + 1, 100.0) is None


def test_all_live_up_to_their_end_and_then_but_one() -> None:
    assert spent(granted_with(5), 10, 102.999) == 5
    assert spent(granted_with(5), 10, 103.0) == 1


def test_what_is_held_does_not_live_longer_because_something_came_to_it() -> None:
    granted = granted_with(5)
    granted.take_in(TERMS, [Grant(ADA, ACME, 2, 0, 0.0)], 102.0, 102.0)
    assert spent(granted, 10, 102.9) == 7
    granted = granted_with(5)
    granted.take_in(TERMS, [Grant(ADA, ACME, 2, 0, 0.0)], 102.0, 102.0)
    assert spent(granted, 10, 103.0) == 1
    granted = granted_with(1)
    granted.take_in(TERMS, [Grant(ADA, ACME, 2, 0, 0.0)], 102.0, 102.0)
    assert spent(granted, 10, 104.9) == 3  # one was in hand, and the two that came


def test_a_call_that_waited_while_calls_came_for_others_asks_for_none() -> None:
    granted = granted_with(5)
    granted.want(ADA, ACME)
    assert granted.wants(100.0) == ()
    assert spent(granted, 5, 100.0) == 5


def test_what_is_left_is_what_the_node_has_and_what_is_held_and_what_is_regained() -> None:
    granted = granted_with(5, remaining=150)
    assert granted.spend(ADA, ACME, 100.0) == Left(200, 154)
    assert granted.spend(ADA, ACME, 101.0) == Left(200, 156)  # 200 a minute are 3 a second
    assert granted_with(5, remaining=199).spend(ADA, ACME, 100.0) == Left(200, 199)


def test_where_nobody_counts_calls_pass_for_a_while_and_what_was_granted_is_used_first() -> None:
    granted = granted_with(2)
    granted.count_nothing(105.0)
    assert [granted.spend(ADA, ACME, 101.0) is UNCOUNTED for _ in range(3)] == [False, False, True]
    assert granted.spend(ADA + 1, ACME, 104.9) is UNCOUNTED
    assert granted.spend(ADA + 1, ACME, 105.0) is None


def test_it_is_told_for_how_long_asking_is_of_no_use() -> None:
    granted = granted_with(0, remaining=0, wait_s=0.3)
    assert 0 < granted.wait_s(ADA, ACME, 100.1) < 0.201
    assert granted.wait_s(ADA, ACME, 100.4) == 0


def test_who_calls_more_is_asked_more_for_up_to_a_twentieth_of_the_limit() -> None:
    granted, now, asked = GrantedCalls(), 100.0, []
    for _ in range(8):
        granted.want(ADA, ACME)
        (want,) = granted.wants(now)
        asked.append(want.calls)
        granted.take_in(TERMS, [Grant(ADA, ACME, want.calls, 50, 0.0)], now, now)
        spent(granted, want.calls, now)
    assert asked == [1, 2, 4, 8, 10, 10, 10, 10]


def test_who_calls_now_and_then_is_asked_one_call_for() -> None:
    granted = granted_with(1)
    assert spent(granted, 1, 200.0) == 1
    assert granted.wants(200.5) == (Want(ADA, ACME, 1),)


def test_it_asks_ahead_when_one_is_left_and_not_twice() -> None:
    granted = granted_with(3)
    wanting = [(spent(granted, 1, 100.0), granted.is_wanting) for _ in range(2)]
    assert wanting == [(1, False), (1, True)]
    assert [len(granted.wants(100.0)) for _ in range(2)] == [1, 0]


def test_those_who_wait_are_asked_for_first_and_never_more_than_fit() -> None:
    granted = GrantedCalls()
    for user_id in range(2, 702):
        granted.take_in(TERMS, [Grant(user_id, ACME, 1, 0, 0.0)], 100.0, 100.0)
        granted.spend(user_id, ACME, 100.0)
    granted.want(ADA, ACME)
    wants = granted.wants(100.0)
    assert len(wants) == 500
    assert wants[0].user_id == ADA
    assert len(granted.wants(100.0)) == 201


def test_no_more_places_are_kept_than_there_is_room_for() -> None:
    granted = GrantedCalls(most_kept=2)
    for user_id in (1, 2, 3):
        granted.take_in(TERMS, [Grant(user_id, ACME, 1, 0, 0.0)], 100.0, 100.0)
    assert [granted.spend(user_id, ACME, 100.0) is not None for user_id in (1, 2, 3)] == [False, True, True]
