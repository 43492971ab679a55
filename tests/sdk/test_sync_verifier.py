"""The synchronous verifier: from many threads, through forks, and to its end."""

import asyncio
import gc
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from keybearer import ActivityLog, InvalidToken, SyncVerifier, Unavailable, Verifier
from keybearer.reporting import forks
from keybearer.reporting.salts import salts
from keybearer.reporting.segment import Unwritable
from keybearer.wire.denial import Reason
from tests.sdk.fake_node import KEY, FakeNode

FETCH = "/verifier/fetch"


def until(what: Callable[[], bool], timeout_s: float = 30) -> None:
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < timeout_s, "it did not come about"
        time.sleep(0.002)


def its_threads() -> int:
    return sum(thread.name == "keybearer" for thread in threading.enumerate())


def test_threads_share_what_is_known(node: FakeNode) -> None:
    text = node.issue(user_id=9)
    with SyncVerifier(node.url, key=KEY) as verifier, ThreadPoolExecutor(20) as threads:
        verifier.ready(30)
        assert verifier.is_ready
        principals = list(threads.map(verifier.verify, [text] * 200))
        assert {principal.user_id for principal in principals} == {9}
        assert node.count(FETCH) == 1
        assert verifier.valid_until(principals[0]) > verifier.now()


def test_a_revoked_token_is_refused_as_soon_as_the_feed_says_so(node: FakeNode) -> None:
    node.lease_s, node.interval_s = 60.0, 20.0
    text = node.issue()
    with SyncVerifier(node.url, key=KEY) as verifier:
        verifier.ready(30)
        verifier.verify(text)
        node.revoke(text)
        until(lambda: verifier.known(text) is None, 15)  # it was told; it did not wait for its turn
        with pytest.raises(InvalidToken) as caught:
            verifier.verify(text)
        assert caught.value.reason is Reason.UNKNOWN


def test_without_a_server_it_is_503() -> None:
    with SyncVerifier("http://127.0.0.1:1", key=KEY) as verifier, pytest.raises(Unavailable):
        verifier.ready(0.1)


def test_it_starts_at_the_first_token_or_when_it_is_asked_whether_it_is_ready(node: FakeNode) -> None:
    verifier = SyncVerifier(node.url, key=KEY)
    assert its_threads() == 0
    until(lambda: verifier.is_ready)
    assert its_threads() == 1
    verifier.close()
    assert its_threads() == 0
    with pytest.raises(Unavailable, match="closed"):
        verifier.verify(node.issue())


