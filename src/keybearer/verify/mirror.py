"""The tokens that a verifier knows, by their digests; whatever an event concerns is forgotten."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

from keybearer.wire.feed import EVERYTHING, Event, Fetched, Reach, ended_id, reach_of
from keybearer.wire.packing import is_of_grant
from keybearer.wire.principal import Principal

MOST_ENTRIES: Final = 1_000_000
EVENTS_REMEMBERED: Final = 10_000
MOST_TOMBSTONES: Final = 100_000
_MOST_PERMISSIONS: Final = 10_000
_MOST_BY_CLIENT: Final = 1_000  # users by whom an app's tokens are found; those of an app that has more, among all


@dataclass(frozen=True, slots=True, repr=False)
class Mirrored(Principal):
    """
    A principal that a verifier keeps.

    Args:
        deadline: when the token ends on the verifier's own clock, so that no wall clock matters; seconds, BOOTTIME.
    """

    deadline: float


class Mirror:
    """
    The tokens that a verifier knows, of one environment; no I/O, no clock.

    Args:
        most_entries: when there are so many, those that were learnt first are forgotten, a thousandth at once.
        most_tombstones: ids that were seen to end; when there are so many, the older half is forgotten. Only where the
            store is put back to before they ended are they missed: else the events that are remembered suffice. (By
            coherence.md 5.3 all tokens would be forgotten then; none of them is one that has ended.)
    """

    def __init__(
        self,
        most_entries: int = MOST_ENTRIES,
        events_remembered: int = EVENTS_REMEMBERED,
        most_tombstones: int = MOST_TOMBSTONES,
    ) -> None:
        self.entries: dict[bytes, Mirrored] = {}
        self._of_user: dict[int, bytes | list[bytes]] = {}
        self._users_of_client: dict[str, dict[int, int] | None] = {}  # each with how many such tokens; None: too many
        self._permissions: dict[frozenset[str], frozenset[str]] = {}
        self._recent: deque[tuple[int, Reach]] = deque(maxlen=events_remembered)
        self._recent_from = 0
        self._tombstones: set[str] = set()
        self._older_tombstones: set[str] = set()
        self._most_entries = most_entries
        self._most_tombstones = most_tombstones

    def apply(self, event: Event) -> None:
        """Forget every token that *event* touches, and remember whom it touched."""
        if (gone := ended_id(event)) is not None:
            self._bury(gone)
        reach = reach_of(event.subject)
        if reach is None:
            return
        self.forget(reach)
        if len(self._recent) == self._recent.maxlen:
            self._recent_from = self._recent[0][0]
        self._recent.append((event.seq, reach))

    def begin_at(self, seq: int) -> None:
        """Forget all tokens and events: what comes next follows the event *seq*; what has ended stays ended."""
        self.forget(EVERYTHING)
        self._recent.clear()
        self._recent_from = seq

    def insert(self, digest: bytes, fetched: Fetched, position: int, deadline: float) -> Mirrored | None:
        """
        Keep a token that was fetched; None if something may have happened to it since it was read.

        Args:
            digest: SHA-256 of the token's text, 32 bytes.
            position: the newest event that was applied here.
            deadline: seconds, on the verifier's own clock.

        Source: coherence.md 5.3, V5 (without this check a late answer brings back what a newer event took away).
        """
        if self.is_buried(fetched) or not self._is_untouched_since(fetched, position):
            return None
        entry = self._shared(fetched.principal, deadline)
        if digest in self.entries:
            self._drop(digest)
        if len(self.entries) >= self._most_entries:
            self._drop_oldest()
        self.entries[digest] = entry
        self._index(entry.user_id, digest)
        self._count(entry, 1)
        return entry

    def is_buried(self, fetched: Fetched) -> bool:
        """Tell whether the token, its family or its grant was seen to end, in this lineage of the store or another."""
        ids = fetched.mortal_ids
        return not (self._tombstones.isdisjoint(ids) and self._older_tombstones.isdisjoint(ids))

    def forget(self, reach: Reach) -> None:
        """Forget every token within *reach*."""
        if reach == EVERYTHING:
            self.entries.clear()
            self._of_user.clear()
            self._users_of_client.clear()
            self._permissions.clear()
            return
        touched = [digest for digest in self._candidates(reach) if _is_within(self.entries[digest], reach)]
        for digest in touched:
            self._drop(digest)
        if reach.client_id is not None and reach == Reach(client_id=reach.client_id):
            self._users_of_client.pop(reach.client_id, None)  # no token of it is left

    def _candidates(self, reach: Reach) -> Iterable[bytes]:
        """
        Return the digests among which are those within *reach*, however few of all they are.

        The end of an app takes a look at its own users' tokens: anybody may make apps and delete them, all day long.
        Only that of a popular one takes a look at all tokens, and what happens to a whole team, which operators do.
        """
        if reach.user_id is not None:
            return self._digests_of(reach.user_id)
        if reach.client_id is not None:
            users = self._users_of_client.get(reach.client_id, {})
            if users is None:
                return [digest for digest, entry in self.entries.items() if entry.client_id == reach.client_id]
            return [digest for user_id in users for digest in self._digests_of(user_id)]
        return list(self.entries)

    def _digests_of(self, user_id: int) -> list[bytes]:
        found = self._of_user.get(user_id, [])
        return [found] if isinstance(found, bytes) else list(found)

    def _is_untouched_since(self, fetched: Fetched, position: int) -> bool:
        if fetched.as_of >= position:
            return True
        if fetched.as_of < self._recent_from:
            return False  # what happened in between is not remembered any more
        later = takewhile(lambda event: event[0] > fetched.as_of, reversed(self._recent))
        return not any(_is_within(fetched.principal, reach) for _, reach in later)

    def _shared(self, principal: Principal, deadline: float) -> Mirrored:
        """Return the principal with the objects that equal ones here have already."""
        if len(self._permissions) >= _MOST_PERMISSIONS:
            self._permissions.clear()
        newest = self._newest_of(principal.user_id) or principal
        return Mirrored(
            newest.user_id,
            newest.place if newest.place == principal.place else principal.place,
            self._permissions.setdefault(principal.permissions, principal.permissions),
            principal.client_id,
            principal.token,
            deadline,
        )

    def _newest_of(self, user_id: int) -> Mirrored | None:
        held = self._of_user.get(user_id)
        return None if held is None else self.entries[held if isinstance(held, bytes) else held[-1]]

    def _index(self, user_id: int, digest: bytes) -> None:
        """Find the digest by its user; most have one token, and a list of one would take as much as the token."""
        held = self._of_user.get(user_id)
        if held is None:
            self._of_user[user_id] = digest
        elif isinstance(held, bytes):
            self._of_user[user_id] = [held, digest]
        else:
            held.append(digest)

    def _count(self, entry: Mirrored, more: int) -> None:
        """Find the user by the app, as long as they have a token of it: what is forgotten leaves nothing behind."""
        if entry.client_id is None or (users := self._users_of_client.setdefault(entry.client_id, {})) is None:
            return
        users[entry.user_id] = users.get(entry.user_id, 0) + more
        if not users[entry.user_id]:
            del users[entry.user_id]
        if not users:
            del self._users_of_client[entry.client_id]
        elif len(users) > _MOST_BY_CLIENT:
            self._users_of_client[entry.client_id] = None  # until its end: others are not counted

    def _drop(self, digest: bytes) -> None:
        entry = self.entries.pop(digest)
        self._count(entry, -1)
        held = self._of_user[entry.user_id]
        if isinstance(held, list):
            held.remove(digest)
        if isinstance(held, bytes) or not held:
            del self._of_user[entry.user_id]

    def _drop_oldest(self) -> None:
        """Make room for some: to find the first of a dictionary takes the longer the more before it were deleted."""
        for digest in list(islice(self.entries, max(1, self._most_entries // 1_000))):
            self._drop(digest)

    def _bury(self, mortal: str) -> None:
        if len(self._tombstones) >= self._most_tombstones // 2:
            self._older_tombstones, self._tombstones = self._tombstones, set()
        self._tombstones.add(mortal)


def _is_within(principal: Principal, reach: Reach) -> bool:
    return (
        (reach.user_id is None or reach.user_id == principal.user_id)
        and (reach.client_id is None or reach.client_id == principal.client_id)
        and (reach.team_id is None or reach.team_id == principal.team_id)
        and (reach.grant_id is None or is_of_grant(principal.token, reach.grant_id))
    )
