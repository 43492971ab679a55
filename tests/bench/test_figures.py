"""`make bench` runs and prints every figure; what the figures are is for a quiet machine to say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SERVERS = ("Keybearer on SQLite", "Keybearer on PostgreSQL", "oidc-provider in memory")
pytestmark = pytest.mark.timeout(600)  # whichever comes first runs it all
RATE = r" +[\d,]+/s "
RATIO = r" = \d+\.\d\d x "


@pytest.fixture(scope="module")
def printed() -> str:
    run = subprocess.run(
        [sys.executable, "-m", "bench", "--quick"], cwd=ROOT, capture_output=True, text=True, timeout=560, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout


def test_every_figure_stands_beside_its_limit_and_its_peer(printed: str) -> None:
    calls, exchange, refresh, idle, *_ = printed.strip().split("\n\n")
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


def test_what_verifiers_and_gateways_wait_for_has_its_figures(printed: str) -> None:
    asked, revocation, middleware, reporting, verification, *_ = printed.strip().split("\n\n")[4:]
    for database in ("SQLite", "PostgreSQL"):
        for ours in ("POST /oauth/introspect", "GET /forward-auth"):
            for other in ("bare ASGI form echo", "oidc-provider in memory, introspection"):
                assert re.search(f"{ours}, {database}{RATIO}{other} +\\(goal", asked)
    for what in ("median", "p99", "max"):
        assert re.search(rf"^  {what} +\d+\.\d ms", revocation, re.MULTILINE)
    assert re.search(r"it adds \d+\.\d µs to a request", middleware)
    assert re.search(r"x bare append and fsync, 32 at a time +\(at most 1\.3\)", reporting)
    assert re.search(r"buffered adds -?\d+\.\d µs to a call, -?\d+\.\d in the best round   \(at most 30\)", reporting)
    for ours in ("one known token", r"2,000 tokens drawn at random"):
        assert re.search(rf"verify, {ours} takes \d+\.\d\d x bare SHA-256 of the token   \(at most", verification)
    assert re.search(f"verify, one known token{RATIO}PyJWT, RS256", verification)
    for per_user in (1, 3):
        assert re.search(rf"\d+ bytes a mirrored token, {per_user} for each user \(at most 600\)", verification)


def test_reported_calls_stand_beside_bare_inserts(printed: str) -> None:
    figure = next(each for each in printed.strip().split("\n\n") if each.startswith("Reported calls"))
    for database in ("SQLite", "PostgreSQL"):
        assert re.search(f"reported, {database}{RATIO}bare inserts, {database} +\\(goal", figure)
        assert re.search(f"reported, hashed and signed, {database}{RATIO}bare inserts, {database}", figure)


def test_an_export_is_verified_beside_its_bare_hashes(printed: str) -> None:
    figure = next(each for each in printed.strip().split("\n\n") if each.startswith("Activity log"))
    assert re.search(rf"^  verify an export{RATE}", figure, re.MULTILINE)
    for other in ("bare SHA-256", "json.loads and one SHA-256 of each line"):
        assert re.search(rf"verify an export takes \d+\.\d\d x {other}", figure)
    assert re.search(r"verify an export: [\d,]+/s, [\d,]+ in the best round   \(goal 100,000/s\)", figure)
    assert re.search(r"seal and write an entry: \d+\.\d µs, \d+\.\d in the best round   \(at most 15\)", figure)


def test_pages_of_the_activity_log_stand_beside_look_ups_by_key(printed: str) -> None:
    figure = next(each for each in printed.strip().split("\n\n") if each.startswith("Searching 2,000 records"))
    for database in ("SQLite", "PostgreSQL"):
        for filters in ("nothing", "token", "person and outcome"):
            ours = f"first page by {filters}, {database}"
            assert re.search(rf"{ours} takes \d+\.\d\d x 25 records by their keys, {database} +\(at most", figure)
