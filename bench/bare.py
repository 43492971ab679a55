"""The limit of the token endpoint: the same rows, commit after commit through one connection, and nothing else."""

import os
from collections import deque
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Final, Protocol

import apsw
import asyncpg

from bench.load import CONNECTIONS, Round
from bench.scripts import CHALLENGE, REDIRECT_URI
from keybearer.server import clock, secrets

_SEALED_BYTES: Final = 160
_ENTRY_BYTES: Final = 640
_DETAILS_BYTES: Final = 420
_HASH: Final = bytes(32)
_CLIENT_ID: Final = "app000000000000000000000"
_TAKE: Final = "UPDATE codes SET used_at = ? WHERE digest = ? AND used_at IS NULL"
_CONSUME: Final = (
    "UPDATE tokens SET used_at = ?, successor_pair_id = ?, sealed_successor = ? WHERE token_id = ? AND used_at IS NULL"
)
_REVOKE: Final = "UPDATE tokens SET revoked_at = ? WHERE pair_id = ? AND kind = 'oat' AND revoked_at IS NULL"

Step = tuple[str, list[tuple[Any, ...]]]
"""A statement with ``?`` for each value, and the rows for which it is run."""


class Writer(Protocol):
    """A connection that checks no foreign keys and fires no triggers."""

    async def commit(self, steps: Iterable[Step]) -> None:
        """Run all *steps* in one transaction, durable when this returns."""


class SqliteWriter:
    """A `Writer` to an SQLite file, from which it drops the triggers."""

    def __init__(self, path: str) -> None:
        self._connection = apsw.Connection(path)
        self._connection.pragma("synchronous", "FULL")
        for (trigger,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self._connection.execute(f'DROP TRIGGER "{trigger}"')

    async def commit(self, steps: Iterable[Step]) -> None:
        """See `Writer.commit`."""
        self._connection.execute("BEGIN IMMEDIATE")
        for text, rows in steps:
            self._connection.executemany(text, rows)
        self._connection.execute("COMMIT")

    async def close(self) -> None:
        """Close the file."""
        self._connection.close()


class PostgresWriter:
    """A `Writer` to PostgreSQL: asyncpg sends all rows of a statement in one go."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> "PostgresWriter":
        """Connect as a replica does, which neither checks keys nor fires triggers."""
        return cls(await asyncpg.connect(url, server_settings={"session_replication_role": "replica"}))

    async def commit(self, steps: Iterable[Step]) -> None:
        """See `Writer.commit`."""
        async with self._connection.transaction():
            for text, rows in steps:
                await self._connection.executemany(_with_numbers(text), rows)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()


class BareCommits:
    """Writes what exchanges and refreshes keep, 32 of them a commit."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._codes: deque[bytes] = deque()
        self._pairs: deque[tuple[str, str]] = deque()
        self._events = 0

    async def exchanges(self, seconds: float) -> Round:
        """Take codes, each for a pair."""
        return await self._commit_for(seconds, self._codes, self._exchange, self._add_codes)

    async def refreshes(self, seconds: float) -> Round:
        """Take pairs that exchanges made, each for a new one."""
        return await self._commit_for(seconds, self._pairs, self._refresh, self._add_pairs)

    async def _commit_for(
        self,
        seconds: float,
        supply: deque[Any],
        steps: Callable[[], list[Step]],
        steps_before: Callable[[], list[Step]],
    ) -> Round:
        """Commit again and again; what makes the *supply* first is not counted."""
        latencies: list[float] = []
        lasted = 0.0
        while lasted < seconds:
            if len(supply) < CONNECTIONS:
                await self._writer.commit(steps_before())
            began = perf_counter()
            await self._writer.commit(steps())
            latencies.append(perf_counter() - began)
            lasted += latencies[-1]
        return Round(lasted, tuple(sorted(latencies * CONNECTIONS)))

    def _add_codes(self) -> list[Step]:
        now = clock.now()
        digests = [os.urandom(32) for _ in range(CONNECTIONS)]
        self._codes.extend(digests)
        return [_insert("codes", [_code(digest, now) for digest in digests])]

    def _add_pairs(self) -> list[Step]:
        return self._pairs_made(clock.now())[1]

    def _exchange(self) -> list[Step]:
        now = clock.now()
        taken = [(now, self._codes.popleft()) for _ in range(CONNECTIONS)]
        return [(_TAKE, taken), *self._pairs_made(now)[1]]

    def _refresh(self) -> list[Step]:
        now = clock.now()
        old = [self._pairs.popleft() for _ in range(CONNECTIONS)]
        made, steps = self._pairs_made(now)
        consumed = [
            (now, new, os.urandom(_SEALED_BYTES), refresh_id) for (_, refresh_id), new in zip(old, made, strict=True)
        ]
        revoked = [(now, pair_id) for pair_id, _ in old]
        return [*steps, (_CONSUME, consumed), (_REVOKE, revoked), *self._told(old, now)]

    def _told(self, pairs: list[tuple[str, str]], now: int) -> list[Step]:
        """Number one event for each pair, and move the head of the feed once."""
        first = self._events + 1
        self._events += len(pairs)
        events = [_event(seq, pair_id, now) for seq, (pair_id, _) in enumerate(pairs, first)]
        return [_insert("feed", events), ("UPDATE feed_head SET seq = ?, hash = ?", [(self._events, _HASH)])]

    def _pairs_made(self, now: int) -> tuple[list[str], list[Step]]:
        """Keep access and refresh tokens, and the record of each change."""
        ids = [(secrets.record_id(now), secrets.record_id(now), secrets.record_id(now)) for _ in range(CONNECTIONS)]
        self._pairs.extend((pair_id, refresh_id) for pair_id, _, refresh_id in ids)
        tokens = [
            _token(token_id, kind, pair_id, now)
            for pair_id, access_id, refresh_id in ids
            for token_id, kind in ((access_id, "oat"), (refresh_id, "ort"))
        ]
        records = [_record(pair_id, access_id, now) for pair_id, access_id, _ in ids]
        return [pair_id for pair_id, _, _ in ids], [_insert("tokens", tokens), _insert("activity_records", records)]


def _insert(table: str, rows: list[dict[str, Any]]) -> Step:
    columns = rows[0]
    text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - ours
    return text, [tuple(row.values()) for row in rows]


def _with_numbers(text: str) -> str:
    """Write ``$1, $2 …`` for the ``?`` of a statement."""
    first, *others = text.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))


