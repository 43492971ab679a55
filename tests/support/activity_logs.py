"""Logs of activity as a server would keep them, in memory: with keys, trees, checkpoints and exports."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keybearer.audit.export import LogSource, StoredRecord, export_lines
from keybearer.audit.trust import Trust
from keybearer.audit.verdict import Verdict
from keybearer.audit.verification import Verification
from keybearer.wire.activity import Entry, entry_bytes, seal
from keybearer.wire.checkpoint import Checkpoint, VerifierKey, signed
from keybearer.wire.merkle import SubtreeHash, leaf_hash, node_hash, root_of
from tests.support.entries import CALL, VALUES

SERVER = "auth.example.com/activity"
TEAM_7 = f"{SERVER}/team/7/2026-11"
TEAM_8 = f"{SERVER}/team/8/2026-11"
USER_3 = f"{SERVER}/user/3/2026-11"


@dataclass(frozen=True)
class Signer:
    """A server's signing key; each seed has its own."""

    private: Ed25519PrivateKey

    @property
    def key(self) -> VerifierKey:
        """The key that whoever verifies holds."""
        return VerifierKey(SERVER, self.private.public_key().public_bytes_raw())


def signer(seed: int = 1) -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


@dataclass
class Log:
    """One log: the records that happened, in their order."""

    origin: str
    signer: Signer
    records: list[StoredRecord] = field(default_factory=list)

    def happen(self, count: int, *, erased: Sequence[str] = (), **changes: Any) -> None:
        """Add *count* calls, whose fields *erased* have no detail any more."""
        chance = Random(f"{self.origin} {len(self.records)}")  # noqa: S311 - the same salts each time
        for _ in range(count):
            index = len(self.records)
            sealed, details = seal(VALUES | {"user": str(index % 5 + 1)}, chance.randbytes)
            parts = CALL | {
                "n": index + 1,
                "at": CALL["at"] + index * 1000,
                "status": 200 + index % 3,
                "sealed": sealed,
            }
            left = {name: detail for name, detail in details.items() if name not in erased}
            self.records.append(StoredRecord(index, entry_bytes(Entry(**parts | changes)), left))

    def checkpoint(self, size: int | None = None) -> str:
        """Sign what the log is at one size: as it is now, or as it was."""
        size = len(self.records) if size is None else size
        root = root_of([leaf_hash(record.entry) for record in self.records[:size]])
        return signed(Checkpoint(self.origin, size, root), self.signer.key.named(self.origin), self.signer.private.sign)

    def export(
        self,
        size: int | None = None,
        tells: Callable[[int], bool] = lambda _: True,
        shown: Iterable[int] = (),
    ) -> list[bytes]:
        """Write the log's part of an export: of a size signed, records that are told, earlier sizes to be shown."""
        size = len(self.records) if size is None else size
        key = self.signer.key.named(self.origin).text
        leaves = [leaf_hash(record.entry) for record in self.records]
        source = LogSource(self.origin, key, self.checkpoint(size), size, hashes_of(leaves), frozenset(shown))
        told = [record for record in self.records if record.index is None or tells(record.index)]
        return [line + b"\n" for line in export_lines(source, told)]


def log(origin: str = TEAM_7, count: int = 0, seed: int = 1) -> Log:
    made = Log(origin, signer(seed))
    made.happen(count)
    return made


def hashes_of(leaves: Sequence[bytes]) -> SubtreeHash:
    """Work out the hash of any perfect subtree of a tree."""

    @cache
    def hash_of(level: int, place: int) -> bytes:
        if level == 0:
            return leaves[place]
        return node_hash(hash_of(level - 1, 2 * place), hash_of(level - 1, 2 * place + 1))

    return hash_of


def verdict_of(lines: Sequence[bytes], trust: Trust, batch: int = 1) -> Verdict:
    """Verify an export, *batch* lines at a time."""
    verification = Verification(trust)
    for start in range(0, len(lines), batch):
        verification.take(lines[start : start + batch])
    return verification.verdict()
