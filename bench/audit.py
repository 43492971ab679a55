"""Verifying an export of the activity log offline, beside the bare hashes that it cannot do without."""

import json
import os
from collections.abc import Callable
from hashlib import sha256
from time import process_time
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.measures import Candidate, Comparison, Figure, Pace
from keybearer.audit.entries import read_entries
from keybearer.audit.export import LogSource, StoredRecord, export_lines
from keybearer.audit.trust import Trust
from keybearer.audit.verification import BATCH, Verification
from keybearer.wire.activity import Details, Entry, entry_bytes, seal
from keybearer.wire.activity_keys import LATENCIES_MS
from keybearer.wire.checkpoint import Checkpoint, VerifierKey, signed
from keybearer.wire.merkle import leaf_hash, root_of

RECORDS: Final = 4_096
VERIFYING_GOAL: Final = 100_000  # records a second, of one core
SEALING_GOAL_US: Final = 15
_ORIGIN: Final = "auth.example.com/activity/team/7/2026-11"
_PERSONAL: Final = {
    "user": "31",
    "address": "203.0.113.77",
    "agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
}
_CLIENTS: Final = [f"0192ab3c4d5e6f708192a3{number:02}" for number in range(7)]
_TOKENS: Final = [f"0192ab3c4d5e6f708192a3b4c5d6e7{number:02}" for number in range(29)]
_ROUTES: Final = (
    "/v2/teams/{team_id}/clients/{client_id}",
    "/v2/teams/{team_id}/clients",
    "/v2/time_entries",
    "/v2/invoices/{invoice_id}",
)


async def measure(pace: Pace) -> Figure:
    """Write an export of calls, and verify it again and again, in turns with whom it is compared."""
    records = [StoredRecord(index, *_call(index)) for index in range(RECORDS)]
    trust, lines = _export(records)
    entries = [record.entry for record in records]
    bare, parsing = (
        Candidate("bare SHA-256 of the same, in Python"),
        Candidate("json.loads and one SHA-256 of each line"),
    )
    verifying = Candidate("verify an export")
    reading, sealing = Candidate("read entries and hash them"), Candidate("seal and write an entry")
    turns: tuple[tuple[Candidate, Callable[[], object]], ...] = (
        (bare, lambda: _hash(records)),
        (parsing, lambda: [(json.loads(line), sha256(line).digest()) for line in lines]),
        (verifying, lambda: _verify(trust, lines)),
        (reading, lambda: _read(entries)),
        (sealing, _seal),
    )
    for _ in range(pace.rounds):
        for candidate, work in turns:
            candidate.rates.append(_rate(work, pace.round_s / 3))
    verified = f"verify an export: {verifying.rate:,.0f}/s, {verifying.best:,.0f} in the best round"
    sealed = f"seal and write an entry: {1e6 / sealing.rate:.1f} µs, {1e6 / sealing.best:.1f} in the best round"
    return Figure(
        "Activity log, records a second of one core's time",
        (bare, parsing, verifying, reading, sealing),
        (Comparison(verifying, bare, is_cost=True), Comparison(verifying, parsing, is_cost=True)),
        (f"{verified}   (goal {VERIFYING_GOAL:,}/s)", f"{sealed}   (at most {SEALING_GOAL_US})"),
    )


def _rate(work: Callable[[], object], seconds: float) -> float:
    """Return records per second of the processor's time: what others take of the machine does not count."""
    done, began = 0, process_time()
    while (lasted := process_time() - began) < seconds:
        work()
        done += RECORDS
    return done / lasted


def _call(index: int) -> tuple[bytes, Details]:
    """Make what an API reports of one call."""
    sealed, details = seal(_PERSONAL, os.urandom)
    entry = Entry(
        at=1_764_111_600_000_000 + index * 1_000,
        action="api.called",
        outcome="done",
        reporter="0192ab3c4d5e6f708192a3b4c5d6e7f7",
        boot="b8sk2kd82ksl2k3d",
        n=index + 1,
        team=7,
        environment="live",
        client=_CLIENTS[index % len(_CLIENTS)],
        grant=_TOKENS[index % len(_TOKENS)],
        token=_TOKENS[index % len(_TOKENS)],
        token_last4="aB3x",
        method="GET",
        route=_ROUTES[index % len(_ROUTES)],
        status=200,
        ms=LATENCIES_MS[index % 5],
        request_id=f"0192ab3c4d5e6f708192a3b4{index:08}",
        sealed=sealed,
    )
    return entry_bytes(entry), details


def _seal() -> None:
    """Seal one entry after the other; none is kept, since an API's calls do not wait for each other."""
    for index in range(RECORDS):
        _call(index)


def _export(records: list[StoredRecord]) -> tuple[Trust, list[bytes]]:
    private = Ed25519PrivateKey.generate()
    key = VerifierKey(_ORIGIN, private.public_key().public_bytes_raw())
    leaves = [leaf_hash(record.entry) for record in records]
    note = signed(Checkpoint(_ORIGIN, len(records), root_of(leaves)), key, private.sign)
    source = LogSource(_ORIGIN, key.text, note, len(records), lambda _, place: leaves[place])  # nothing is left out
    return Trust([key]), [line + b"\n" for line in export_lines(source, records)]


def _hash(records: list[StoredRecord]) -> None:
    """Hash each record's entry, three commitments and, of the tree, one node."""
    for record in records:
        left = sha256(b"\x00" + record.entry).digest()
        for _, value in (record.details or {}).values():
            sha256(b"kb1address\x00" + left + value.encode()).digest()
        sha256(b"\x01" + left + left).digest()


def _verify(trust: Trust, lines: list[bytes]) -> None:
    verification = Verification(trust)
    for start in range(0, len(lines), BATCH):
        verification.take(lines[start : start + BATCH])
    verdict = verification.verdict()
    assert verdict.is_proved, verdict.faults


def _read(entries: list[bytes]) -> list[bytes]:
    found = []
    for start in range(0, len(entries), BATCH):
        block = b"\n".join(entries[start : start + BATCH])
        read_entries(block)
        found += [leaf_hash(entry) for entry in block.split(b"\n")]
    return found
