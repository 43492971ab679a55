"""A database whose activity log is sealed by hand, by one node or several, and the rules that hold whatever happens."""

import base64
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, insert, select

from keybearer.audit.trust import is_signed
from keybearer.server import ledger
from keybearer.server.actions.record_own_calls import record_own_calls
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import ActivityLog
from keybearer.server.sealing.key import KEY, Signer, signer_of
from keybearer.server.sealing.sealer import WITNESS, Sealer
from keybearer.server.store.database import Database, Transaction, open_database
from keybearer.server.store.tables import (
    activity_checkpoints,
    activity_cursors,
    activity_logs,
    activity_records,
    activity_seal,
    activity_tiles,
)
from keybearer.wire.activity import Details, Entry, entry_bytes, seal
from keybearer.wire.checkpoint import opened
from keybearer.wire.merkle import leaf_hash, root_of
from tests.support.clock import HandClock
from tests.support.entries import call

BASE = "auth.example.com/activity"
ACTOR = Actor("a-test", "203.0.113.9", user_id=3, agent="curl/8")
TABLES = (activity_logs, activity_records, activity_tiles, activity_checkpoints, activity_seal, activity_cursors)

Rows = dict[Table, list[dict[str, Any]]]


class Call(NamedTuple):
    """A call as `reported.Reported` has it."""

    n: int
    entry: Entry
    written: bytes
    details: Details


@dataclass(slots=True)
class Sealed:
    """One database, one folder, and every root that was ever seen signed."""

    database: Database
    folder: Path
    clock: HandClock
    sealers: list[Sealer] = field(default_factory=list)
    seen: dict[tuple[str, int], set[bytes]] = field(default_factory=lambda: defaultdict(set))

    def node(self, database: Database | None = None, folder: Path | None = None) -> Sealer:
        """Start a node; the key is the same for all."""
        sealer = Sealer(database or self.database, self.signer(), folder or self.folder, self.clock.now)
        self.sealers.append(sealer)
        return sealer

    def signer(self) -> Signer:
        """Return what signs."""
        return signer_of("", self.folder / KEY, BASE)

    async def record(self, count: int = 1, team_id: int | None = 7, action: str = "client.changed") -> None:
        """Record changes, as actions do."""
        made = [(ACTOR, Activity(action, f"client:{one}", team_id=team_id)) for one in range(count)]
        await self.database.transact(ledger.record_all, made, self.clock.now())

    async def report(self, node: Sealer, *numbers: int, **said: Any) -> None:
        """Have a node keep calls by their numbers in the life of a process, as doors do; *said* is in their entries."""
        calls = []
        for n in numbers:
            sealed, details = seal({"user": "3"}, secrets.token_bytes)
            entry = call(n=n, sealed=sealed, **said)
            calls.append(Call(n, entry, entry_bytes(entry), details))
        await node.keep(record_own_calls, calls, self.clock.now())

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        """Return the rows of a table by its key."""
        found = await self.database.many(select(table).order_by(*table.primary_key.columns))
        return [dict(row) for row in found]

    async def logs(self) -> dict[str, ActivityLog]:
        """Return the logs by their origins, without what every origin begins with."""
        logs = [ActivityLog(**row) for row in await self.rows(activity_logs)]
        return {log.origin.removeprefix(BASE): log for log in logs}

    async def save(self) -> Rows:
        """Copy what the database holds of activities."""
        return {table: await self.rows(table) for table in TABLES}

    async def put_back(self, rows: Rows) -> None:
        """Put a copy back."""
        await self.database.transact(_put_back, rows)

    async def hold_the_rules(self) -> None:
        """Check that no size of a log has ever had two signed roots, and that each note is true of its records."""
        logs = {log.log_id: log for log in (await self.logs()).values()}
        leaves: dict[int, list[bytes]] = defaultdict(list)
        placed = [row for row in await self.rows(activity_records) if row["log_id"] is not None]
        for row in sorted(placed, key=lambda row: (row["log_id"], row["log_index"])):
            leaves[row["log_id"]].append(leaf_hash(bytes(row["entry"])))
        for row in await self.rows(activity_checkpoints):
            log = logs[row["log_id"]]
            if row["note"]:
                key = self.signer().verifier_key.named(log.origin)
                checkpoint = opened(row["note"], key, is_signed)
                self.seen[checkpoint.origin, checkpoint.size].add(checkpoint.root)
                if log.kind != "tree":
                    assert checkpoint.root == root_of(leaves[log.log_id][: checkpoint.size]), log
        for line in (self.folder / WITNESS).read_text().splitlines():
            origin, size, root = line.split(" ")
            self.seen[origin, int(size)].add(base64.b64decode(root))
        assert all(len(roots) == 1 for roots in self.seen.values()), "a size has two signed roots"

    async def is_all_signed(self) -> bool:
        """Tell whether every record has its place under a signed checkpoint."""
        signed = dict.fromkeys(range(1_000), 0)
        for row in await self.rows(activity_checkpoints):
            if row["note"]:
                signed[row["log_id"]] = max(signed[row["log_id"]], row["size"])
        records = await self.rows(activity_records)
        return all(row["log_id"] is not None and row["log_index"] < signed[row["log_id"]] for row in records)


async def _put_back(tx: Transaction, rows: Rows) -> None:
    for table in reversed(TABLES):
        await tx.run(delete(table))
    for table in TABLES:
        for row in rows[table]:
            await tx.run(insert(table).values(**row))


@asynccontextmanager
async def sealed(database_url: str, folder: Path, clock: HandClock) -> AsyncIterator[Sealed]:
    """Open the database for as long as the block lasts."""
    database = await open_database(database_url)
    rig = Sealed(database, folder, clock)
    try:
        yield rig
    finally:
        for sealer in rig.sealers:
            sealer.close()
        await database.close()
