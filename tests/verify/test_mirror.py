"""A mirror forgets what an event touches, nothing else, and never takes back what has ended."""

import tracemalloc
from typing import NoReturn

import pytest

from keybearer.verify.mirror import Mirror, Mirrored
from keybearer.wire.feed import Event
from tests.verify.tokens import digest_of, fetched

TOKENS = {
    "ada": fetched("ada", user=1, team=7),
    "adas-other": fetched("adas-other", user=1, team=7),
    "ada-elsewhere": fetched("ada-elsewhere", user=1, team=8),
    "bob": fetched("bob", user=2, team=7),
    "bobs-app": fetched("bobs-app", user=2, team=7, client="c1"),
}


def event(seq: int, kind: str, subject: str) -> Event:
    return Event(seq, kind, subject, 1, bytes(32))


def kept(mirror: Mirror) -> set[str]:
    return {name for name in TOKENS if digest_of(name) in mirror.entries}


@pytest.fixture
def mirror() -> Mirror:
    mirror = Mirror()
    for name, token in TOKENS.items():
        mirror.insert(digest_of(name), token, 0, 100.0)
    return mirror


@pytest.mark.parametrize(
    ("subject", "forgotten"),
    [
        pytest.param("token:t-ada:g-ada:1:7", {"ada"}, id="a token"),
        pytest.param("grant:g-ada:1:7", {"ada"}, id="a grant"),
        pytest.param("family:f-bobs-app:g-bobs-app:2:7", {"bobs-app"}, id="a family"),
        pytest.param("membership:1:7", {"ada", "adas-other"}, id="a place in a team"),
        pytest.param("user:1", {"ada", "adas-other", "ada-elsewhere"}, id="a user"),
        pytest.param("team:7", {"ada", "adas-other", "bob", "bobs-app"}, id="a team"),
        pytest.param("client:c1", {"bobs-app"}, id="an app"),
        pytest.param("user:3", set(), id="somebody unknown"),
        pytest.param("session:s", set(), id="a web session"),
        pytest.param("planet:mars", set(TOKENS), id="an unknown subject"),
        pytest.param("user:", set(TOKENS), id="a blank user"),
        pytest.param("client:", set(TOKENS), id="a blank app"),
        pytest.param("grant::1:7", set(TOKENS), id="a blank grant"),
        pytest.param("membership:1", set(TOKENS), id="a part too few"),
        pytest.param("", set(TOKENS), id="nothing at all"),
    ],
)
def test_an_event_has_the_tokens_it_concerns_forgotten(mirror: Mirror, subject: str, forgotten: set[str]) -> None:
    mirror.apply(event(1, "any.changed", subject))
    assert kept(mirror) == set(TOKENS) - forgotten


