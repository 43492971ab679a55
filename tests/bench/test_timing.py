"""`make timing` asks every pair and judges it; what the times are is for a quiet machine to say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.sign_test import Verdict, judge

ROOT = Path(__file__).parent.parent.parent
DOORS = {
    "POST /login, password wrong": ("address known", "address unknown"),
    "PATCH /api/v2/me, new address": ("somebody's", "nobody's"),
    "GET /api/v2/teams/{teamId}/members": ("another team's id", "nothing's id"),
    "GET /api/v2/teams/{teamId}/members/{teamMemberId}": ("another team's id", "nothing's id"),
    "POST /oauth/token, secret wrong": ("client known", "client unknown"),
    "GET /api/v2/me": ("token revoked", "token unknown"),
    "POST /oauth/introspect": ("token revoked", "token unknown"),
}


@pytest.mark.timeout(300)
def test_both_of_every_pair_are_answered_alike_and_their_times_are_judged() -> None:
    command = [sys.executable, "-m", "bench.timing", "--quick"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    for door, (first, second) in DOORS.items():
        found = rf"^  {re.escape(door)}\n    median: {first} \d+\.\d+ ms, {second} \d+\.\d+ ms\n"
        found += r"    the first took longer in \d+\.\d% of [12] pairs; by luck .+\n    cannot be told apart$"
        assert re.search(found, run.stdout, re.MULTILINE), door


@pytest.mark.parametrize(
    ("longer", "tells"),
    [
        pytest.param(450, False, id="half of them"),
        pytest.param(517, False, id="within the reach of luck"),
        pytest.param(518, True, id="beyond it"),
        pytest.param(383, False, id="within it on the other side"),
        pytest.param(382, True, id="beyond it on the other side"),
        pytest.param(900, True, id="all of them"),
    ],
)
def test_of_900_pairs_luck_reaches_from_382_and_a_half_to_517_and_a_half(longer: int, tells: bool) -> None:
    assert Verdict(longer, 900).tells_apart is tells


def test_pairs_are_counted_however_far_apart_they_are_and_equal_ones_are_left_out() -> None:
    assert judge([(2.0, 1.0), (1.0, 1.0), (900.0, 1.0), (1.0, 1.1)]) == Verdict(longer=2, pairs=3)
