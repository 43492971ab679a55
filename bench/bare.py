"""The limit of the token endpoint on SQLite: the same rows, commit after commit, and nothing else at all."""

import os
from collections import deque
from collections.abc import Callable, Sized
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import apsw

from bench.load import CONNECTIONS, Round
from bench.scripts import CHALLENGE, REDIRECT_URI
from bench.stage import fresh_database
from keybearer.server import clock, secrets

_SEALED_BYTES: Final = 160
_HASH: Final = bytes(32)
_CONSUME: Final = (
    "UPDATE tokens SET used_at = ?, successor_pair_id = ?, sealed_successor = ? WHERE token_id = ? AND used_at IS NULL"
)
_REVOKE: Final = "UPDATE tokens SET revoked_at = ? WHERE pair_id = ? AND kind = 'oat' AND revoked_at IS NULL"
_TAKE_CODE: Final = "UPDATE codes SET used_at = ? WHERE digest = ? AND used_at IS NULL"


class BareCommits:
    """Writes what exchanges and refreshes keep, 32 of them a commit, without foreign keys, triggers or HTTP."""

    def __init__(self, folder: Path) -> None:
        self._connection = apsw.Connection(fresh_database(folder).removeprefix("sqlite:///"))
        self._connection.pragma("synchronous", "FULL")
        for (trigger,) in self._run("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            self._run(f'DROP TRIGGER "{trigger}"')
        self._codes: deque[bytes] = deque()
        self._pairs: deque[tuple[str, str]] = deque()
        self._events = 0

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def add_codes(self, count: int) -> None:
        """Make codes to be taken."""
        now = clock.now()
        self._run("BEGIN IMMEDIATE")
        for _ in range(count):
            digest = os.urandom(32)
            self._insert(
                "codes",
                digest=digest,
                family_id=secrets.record_id(now),
                client_id="app000000000000000000000",
                redirect_uri=REDIRECT_URI,
                redirect_uri_sent="yes",
                challenge=CHALLENGE,
                created_at=now,
                expires_at=now,
            )
            self._codes.append(digest)
        self._run("COMMIT")

    def exchanges(self, seconds: float) -> Round:
        """Take codes, each for a pair."""
        return self._commit_for(seconds, self._exchange, self._codes)

    def refreshes(self, seconds: float) -> Round:
        """Take pairs that exchanges made, each for a new one."""
        return self._commit_for(seconds, self._refresh, self._pairs)

    def _commit_for(self, seconds: float, write: Callable[[], None], supply: Sized) -> Round:
        latencies: list[float] = []
        began = perf_counter()
        while (now := perf_counter()) < began + seconds and len(supply) >= CONNECTIONS:
            self._run("BEGIN IMMEDIATE")
            for _ in range(CONNECTIONS):
                write()
            self._run("COMMIT")
            latencies += [perf_counter() - now] * CONNECTIONS
        return Round(perf_counter() - began, tuple(sorted(latencies)))

    def _exchange(self) -> None:
        self._run(_TAKE_CODE, clock.now(), self._codes.popleft())
        self._add_pair(clock.now())

    def _refresh(self) -> None:
        now = clock.now()
        pair_id, refresh_id = self._pairs.popleft()
        successor = self._add_pair(now)
        self._run(_CONSUME, now, successor, os.urandom(_SEALED_BYTES), refresh_id)
        self._run(_REVOKE, now, pair_id)
        self._events += 1
        subject = f"token:{pair_id}"
        values = {"kind": "token.changed", "subject": subject, "at": now, "prev_hash": _HASH, "hash": _HASH}
        self._insert("feed", seq=self._events, **values)

    def _add_pair(self, now: int) -> str:
        """Keep an access and a refresh token, and the record of the change."""
        pair_id, access_id, refresh_id = (secrets.record_id(now) for _ in range(3))
        for token_id, kind in ((access_id, "oat"), (refresh_id, "ort")):
            self._insert(
                "tokens",
                token_id=token_id,
                digest=os.urandom(32),
                kind=kind,
                last4="abcd",
                grant_id=pair_id,
                family_id=pair_id,
                pair_id=pair_id,
                narrowing="none",
                scope="",
                created_at=now,
                expires_at=now,
            )
        self._pairs.append((pair_id, refresh_id))
        self._tell(now, pair_id, access_id)
        return pair_id

    def _tell(self, now: int, pair_id: str, token_id: str) -> None:
        self._insert(
            "activity_records",
            at=now,
            action="token.refreshed",
            outcome="done",
            user_id=1,
            team_id=1,
            environment="sandbox",
            client_id="app000000000000000000000",
            grant_id=pair_id,
            token_id=token_id,
            token_last4="abcd",
            subject=f"family:{pair_id}",
            request_id=pair_id,
            address="127.0.0.1",
        )

    def _insert(self, table: str, **values: Any) -> None:
        text = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"  # noqa: S608 - ours
        self._run(text, *values.values())

    def _run(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(text, values).fetchall()
