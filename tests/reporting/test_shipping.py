"""Shipping: out of memory or out of the files, each record is told under the same number and in the same words."""

import asyncio
import errno
import json
import random
import shutil
from http import HTTPStatus
from pathlib import Path

import pytest

from keybearer.reporting import life
from keybearer.reporting import shipping as shipping_module
from keybearer.reporting.asked import Asked
from keybearer.reporting.recent import Recent
from keybearer.reporting.records import Record
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.segment import SegmentReader, Unwritable
from keybearer.reporting.shipping import REFUSED
from keybearer.reporting.spool import Spool, segments_of
from tests.reporting.spools import ASKED, Taking, called, failing, now, reporter_of, shipped, shipping, somebody


def reporter_with(folder: Path, name: str, most_recent: int) -> Reporter:
    """Return a reporter whose files are short, and which remembers *most_recent* calls."""
    return reporter_of(Spool(folder / name, name, segment_bytes=4_000, recent=Recent(most_recent)))


async def test_what_memory_has_is_not_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(reader: SegmentReader, _: int) -> None:
        raise AssertionError(f"{reader.path} is read")

    monkeypatch.setattr(SegmentReader, "lines", unread)
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    for _ in range(3):
        called(reporter)
    await shipped(reporter, taking)
    assert [entry.n for entry in taking.entries] == [1, 2, 3]
    reporter.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_line_is_json_as_json_is_written_whatever_a_caller_sends(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    call = reporter.begin(somebody(), Asked("GET", '/"\\{é}', "req\\", '"::1"', "\x01\x7f\u2028\U0001f600\n"))
    call.record("mail.sent", {"to": '"\\\x00'})
    call.finish("done", 200)
    await shipped(reporter, taking)
    [line] = taking.kept.values()
    assert line.decode() == json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":"))
    reporter.close()


@pytest.mark.parametrize("whose", ["its own", "left behind"])
async def test_what_a_full_disk_holds_up_is_told_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    called(reporter)
    if whose == "left behind":
        reporter.close()
        reporter = Reporter(ActivityLog(tmp_path), now)
    monkeypatch.setattr(life, "_kept_once", failing(errno.ENOSPC))
    async with shipping(reporter, taking):
        await reporter.flush(30)
        assert "No space left" in (reporter.trouble or "")
        monkeypatch.undo()
        await reporter.flush(30)
        assert (reporter.trouble, [entry.n for entry in taking.entries]) == (None, [1])
    reporter.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_spool_that_somebody_deletes_is_told_of_and_what_memory_has_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keybearer.reporting.shipping._ADOPT_EVERY_S", 0.0)
    reporter, taking = Reporter(ActivityLog(tmp_path / "spool", "durable"), now), Taking()
    await reporter.kept(called(reporter))
    async with shipping(reporter, taking):
        await reporter.flush(30)
        called(reporter)
        shutil.rmtree(tmp_path / "spool")
        with pytest.raises(Unwritable, match="was deleted"):
            await reporter.kept(called(reporter))
        await reporter.flush(30)
        assert "No such file" in (reporter.trouble or "")
        assert [entry.n for entry in taking.entries] == [1, 2, 3]
    reporter.close()


async def test_what_memory_has_let_go_of_is_read_and_no_more_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "BATCH", 4)
    reporter, taking = reporter_with(tmp_path, "life", 10), Taking()
    for _ in range(40):
        called(reporter)
    first, *_, last = segments_of(tmp_path / "life")
    last.write_bytes(b"nobody reads this")
    await shipped(reporter, taking)
    assert [entry.n for entry in taking.entries] == list(range(1, 41))
    assert segments_of(tmp_path / "life") == [last], "a file goes once what is in it was told, read or not"
    assert first != last
    reporter.close()
    assert list(tmp_path.iterdir()) == []


