"""Tests write into memory where that is fit for it, and nobody's wish is overruled."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.support import memory
from tests.support.memory import ENOUGH, is_fit, write_in_memory


def file_system(free: int, flags: int = 0) -> os.statvfs_result:
    """Describe one with as many free bytes, in blocks of one KiB."""
    return os.statvfs_result((1024, 1024, free // 1024, free // 1024, free // 1024, 0, 0, 0, flags, 255))


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a process does whose environment says nothing."""
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)


@pytest.mark.parametrize(
    ("place", "is_so"),
    [
        pytest.param(file_system(ENOUGH), True, id="room for a run"),
        pytest.param(file_system(64 << 20), False, id="the 64 MiB of a container"),
        pytest.param(file_system(ENOUGH, os.ST_NOEXEC), False, id="no programs"),
    ],
)
def test_it_is_fit_with_room_for_a_run_where_programs_start(place: os.statvfs_result, is_so: bool) -> None:
    assert is_fit(place) is is_so


def test_temporary_folders_are_made_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "is_fit", lambda _: True)
    write_in_memory(tmp_path)
    assert (tempfile.gettempdir(), os.environ["TMPDIR"]) == (str(tmp_path), str(tmp_path))


def test_whoever_has_set_another_folder_is_obeyed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "is_fit", lambda _: True)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    write_in_memory(tmp_path / "memory")
    assert os.environ["TMPDIR"] == str(tmp_path)


@pytest.mark.parametrize("name", ["unfit", "missing"])
def test_a_place_that_is_not_fit_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setattr(memory, "is_fit", lambda _: False)
    (tmp_path / "unfit").mkdir()
    write_in_memory(tmp_path / name)
    assert "TMPDIR" not in os.environ