def _code(digest: bytes, now: int) -> dict[str, Any]:
    return {
        "digest": digest,
        "family_id": secrets.record_id(now),
        "client_id": _CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "redirect_uri_sent": "yes",
        "challenge": CHALLENGE,
        "created_at": now,
        "expires_at": now,
    }


def _token(token_id: str, kind: str, pair_id: str, now: int) -> dict[str, Any]:
    return {
        "token_id": token_id,
        "digest": os.urandom(32),
        "kind": kind,
        "last4": "abcd",
        "grant_id": pair_id,
        "family_id": pair_id,
        "pair_id": pair_id,
        "narrowing": "none",
        "scope": "",
        "created_at": now,
        "expires_at": now,
    }


def _record(pair_id: str, token_id: str, now: int) -> dict[str, Any]:
    return {
        "at": now,
        "received_at": now,
        "entry": os.urandom(_ENTRY_BYTES),
        "details": os.urandom(_DETAILS_BYTES),
        "action": "token.refreshed",
        "outcome": "done",
        "user_id": 1,
        "team_id": 1,
        "environment": "sandbox",
        "client_id": _CLIENT_ID,
        "grant_id": pair_id,
        "token_id": token_id,
        "token_last4": "abcd",
        "request_id": pair_id,
    }


def _event(seq: int, pair_id: str, now: int) -> dict[str, Any]:
    subject = f"token:{pair_id}"
    return {"seq": seq, "kind": "token.changed", "subject": subject, "at": now, "prev_hash": _HASH, "hash": _HASH}
