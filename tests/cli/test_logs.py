"""A log that cannot be written costs its lines, and no request."""

import os
from pathlib import Path

from keybearer.cli.logs import LogFile

LINE = b"a line\n"


def test_a_log_whose_disk_is_full_loses_its_lines() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        log = LogFile(full)
        log.write(LINE)
        log.flush()


def test_a_log_that_nobody_reads_any_more_loses_its_lines() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb", buffering=0) as broken:
        log = LogFile(broken)
        log.write(LINE)
        log.flush()


def test_a_line_is_written(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        log = LogFile(file)
        log.write(LINE)
        log.flush()
        assert (tmp_path / "log").read_bytes() == LINE
