"""`examples/verify_activity.mjs`, which shares only the format with our own verifier, comes to the same verdicts."""

import base64
import json
import subprocess
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from random import Random

import pytest

from keybearer.audit.lines import record_line
from keybearer.audit.trust import Trust
from keybearer.audit.verdict import Fault
from keybearer.wire.activity import entry_bytes
from tests.audit.mutations import mutant
from tests.audit.world import World
from tests.support.activity_logs import TEAM_7, log, signer, verdict_of
from tests.support.entries import call

ROOT = Path(__file__).parents[2]
VERIFIER = ROOT / "examples/verify_activity.mjs"
MUTANTS = 300
WORLD = World()
TRUST = Trust([signer().key], WORLD.saved)


def judged_by_javascript(exports: Sequence[bytes], notes: Sequence[str], folder: Path) -> list[Fault | None]:
    given = folder / "given.json"
    given.write_text(json.dumps({"keys": [signer().key.text], "notes": notes}), "utf-8")
    run = subprocess.run(
        ["node", ROOT / "tests/audit/judge_many.mjs", VERIFIER, given],
        input=b"".join(base64.b64encode(export) + b"\n" for export in exports),
        capture_output=True,
        check=False,
        timeout=250,
    )
    assert run.returncode == 0, run.stderr.decode()[-2000:]
    return [found and Fault(**found) for found in map(json.loads, run.stdout.splitlines())]


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("quick")
def test_both_verifiers_find_the_same_in_the_same_place(tmp_path: Path) -> None:
    chance = Random(20)  # noqa: S311 - the same changes each time
    mutants = [mutant(WORLD, chance) for _ in range(MUTANTS)]
    exports = [b"".join(WORLD.with_part(0, WORLD.parts[0])), *(b"".join(each.lines) for each in mutants)]
    whole, *found = judged_by_javascript(exports, WORLD.saved, tmp_path)
    assert whole is None
    for fault, export, changed in zip(found, exports[1:], mutants, strict=True):
        ours = verdict_of(BytesIO(export).readlines(), TRUST).faults[0]
        assert fault is not None, changed.kind
        assert (fault.log, fault.index, fault.line) == (ours.log, ours.index, ours.line), (changed.kind, ours, fault)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], (2, "usage: "), id="nothing"),
        pytest.param(["export.jsonl"], (2, "usage: "), id="no key"),
        pytest.param(["export.jsonl", "--key"], (2, "usage: "), id="half a key"),
        pytest.param(["export.jsonl", "--kee", "x"], (2, "usage: "), id="no such option"),
        pytest.param(["export.jsonl", "--key", "x"], (1, "error: a key is written name+id+key"), id="no such key"),
        pytest.param(["nowhere.jsonl", "--key", signer().key.text], (1, "error: ENOENT"), id="no such file"),
    ],
)
def test_it_says_what_was_mistyped(words: list[str], said: tuple[int, str]) -> None:
    run = subprocess.run(["node", str(VERIFIER), *words], capture_output=True, text=True, check=False, timeout=60)
    assert (run.returncode, run.stdout, run.stderr[: len(said[1])]) == (said[0], "", said[1])


def test_it_is_typed_as_its_first_lines_say(tmp_path: Path) -> None:
    made = log(TEAM_7, 20)
    made.happen(2, erased=["agent"])
    made.happen(2)
    export, saved = tmp_path / "export.jsonl", tmp_path / "saved"
    lines = made.export(22)
    saved.write_text(made.checkpoint(9), "utf-8")
    command = ["node", str(VERIFIER), str(export), "--key", signer().key.text, "--checkpoint", str(saved)]
    export.write_bytes(b"".join(lines))
    good = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (good.returncode, good.stdout, good.stderr) == (0, "proved\n", "")
    export.write_bytes(b"".join([*lines[:6], *lines[7:]]))
    bad = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    wrong, verdict = bad.stdout.splitlines()
    assert (bad.returncode, verdict) == (1, "NOT PROVED")
    assert json.loads(wrong) == {"log": TEAM_7, "index": 5, "line": 7, "what": "record 6 stands where 5 belongs"}
    unsigned = record_line(None, entry_bytes(call()), None) + b"\n"
    export.write_bytes(b"".join([unsigned, *lines]))
    assert subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout == "proved\n"
    export.write_bytes(unsigned)
    none = subprocess.run(command[:5], capture_output=True, text=True, check=False, timeout=60)
    assert (none.returncode, json.loads(none.stdout.splitlines()[0])["what"]) == (
        1,
        "nothing is signed yet: 1 records prove nothing",
    )