async def test_memory_and_files_take_turns_and_nothing_is_told_twice(tmp_path: Path) -> None:
    reporter, taking = reporter_with(tmp_path, "life", 10), Taking()
    async with shipping(reporter, taking):
        for calls in (5, 40, 5, 40, 40, 10):
            for _ in range(calls):
                called(reporter)
            await reporter.flush(30)
    assert [entry.n for entry in taking.entries] == list(range(1, 141))
    assert taking.told == 140
    reporter.close()


async def test_what_comes_while_a_batch_is_taken_waits_for_the_next_turn(tmp_path: Path) -> None:
    class Busy(Taking):
        async def take(self, records: list[Record], reporter_id: str) -> list[tuple[Record, str]]:
            called(reporter)
            await asyncio.sleep(0)
            return await super().take(records, reporter_id)

    reporter, taking = Reporter(ActivityLog(tmp_path), now), Busy()
    called(reporter)
    async with shipping(reporter, taking), asyncio.timeout(20):
        for _ in range(3):
            await reporter.flush(3_600)
            assert reporter.waiting == 1
    reporter.close()


async def test_many_calls_that_wait_are_shipped_before_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping_module, "_EVERY_S", 3_600.0)
    taken = asyncio.Event()

    class Telling(Taking):
        async def take(self, records: list[Record], reporter_id: str) -> list[tuple[Record, str]]:
            if records[-1].n % 1_000 == 0:
                taken.set()
            return await super().take(records, reporter_id)

    reporter, taking = Reporter(ActivityLog(tmp_path), now), Telling()
    async with shipping(reporter, taking), asyncio.timeout(20):
        for _ in range(3):
            for _ in range(1_000):
                called(reporter)
            await taken.wait()
            taken.clear()
    reporter.close()


async def test_what_was_shipped_in_its_time_counts_for_none_of_many_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping_module, "_EVERY_S", 3_600.0)
    reporter, sizes, all_taken = Reporter(ActivityLog(tmp_path), now), list[int](), asyncio.Event()

    class Telling(Taking):
        async def take(self, records: list[Record], reporter_id: str) -> list[tuple[Record, str]]:
            sizes.append(len(records))
            if records[-1].n == 1_999:
                all_taken.set()
            return await super().take(records, reporter_id)

    async with shipping(reporter, Telling()), asyncio.timeout(20):
        for number in range(1, 2_000):
            called(reporter)
            if number in {999, 1_000}:
                await (reporter.flush(3_600) if number == 999 else asyncio.sleep(0.05))
        await all_taken.wait()
    assert sizes == [500, 499, 500, 500]
    reporter.close()


@pytest.mark.parametrize("seed", range(8))
async def test_however_memory_files_lost_answers_and_ends_follow_on_each_other_each_record_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    monkeypatch.setattr(life, "BATCH", 7)
    taking, ended = Taking(), {}
    for number in range(3):
        name = f"life-{number}"
        reporter, ended[name] = reporter_with(tmp_path, name, 20), 0
        lasting = [reporter.begin(somebody(), ASKED) for _ in range(3)]
        async with shipping(reporter, taking):
            for _ in range(12):
                for _ in range(chance.choice((1, 5, 30))):
                    begin = chance.choice((reporter.begin, reporter.begin_read))
                    begin(somebody(), ASKED).finish("done", HTTPStatus.OK)
                    ended[name] += 1
                if lasting and chance.random() < 0.2:
                    lasting.pop().finish("failed", 500)
                    ended[name] += 1
                taking.losing, taking.is_away = chance.choice((0, 0, 1)), chance.random() < 0.3
                await reporter.flush(30)
        ended[name] += len(lasting)
        reporter.close()
    taking.losing, taking.is_away = 0, False
    await shipped(last := Reporter(ActivityLog(tmp_path), now), taking)
    last.close()
    assert sorted(taking.kept) == [(name, n) for name, count in ended.items() for n in range(1, count + 1)]
    assert not (tmp_path / REFUSED).exists(), "no record was told in two ways"
    outcomes = [entry.outcome for entry in taking.entries]
    assert outcomes.count("failed") + outcomes.count("unknown") == 9
