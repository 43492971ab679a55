"""An export of the activity log verified, and the verdict in words."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from keybearer.audit.lines import MAX_LINE_BYTES
from keybearer.audit.trust import Trust
from keybearer.audit.verdict import Fault, LogVerdict, Verdict
from keybearer.audit.verification import Verification
from keybearer.cli.activity_readers import ReaderLost, Readers, readers_for
from keybearer.cli.printing import say
from keybearer.cli.progress import Progress
from keybearer.cli.trouble import WRONG_USAGE, Trouble
from keybearer.wire.checkpoint import BadNote, VerifierKey, key_from

_MOST_NAMED: Final = 5  # erased records, for people; --json has them all


def trust_of(keys: Sequence[str], checkpoints: Sequence[Path]) -> Trust:
    """
    Read the keys and the saved checkpoints that were given.

    Raises:
        Trouble: one of them cannot be read.
    """
    try:
        held = [key_from(key.strip()) for key in keys]
    except BadNote as error:
        raise Trouble(f"--key: {error}", WRONG_USAGE) from error
    return Trust(held, [_note(path, held) for path in checkpoints])


def verified(file: Path, trust: Trust, jobs: int | None) -> Verdict:
    """
    Verify the export in a file.

    Args:
        jobs: how many processes may read it; None: one for each processor.

    Raises:
        Trouble: the file cannot be read, or not to its end.
    """
    with _opened(file) as export, readers_for(size := file.stat().st_size, jobs) as readers:
        try:
            with Progress("verified", size) as progress:
                return verdict_of(export, trust, readers, progress)
        except ReaderLost as error:
            raise Trouble("a process that read the export is gone; try --jobs 1, which takes less memory") from error


def verdict_of(export: BinaryIO, trust: Trust, readers: Readers, progress: Progress) -> Verdict:
    """
    Verify an export, wherever it comes from.

    Args:
        progress: told how many bytes were looked at.

    Raises:
        ReaderLost: one of the processes that read it is gone.
    """
    verification = Verification(trust)
    for size, parts in readers.parts(export):
        for lines, batch in parts:
            verification.take(lines, batch)
        progress.advance(size)
    return verification.verdict()


def say_verdict(verdict: Verdict, *, has_saved: bool, as_json: bool) -> None:
    """
    Print what is known of each log.

    Raises:
        Trouble: something is wrong; the first thing is named.
    """
    for log in verdict.logs.values():
        if as_json:
            say(_described(log), as_json=True)
        else:
            print("\n".join(_in_words(log)), flush=True)
    if verdict.unsigned and verdict.logs:
        if as_json:
            say({"log": None, "not_signed": verdict.unsigned}, as_json=True)
        else:
            print(f"{verdict.unsigned:,} records of logs that are not signed yet prove nothing", flush=True)
    if verdict.faults:
        others = len(verdict.faults) - 1
        raise Trouble(_place(verdict.faults[0]) + (f"; {others} more of the logs are wrong" if others else ""))
    if not has_saved and not as_json:
        print("No saved checkpoint was given: that a log was written anew as a whole would not be seen. Save one now.")


def _note(path: Path, keys: Sequence[VerifierKey]) -> str:
    with _opened(path) as file:
        text = file.read(MAX_LINE_BYTES).decode(errors="replace")
    try:
        Trust(keys, [text])
    except BadNote as error:
        raise Trouble(f"{path}: {error}") from error
    return text


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise Trouble(f"cannot read {path}: {error.strerror}") from error


def _place(fault: Fault) -> str:
    places = [
        fault.log,
        None if fault.index is None else f"record {fault.index}",
        None if fault.line is None else f"line {fault.line}",
    ]
    return ", ".join(place for place in places if place) + (": " if any(places) else "") + fault.what


def _in_words(log: LogVerdict) -> Iterator[str]:
    yield f"{log.origin}: {'NOT PROVED' if log.fault else 'proved'}"
    yield f"  records {log.records:,}, left out {log.skipped:,}, of {log.size:,} that the checkpoint speaks for"
    if log.kept:
        yield f"  goes on from the saved checkpoint of {', '.join(f'{size:,}' for size in log.kept)} records"
    if log.unsigned:
        yield f"  not yet signed: {log.unsigned:,} further records, which prove nothing"
    if log.erased:
        named = [f"{index} ({', '.join(fields)})" for index, fields in islice(log.erased.items(), _MOST_NAMED)]
        more = f" and {len(log.erased) - _MOST_NAMED:,} more" if len(log.erased) > _MOST_NAMED else ""
        yield f"  without their details: {len(log.erased):,} records: {', '.join(named)}{more}"
    if log.fault:
        yield f"  {_place(log.fault).removeprefix(f'{log.origin}, ').removeprefix(f'{log.origin}: ')}"


def _described(log: LogVerdict) -> dict[str, Any]:
    fault = log.fault
    return {
        "log": log.origin,
        "proved": fault is None,
        "size": log.size,
        "root": b64encode(log.root).decode(),
        "records": log.records,
        "left_out": log.skipped,
        "not_signed": log.unsigned,
        "saved_checkpoints": log.kept,
        "erased": [{"index": index, "fields": list(fields)} for index, fields in log.erased.items()],
        "wrong": fault and {"index": fault.index, "line": fault.line, "what": fault.what},
    }
