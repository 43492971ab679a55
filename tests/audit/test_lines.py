"""What a line of an export may be: there is one way to write it, and no nonsense is believed, whoever signed it."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from keybearer.audit.trust import Trust
from keybearer.audit.verdict import Fault
from keybearer.wire.activity_keys import CANONICAL
from keybearer.wire.merkle import leaf_hash
from tests.support.activity_logs import TEAM_7, Log, log, signer, verdict_of

SIZE = 8


@pytest.fixture(scope="module")
def team_log() -> Log:
    return log(TEAM_7, SIZE)


def only_fault(lines: list[bytes], batch: int = 1) -> Fault:
    (fault,) = verdict_of(lines, Trust([signer().key]), batch).faults
    return fault


@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(lambda parts: json.dumps(parts, sort_keys=True), id="spaces"),
        pytest.param(lambda parts: json.dumps(parts, separators=(",", ":"))[:-1] + ',"v":1}', id="a key more"),
        pytest.param(lambda parts: CANONICAL.encode(parts) + "\r", id="another end"),
        pytest.param(
            lambda parts: json.dumps(dict(reversed(parts.items())), separators=(",", ":")), id="another order"
        ),
        pytest.param(
            lambda _: f'{{"log":"{TEAM_7}","key":"{signer().key.named(TEAM_7).text}","checkpoint":"…"}}', id="once"
        ),
    ],
)
def test_a_line_that_was_written_in_another_way_is_not_believed_and_whoever_did_is_told_what_to_do(
    team_log: Log, rewrite: Callable[[dict[str, object]], str]
) -> None:
    """Older versions wrote exports in another way, and so does many a tool that reads and writes JSON."""
    lines = [rewrite(json.loads(line)).encode() + b"\n" for line in team_log.export()]
    fault = only_fault(lines)
    assert (fault.line, fault.what.rpartition("; ")[2]) == (
        1,
        "an export that an older version wrote, or another tool rewrote, has to be made again",
    )


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        pytest.param(b'"ms":30', b'"ms":31', "ms is not one of", id="a value that none can have"),
        pytest.param(b'"v":1}', b'"v":1,"w":1}', "unknown key, 'w'", id="an unknown key"),
        pytest.param(b'"n":6,', b"", "one of reporter, boot and n without the others", id="without its number"),
        pytest.param(b'"sealed":{"address"', b'"sealed":{"adress"', "unknown field, 'adress'", id="another field"),
    ],
)
def test_nonsense_is_found_though_the_server_signed_it(team_log: Log, old: bytes, new: bytes, what: str) -> None:
    """Its hash is right, and so might the root be: what is in the log is not what belongs there."""
    honest, lines = team_log.records[5].entry, team_log.export()
    entry = honest.replace(old, new)
    assert entry != honest
    lines[6] = lines[6].replace(honest, entry).replace(b64encode(leaf_hash(honest)), b64encode(leaf_hash(entry)))
    for batch in (1, 1000):
        fault = only_fault(lines, batch)
        assert (fault.index, what in fault.what) == (5, True), fault.what


def test_what_is_stored_and_is_no_entry_is_named_in_its_place(team_log: Log) -> None:
    stored = Log(TEAM_7, signer(), list(team_log.records))
    stored.records[5] = replace(stored.records[5], entry=b'"},"index":4}\n{"log":\xff')
    lines = stored.export()
    assert len(lines) == SIZE + 1
    fault = only_fault(lines)
    assert (fault.index, fault.line, fault.what) == (5, 7, "the record's entry or details are not an object")
