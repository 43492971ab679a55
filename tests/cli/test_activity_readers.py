"""An export that several processes read is judged as one that is read by one."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

import pytest

from keybearer.audit.trust import Trust
from keybearer.audit.verdict import Verdict
from keybearer.cli import activity_readers
from keybearer.cli.activity_readers import ReaderLost, Readers, readers_for
from keybearer.cli.activity_verification import verdict_of
from keybearer.cli.progress import Progress
from tests.support.activity_logs import TEAM_7, USER_3, log, signer

MIB = 1024 * 1024
Change = Callable[[list[bytes]], Sequence[bytes]]


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    team, mine = log(TEAM_7, 300), log(USER_3, 40)
    return [*team.export(), *mine.export(tells=lambda index: index > 20)]


@pytest.fixture(scope="module")
def two() -> Iterator[Readers]:
    with Readers(2) as readers:
        yield readers


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_readers, "CHUNK_BYTES", 20_000)


def verdict(lines: Sequence[bytes], readers: Readers) -> Verdict:
    return verdict_of(BytesIO(b"".join(lines)), Trust([signer().key]), readers, Progress("verified"))


def edited(*places: int) -> Change:
    def change(lines: list[bytes]) -> list[bytes]:
        return [line.replace(b'"outcome":"', b'"outcome":"un') if n in places else line for n, line in enumerate(lines)]

    return change


@pytest.mark.parametrize(
    ("change", "first"),
    [
        pytest.param(lambda lines: lines, None, id="nothing"),
        pytest.param(edited(250, 40, 41, 330), (39, 41), id="records of several chunks, and of two logs"),
        pytest.param(lambda lines: [*lines[:150], *lines[151:]], (149, 151), id="a record removed"),
        pytest.param(lambda lines: [*lines[:9], b"x" * 3 * MIB, *lines[9:]], (8, 10), id="a line without an end"),
        pytest.param(lambda lines: [*lines[:299], lines[299][:50]], (298, 300), id="the file cut off"),
        pytest.param(lambda _: [], (None, None), id="an empty file"),
    ],
)
def test_the_verdict_is_the_same_and_names_the_same_record(
    lines: list[bytes], two: Readers, change: Change, first: tuple[int | None, int | None] | None
) -> None:
    with Readers(1) as one:
        alone = verdict(change(lines), one)
    assert verdict(change(lines), two) == alone
    assert next(((fault.index, fault.line) for fault in alone.faults), None) == first


def test_how_far_it_is_is_told_of_what_was_judged(lines: list[bytes], two: Readers) -> None:
    sizes = [size for size, _ in two.parts(BytesIO(b"".join(lines)))]
    assert sum(sizes) == sum(map(len, lines))
    assert len(sizes) > 5


def test_processes_end_with_the_block_and_one_that_is_gone_is_told(lines: list[bytes]) -> None:
    before = set(multiprocessing.active_children())
    with Readers(2) as readers:
        started = set(multiprocessing.active_children()) - before
        victim = started.pop()
        victim.kill()
        victim.join()
        with pytest.raises(ReaderLost):
            verdict(lines, readers)
    assert set(multiprocessing.active_children()) == before


@pytest.mark.parametrize(
    ("size", "most", "count"),
    [
        pytest.param(0, 8, 0, id="a pipe, whose size is not known"),
        pytest.param(127 * MIB, 8, 0, id="too little for two"),
        pytest.param(128 * MIB, 8, 2, id="enough for two"),
        pytest.param(9_000 * MIB, 8, 8, id="as many as may be"),
        pytest.param(9_000 * MIB, 1, 0, id="one, and nobody beside it"),
    ],
)
def test_there_are_as_many_readers_as_an_export_is_worth(size: int, most: int, count: int) -> None:
    assert readers_for(size, most).count == count


def test_unless_it_is_told_there_are_as_many_as_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert readers_for(9_000 * MIB, None).count == 3
