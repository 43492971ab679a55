"""Workers of one server are scraped as one: sums that never go back, and nothing of the dead but what lasts."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from math import inf
from pathlib import Path

import pytest

from keybearer.server.metrics.measuring import Measured, joined, lasting
from keybearer.server.metrics.table import METRICS
from keybearer.server.metrics.workers import Workers, folder_of_workers
from keybearer.server.metrics.writing import text_of


def measured(answered: int, memory: int, *, since: int = 1) -> Measured:
    return {
        ("keybearer_requests_total", ("GET", "/healthz", "200")): (answered,),
        ("keybearer_commit_duration_seconds", ()): (answered, 1, 0, 0, 0, 0, 0, 0, 0.5),
        ("process_resident_memory_bytes", ()): (memory,),
        ("process_start_time_seconds", ()): (since,),
    }


@pytest.fixture
def held() -> Iterator[ExitStack]:
    """Let go of what a test holds."""
    with ExitStack() as stack:
        yield stack


def worker(root: Path, held: ExitStack) -> Workers:
    return held.enter_context(closing(Workers(root)))


def test_counts_and_histograms_add_up_and_gauges_as_the_table_says(tmp_path: Path, held: ExitStack) -> None:
    first, second = worker(tmp_path, held), worker(tmp_path, held)
    first.keep(measured(3, 100, since=7))
    second.keep(measured(4, 200, since=9))
    assert first.measured() == second.measured()
    assert first.measured() == {
        ("keybearer_requests_total", ("GET", "/healthz", "200")): (7,),
        ("keybearer_commit_duration_seconds", ()): (7, 2, 0, 0, 0, 0, 0, 0, 1.0),
        ("process_resident_memory_bytes", ()): (300,),
        ("process_start_time_seconds", ()): (9,),
    }


def test_of_a_worker_that_has_ended_what_was_counted_lasts_and_no_gauge(tmp_path: Path, held: ExitStack) -> None:
    first = worker(tmp_path, held)
    with closing(Workers(tmp_path)) as second:
        first.keep(measured(3, 100))
        second.keep(measured(4, 200))
    assert first.measured() == joined((measured(3, 100), lasting(measured(4, 200))))


def test_a_new_worker_goes_on_where_the_last_one_left_off(tmp_path: Path, held: ExitStack) -> None:
    first = worker(tmp_path, held)
    first.keep(measured(3, 100))
    for restarts in range(1, 4):
        with closing(Workers(tmp_path)) as restarted:
            assert first.measured() == joined([measured(3, 100), *[lasting(measured(4, 0))] * (restarts - 1)])
            for answered in (1, 4):  # what it measures itself begins at nothing
                restarted.keep(measured(answered, 200))
        assert first.measured() == joined([measured(3, 100), *[lasting(measured(4, 0))] * restarts])
    assert len(list(tmp_path.iterdir())) == 2


def test_what_was_never_done_was_done_an_infinite_time_ago(tmp_path: Path, held: ExitStack) -> None:
    never: Measured = {("keybearer_feed_unread_seconds", ()): (inf,)}
    first, second = worker(tmp_path, held), worker(tmp_path, held)
    first.keep(never)
    second.keep({("keybearer_feed_unread_seconds", ()): (0.1,)})
    assert second.measured() == never
    assert b"\nkeybearer_feed_unread_seconds +Inf\n" in text_of(second.measured(), "")[0]


def test_a_worker_that_has_just_begun_is_nothing_yet(tmp_path: Path, held: ExitStack) -> None:
    first = worker(tmp_path, held)
    (tmp_path / ".ffff").mkdir()  # another's, that is not held yet
    worker(tmp_path, held)
    first.keep(measured(3, 100))
    assert first.measured() == measured(3, 100)


def test_a_server_leaves_no_folder_behind_and_takes_away_that_of_one_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "metrics-dead" / "a worker").mkdir(parents=True)
    (tmp_path / "metrics-gone").symlink_to(tmp_path / "removed")  # as one that another server removes at this moment
    with folder_of_workers(tmp_path) as alive:
        (tmp_path / "metrics-gone").unlink()
        with folder_of_workers(tmp_path) as another:
            assert {path.name for path in tmp_path.iterdir()} == {"calls", alive.name, another.name}
        with closing(Workers(alive)) as worker:
            worker.keep(measured(3, 100))
            assert worker.measured() == measured(3, 100)
    assert [path.name for path in tmp_path.iterdir()] == ["calls"]


def test_metrics_are_named_as_prometheus_wants_them() -> None:
    for name, metric in METRICS.items():
        assert name.endswith("_total") is (metric.kind == "counter"), name
        assert (metric.kind == "histogram") is bool(metric.bounds), name
        assert metric.words.endswith("."), name


@pytest.mark.parametrize("version", ["abc", "1.", "\u00b2"])
def test_a_scraper_that_wants_a_version_that_is_none_gets_the_text_that_all_read(version: str) -> None:
    text, media_type = text_of(measured(3, 100), f"application/openmetrics-text; version={version}")
    assert media_type == "text/plain; version=0.0.4; charset=utf-8"
    assert b"\nprocess_resident_memory_bytes 100.0\n" in text