class Unread(dict[bytes, Mirrored]):
    """All tokens that a mirror has, and whoever goes through them all fails."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("all tokens were looked at")

    items = values = keys = __iter__


def test_the_end_of_an_app_has_no_more_tokens_looked_at_than_its_users_have(mirror: Mirror) -> None:
    """Anybody can make apps and delete them all day long; a look at a million tokens holds an API up for seconds."""
    mirror.entries = Unread(mirror.entries)
    mirror.apply(event(1, "client.changed", "client:unused"))
    assert kept(mirror) == set(TOKENS)
    mirror.apply(event(2, "client.changed", "client:c1"))
    assert kept(mirror) == set(TOKENS) - {"bobs-app"}


@pytest.mark.parametrize("users", [1, 1_000, 1_001, 1_500])
def test_the_end_of_an_app_is_the_end_of_each_of_its_tokens(mirror: Mirror, users: int) -> None:
    for round_ in (1, 2):
        for user in range(1, users + 1):
            mirror.insert(
                digest_of(f"c2-{user}"), fetched(f"c2-{user}-{round_}", user=user, client="c2"), round_, 100.0
            )
        mirror.apply(event(1, "user.changed", "user:1"))
        mirror.insert(digest_of("c2-1"), fetched(f"c2-1-{round_}", user=1, client="c2"), round_, 100.0)
        mirror.apply(event(round_, "client.changed", "client:c2"))
        assert not [held for held in mirror.entries.values() if held.client_id == "c2"]
    assert kept(mirror) == {"bob", "bobs-app"}


@pytest.mark.parametrize("users", [999, 1_000, 1_001])
def test_an_app_whose_users_come_and_go_loses_each_token_it_has_at_its_end(mirror: Mirror, users: int) -> None:
    for user in range(1, users + 1):
        for name in ("a", "b"):
            mirror.insert(digest_of(f"c2-{user}-{name}"), fetched(f"c2-{user}-{name}", user, client="c2"), 0, 100.0)
    for seq, user in enumerate(range(1, users - 3), 1):
        mirror.apply(event(seq, "grant.ended", f"grant:g-c2-{user}-a:{user}:7"))
    for user in (1, users + 1, users + 2):
        mirror.insert(digest_of(f"c2-{user}-c"), fetched(f"c2-{user}-c", user, client="c2", as_of=users), users, 100.0)
    mirror.apply(event(users + 1, "user.changed", f"user:{users}"))
    mirror.apply(event(users + 2, "client.changed", "client:c2"))
    assert not [held for held in mirror.entries.values() if held.client_id == "c2"]
    assert {"bob", "bobs-app"} <= kept(mirror)


def test_tokens_that_are_forgotten_leave_nothing_of_their_apps_behind() -> None:
    """Apps come and go for as long as an API runs."""
    mirror, sizes = Mirror(most_entries=100), list[int]()
    tracemalloc.start()
    for number in range(4_000):
        mirror.insert(digest_of(str(number)), fetched("x", number, client=f"c{number}"), 0, 100.0)
        if number in {1_999, 3_999}:
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[1] - sizes[0] < 100_000


@pytest.mark.parametrize("verb", ["ended", "deleted"])
@pytest.mark.parametrize(
    ("noun", "subject"),
    [("token", "t-bobs-app:g-bobs-app:2:7"), ("family", "f-bobs-app:g:2:7"), ("grant", "g-bobs-app:2:7")],
)
def test_what_has_ended_is_never_taken_in_again(mirror: Mirror, noun: str, subject: str, verb: str) -> None:
    mirror.apply(event(1, f"{noun}.{verb}", f"{noun}:{subject}"))
    newer = fetched("bobs-app", user=2, team=7, client="c1", as_of=9)
    assert mirror.is_buried(newer)
    assert mirror.insert(digest_of("bobs-app"), newer, 1, 100.0) is None
    mirror.begin_at(0)  # not in another lineage of the store, either
    assert mirror.is_buried(newer)


def test_what_has_only_changed_is_taken_in_again(mirror: Mirror) -> None:
    mirror.apply(event(1, "token.changed", "token:t-ada:g-ada:1:7"))
    assert mirror.insert(digest_of("ada"), fetched("ada", as_of=1), 1, 100.0) is not None


@pytest.mark.parametrize(
    ("as_of", "subject", "is_kept"),
    [
        pytest.param(5, "user:1", True, id="read after the event"),
        pytest.param(4, "user:1", False, id="read before an event about it"),
        pytest.param(4, "user:2", True, id="read before an event about another"),
        pytest.param(4, "planet:mars", False, id="read before an event about nobody knows whom"),
    ],
)
def test_an_answer_that_an_event_overtook_is_not_kept(as_of: int, subject: str, *, is_kept: bool) -> None:
    mirror = Mirror()
    mirror.begin_at(4)
    mirror.apply(event(5, "user.changed", subject))
    entry = mirror.insert(digest_of("ada"), fetched("ada", as_of=as_of), 5, 100.0)
    assert (entry is not None) is is_kept
    assert (digest_of("ada") in mirror.entries) is is_kept


@pytest.mark.parametrize(("as_of", "is_kept"), [(0, False), (1, True)])
def test_an_answer_older_than_what_is_remembered_is_not_kept(as_of: int, *, is_kept: bool) -> None:
    mirror = Mirror(events_remembered=3)
    for seq in range(1, 5):
        mirror.apply(event(seq, "user.changed", "user:9"))
    assert (mirror.insert(digest_of("ada"), fetched("ada", as_of=as_of), 4, 1.0) is not None) is is_kept


def test_an_answer_from_before_the_beginning_is_not_kept() -> None:
    mirror = Mirror()
    mirror.begin_at(10)
    assert mirror.insert(digest_of("ada"), fetched("ada", as_of=9), 10, 1.0) is None
    assert mirror.insert(digest_of("ada"), fetched("ada", as_of=10), 10, 1.0) is not None


def test_the_tokens_learnt_first_go_first() -> None:
    mirror = Mirror(most_entries=2)
    for name in ("ada", "bob", "adas-other"):
        mirror.insert(digest_of(name), TOKENS[name], 0, 1.0)
    assert kept(mirror) == {"bob", "adas-other"}
    mirror.apply(event(1, "user.changed", "user:1"))  # the index knows who is still there
    assert kept(mirror) == {"bob"}


def test_a_token_taken_in_twice_is_there_once(mirror: Mirror) -> None:
    mirror.insert(digest_of("ada"), fetched("ada", team=8), 0, 100.0)
    mirror.apply(event(1, "membership.changed", "membership:1:7"))
    assert "ada" in kept(mirror)
    mirror.apply(event(2, "user.changed", "user:1"))
    assert kept(mirror) == {"bob", "bobs-app"}


def test_of_too_many_dead_the_older_half_is_forgotten_and_nobody_who_lives() -> None:
    """A refresh is a death: in the end every one would empty the mirror."""
    mirror = Mirror(most_tombstones=4)
    mirror.insert(digest_of("ada"), TOKENS["ada"], 0, 1.0)
    for seq, name in enumerate(("bob", "x", "bobs-app", "adas-other", "ada-elsewhere"), 1):
        mirror.apply(event(seq, "grant.ended", f"grant:g-{name}:5:5"))
    assert [name for name in TOKENS if mirror.is_buried(TOKENS[name])] == ["adas-other", "ada-elsewhere", "bobs-app"]
    assert kept(mirror) == {"ada"}


def test_tokens_of_one_user_share_what_they_have_in_common(mirror: Mirror) -> None:
    ada, other = mirror.entries[digest_of("ada")], mirror.entries[digest_of("adas-other")]
    assert ada.place is other.place
    assert ada.permissions is mirror.entries[digest_of("bob")].permissions