def test_whoever_asks_just_as_it_is_closed_is_told_so(node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    node.fetch_fault = "silent"
    verifier, hand_over = SyncVerifier(node.url, key=KEY), asyncio.run_coroutine_threadsafe
    verifier.ready(30)
    closing = threading.Thread(target=verifier.close)

    def hand_over_late(work: Any, loop: asyncio.AbstractEventLoop) -> object:
        if threading.current_thread() is threading.main_thread():
            closing.start()
            closing.join(0.2)
        return hand_over(work, loop)

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", hand_over_late)
    with pytest.raises(Unavailable, match="closed"):
        verifier.verify(node.issue())
    closing.join(30)
    assert its_threads() == 0


def test_its_thread_ends_when_nobody_has_it_any_more(node: FakeNode) -> None:
    verifier = SyncVerifier(node.url, key=KEY)
    verifier.verify(node.issue())
    assert its_threads() == 1
    del verifier
    gc.collect()
    until(lambda: its_threads() == 0)


def in_a_child(work: Callable[[], None], folder: Path, fork: Callable[[], int] = os.fork) -> None:
    """Fork, do *work* in the child, and fail if it did not succeed there."""
    report = folder / "child.txt"
    child = fork()
    if child == 0:
        try:
            signal.alarm(20)
            work()
            report.write_text("done", "utf-8")
        except BaseException:  # noqa: BLE001 - a child must never go on as a second run of the tests
            report.write_text(traceback.format_exc(), "utf-8")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert report.read_text("utf-8") == "done"


def test_a_forked_child_begins_anew_and_leaves_its_parent_alone(node: FakeNode, tmp_path: Path) -> None:
    text = node.issue()
    with SyncVerifier(node.url, key=KEY) as verifier:
        verifier.ready(30)
        verifier.verify(text)

        def child() -> None:
            assert verifier.known(text) is None  # nothing is believed that the parent heard
            assert not verifier._verifier.is_ready
            assert verifier.verify(text).user_id == 1
            verifier.ready(30)
            verifier.close()

        in_a_child(child, tmp_path)
        assert verifier.known(text) is not None
        node.revoke(text)
        until(lambda: verifier.known(text) is None)
        assert verifier.is_ready


def unnoticed_fork() -> int:
    """
    Fork as uWSGI does: nobody tells the verifier.

    Python itself is told: what its interpreter waits with is not fit for a child that other threads were in, and one
    such child in ten hung.
    """
    process, to_do = os.getpid(), forks._TO_DO.copy()
    forks._TO_DO.clear()
    child = os.fork()
    forks._TO_DO.extend(to_do)
    forks._process = process
    return child


def test_a_child_begins_anew_where_python_was_not_told_of_the_fork(node: FakeNode, tmp_path: Path) -> None:
    folder, others = tmp_path / "activity", node.issue()
    with SyncVerifier(node.url, key=KEY).reporting(ActivityLog(folder)) as verifier:
        verifier.ready(30)
        parents, drawn = verifier.reporter, {salts(1)}  # the rest of what was drawn waits for the next calls

        def child() -> None:
            assert verifier.verify(others).user_id == 1  # its parent's thread is not here
            assert verifier.reporter is not parents
            (tmp_path / "salts").write_text("\n".join(salts(1) for _ in range(40)))
            assert len(list(folder.iterdir())) == 2
            verifier.close()

        in_a_child(child, tmp_path, unnoticed_fork)
        drawn.update((tmp_path / "salts").read_text().splitlines(), (salts(1) for _ in range(40)))
        assert len(drawn) == 81
        assert verifier.is_ready
        assert verifier.reporter is parents


def test_a_child_that_has_verified_nothing_ends_at_once_where_python_was_not_told_of_the_fork(
    node: FakeNode, tmp_path: Path
) -> None:
    with SyncVerifier(node.url, key=KEY) as verifier:
        verifier.ready(30)

        def child() -> None:
            begun = time.monotonic()
            verifier.close()
            assert time.monotonic() - begun < 5

        in_a_child(child, tmp_path, unnoticed_fork)
        assert verifier.is_ready


def test_a_forked_child_that_cannot_record_says_so_until_it_can(node: FakeNode, tmp_path: Path) -> None:
    folder, away, text = tmp_path / "activity", tmp_path / "away", node.issue()
    with SyncVerifier(node.url, key=KEY).reporting(ActivityLog(folder)) as verifier:

        def child() -> None:
            with pytest.raises(Unwritable):
                _ = verifier.reporter
            assert verifier.verify(text).user_id == 1  # all else began anew
            folder.unlink()
            away.rename(folder)
            reporter = verifier.reporter
            assert reporter is not None
            until(lambda: reporter._shipper is not None)

        folder.rename(away)
        folder.write_text("no folder", "utf-8")
        in_a_child(child, tmp_path)


async def test_a_child_of_an_asynchronous_one_begins_anew(node: FakeNode, tmp_path: Path) -> None:
    text = node.issue()
    async with Verifier(node.url, key=KEY) as verifier:
        await verifier.ready(30)
        await verifier.verify(text)

        def child() -> None:
            assert verifier.known(text) is None
            assert not verifier.is_ready
            with ThreadPoolExecutor(1) as thread:  # this thread's loop is the parent's
                assert thread.submit(asyncio.run, used(verifier, text)).result() == 1

        await asyncio.to_thread(in_a_child, child, tmp_path)
        assert verifier.known(text) is not None
        node.revoke(text)
        await asyncio.to_thread(until, lambda: verifier.known(text) is None)


async def used(verifier: Verifier, text: str) -> int:
    async with verifier:
        return (await verifier.verify(text)).user_id


async def test_an_asynchronous_one_belongs_to_one_loop(node: FakeNode) -> None:
    text = node.issue()
    async with Verifier(node.url, key=KEY) as verifier:
        await verifier.ready(30)
        with pytest.raises(RuntimeError, match="one event loop"):
            await asyncio.to_thread(asyncio.run, verifier.verify(text))


def test_an_asynchronous_one_goes_on_in_the_next_loop(node: FakeNode) -> None:
    text = node.issue()
    verifier = Verifier(node.url, key=KEY)
    assert asyncio.run(used(verifier, text)) == 1
    assert asyncio.run(used(verifier, text)) == 1
