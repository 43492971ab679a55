"""`make bench` runs and prints every figure; what the figures are is for a quiet machine to say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SERVERS = ("Keybearer on SQLite", "Keybearer on PostgreSQL", "oidc-provider in memory")
RATE = r" +[\d,]+/s "
RATIO = r" = \d+\.\d\d x "


@pytest.fixture(scope="module")
def printed() -> str:
    run = subprocess.run(
        [sys.executable, "-m", "bench", "--quick"], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout


@pytest.mark.timeout(300)
def test_every_figure_stands_beside_its_limit_and_its_peer(printed: str) -> None:
    calls, exchange, refresh, idle = printed.strip().split("\n\n")
    assert re.search(
        f"GET /api/v2/me{RATE}.*constant answer{RATE}.*GET /api/v2/me{RATIO}constant answer", calls, re.DOTALL
    )
    for title, figure in (("Code exchange", exchange), ("Refresh", refresh)):
        assert figure.startswith(title)
        for name in (*SERVERS, "bare commits, SQLite", "bare commits, PostgreSQL"):
            assert re.search(f"^  {name}{RATE}", figure, re.MULTILINE)
        for database in ("SQLite", "PostgreSQL"):
            assert re.search(f"Keybearer on {database}{RATIO}oidc-provider in memory", figure)
            assert re.search(f"Keybearer on {database}{RATIO}bare commits, {database}", figure)
    for name in ("Keybearer on SQLite", "oidc-provider in memory"):
        assert re.search(rf"^  {name} +\d+\.\d\d s +\d+\.\d MB$", idle, re.MULTILINE)
