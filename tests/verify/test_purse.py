"""What a verifier lets through is what it was granted, once each, and never later than it may."""

from keybearer.verify.purse import Purse
from keybearer.wire.quota import UNCOUNTED, Grant, Left, Terms, Want

TERMS = Terms(200, 60.0, 3.0)
ADA, ACME = 1, 7


def purse_with(calls: int, *, asked_at: float = 100.0, remaining: int = 150, wait_s: float = 0.0) -> Purse:
    purse = Purse()
    purse.take_in(TERMS, [Grant(ADA, ACME, calls, remaining, wait_s)], asked_at, asked_at)
    return purse


def spent(purse: Purse, times: int, now: float) -> int:
    """Return how many of so many calls were let through."""
    return sum(purse.spend(ADA, ACME, now) is not None for _ in range(times))


def test_nothing_is_let_through_before_a_node_has_granted_it() -> None:
    assert Purse().spend(ADA, ACME, 100.0) is None


def test_as_many_are_let_through_as_were_granted() -> None:
    assert spent(purse_with(5), 10, 100.0) == 5


def test_another_user_and_another_team_have_none_of_it() -> None:
    purse = purse_with(5)
    assert purse.spend(ADA + 1, ACME, 100.0) is None
    assert purse.spend(ADA, ACME + 1, 100.0) is None


def test_all_live_up_to_their_end_and_then_but_one() -> None:
    assert spent(purse_with(5), 10, 102.999) == 5
    assert spent(purse_with(5), 10, 103.0) == 1


def test_what_is_held_does_not_live_longer_because_something_came_to_it() -> None:
    purse = purse_with(5)
    purse.take_in(TERMS, [Grant(ADA, ACME, 2, 0, 0.0)], 102.0, 102.0)
    assert spent(purse, 10, 102.9) == 7
    purse = purse_with(5)
    purse.take_in(TERMS, [Grant(ADA, ACME, 2, 0, 0.0)], 102.0, 102.0)
    assert spent(purse, 10, 103.0) == 1
    purse = purse_with(1)
    purse.take_in(TERMS, [Grant(ADA, ACME, 2, 0, 0.0)], 102.0, 102.0)
    assert spent(purse, 10, 104.9) == 3  # one was in hand, and the two that came


def test_a_call_that_waited_while_calls_came_for_others_asks_for_none() -> None:
    purse = purse_with(5)
    purse.want(ADA, ACME)
    assert purse.wants(100.0) == ()
    assert spent(purse, 5, 100.0) == 5


def test_what_is_left_is_what_the_node_has_and_what_is_held_and_what_is_regained() -> None:
    purse = purse_with(5, remaining=150)
    assert purse.spend(ADA, ACME, 100.0) == Left(200, 154)
    assert purse.spend(ADA, ACME, 101.0) == Left(200, 156)  # 200 a minute are 3 a second
    assert purse_with(5, remaining=199).spend(ADA, ACME, 100.0) == Left(200, 199)


def test_where_nobody_counts_calls_pass_for_a_while_and_what_was_granted_is_used_first() -> None:
    purse = purse_with(2)
    purse.count_nothing(105.0)
    assert [purse.spend(ADA, ACME, 101.0) is UNCOUNTED for _ in range(3)] == [False, False, True]
    assert purse.spend(ADA + 1, ACME, 104.9) is UNCOUNTED
    assert purse.spend(ADA + 1, ACME, 105.0) is None


def test_it_is_told_for_how_long_asking_is_of_no_use() -> None:
    purse = purse_with(0, remaining=0, wait_s=0.3)
    assert 0 < purse.wait_s(ADA, ACME, 100.1) < 0.201
    assert purse.wait_s(ADA, ACME, 100.4) == 0


def test_who_calls_more_is_asked_more_for_up_to_a_twentieth_of_the_limit() -> None:
    purse, now, asked = Purse(), 100.0, []
    for _ in range(8):
        purse.want(ADA, ACME)
        (want,) = purse.wants(now)
        asked.append(want.calls)
        purse.take_in(TERMS, [Grant(ADA, ACME, want.calls, 50, 0.0)], now, now)
        spent(purse, want.calls, now)
    assert asked == [1, 2, 4, 8, 10, 10, 10, 10]


def test_who_calls_now_and_then_is_asked_one_call_for() -> None:
    purse = purse_with(1)
    assert spent(purse, 1, 200.0) == 1
    assert purse.wants(200.5) == (Want(ADA, ACME, 1),)


def test_it_asks_ahead_when_one_is_left_and_not_twice() -> None:
    purse = purse_with(3)
    wanting = [(spent(purse, 1, 100.0), purse.is_wanting) for _ in range(2)]
    assert wanting == [(1, False), (1, True)]
    assert [len(purse.wants(100.0)) for _ in range(2)] == [1, 0]


def test_those_who_wait_are_asked_for_first_and_never_more_than_fit() -> None:
    purse = Purse()
    for user_id in range(2, 702):
        purse.take_in(TERMS, [Grant(user_id, ACME, 1, 0, 0.0)], 100.0, 100.0)
        purse.spend(user_id, ACME, 100.0)
    purse.want(ADA, ACME)
    wants = purse.wants(100.0)
    assert len(wants) == 500
    assert wants[0].user_id == ADA
    assert len(purse.wants(100.0)) == 201


def test_no_more_places_are_kept_than_there_is_room_for() -> None:
    purse = Purse(most_kept=2)
    for user_id in (1, 2, 3):
        purse.take_in(TERMS, [Grant(user_id, ACME, 1, 0, 0.0)], 100.0, 100.0)
    assert [purse.spend(user_id, ACME, 100.0) is not None for user_id in (1, 2, 3)] == [False, True, True]
