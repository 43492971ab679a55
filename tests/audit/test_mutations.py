"""Ten thousand random changes of a log and of its export: each is found, in the log and at the record where it is."""

import base64
import json
from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keybearer.audit.trust import Trust
from keybearer.wire.activity_keys import CANONICAL
from keybearer.wire.merkle import leaf_hash, root_of
from tests.audit.mutations import KINDS, Mutant, mutant
from tests.audit.world import World
from tests.support.activity_logs import signer, verdict_of

MUTANTS = 10_000
WORLD = World()
TRUST = Trust([signer().key], WORLD.saved)


@pytest.mark.timeout(400)  # eight seconds, where nobody else is
@pytest.mark.usefixtures("quick")
def test_ten_thousand_random_changes_are_each_found_where_they_are() -> None:
    chance = Random(2026)  # noqa: S311 - the same changes each time
    seen = Counter[str]()
    for number in range(MUTANTS):
        changed = mutant(WORLD, chance)
        seen[changed.kind] += 1
        expect_found(changed, batch=1 if number % 10 else 100)
    assert set(seen) == {kind.__name__ for kind in KINDS}


def expect_found(changed: Mutant, batch: int) -> None:
    """Demand that the verifier blames the right log, and the right record or a checkpoint."""
    verdict = verdict_of(changed.lines, TRUST, batch)
    assert verdict.faults, f"{changed.kind} was not found"
    first = verdict.faults[0]
    assert first.log == changed.log or (first.line is not None and first.line == changed.line), (changed.kind, first)
    by_root = {None} if changed.kind == "a_flipped_bit" else set()  # in a hash that stands for records left out
    assert first.index in {changed.index, *by_root}, (changed.kind, changed.index, first)


def test_nothing_is_found_where_nothing_was_changed() -> None:
    """Else it would be no wonder that every change is found."""
    for batch in (1, 100):
        assert verdict_of(WORLD.with_part(0, WORLD.parts[0]), TRUST, batch).is_proved


def test_a_verifier_that_only_hashes_what_it_is_told_misses_many_of_them() -> None:
    """It takes the entries in the order of the file and compares roots: places and details may be anything."""
    chance = Random(2026)  # noqa: S311 - the same changes each time
    missed = Counter[str]()
    for _ in range(400):
        changed = mutant(WORLD, chance)
        if is_good_enough_for_a_naive_verifier(changed.lines):
            missed[changed.kind] += 1
    assert {"an_edited_leaf", "an_edited_detail", "a_renumbered_record", "a_shorter_log"} <= set(missed), missed


def is_good_enough_for_a_naive_verifier(lines: list[bytes]) -> bool:
    """Look at whole logs as somebody might who has read of Merkle trees and not of attackers."""
    told: list[tuple[str, list[bytes]]] = []
    with suppress(ValueError, KeyError, IndexError):
        for line in lines:
            parts = json.loads(line)
            if "log" in parts:
                told.append((parts["checkpoint"].split("\n")[2], []))
            elif "skip" in parts:
                told[-1] = ("", [])
            elif "index" in parts:
                told[-1][1].append(leaf_hash(CANONICAL.encode(parts["entry"]).encode()))
        return all(root in {"", _base64(root_of(leaves))} for root, leaves in told)
    return False


def _base64(data: bytes) -> str:

    return base64.b64encode(data).decode()


@settings(max_examples=50)
@given(st.data())
def test_whatever_is_in_a_file_the_verdict_is_clean(data: st.DataObject) -> None:
    """Nothing but a verdict comes out: no exception, and never that something is proved which was not there."""
    pieces = st.sampled_from([line for part in WORLD.parts for line in part]) | st.binary(max_size=30) | _json()
    lines = data.draw(st.lists(pieces, max_size=8))
    verdict = verdict_of(lines, Trust([signer().key]), data.draw(st.sampled_from([1, 3, 100])))
    assert verdict.is_proved is not bool(verdict.faults)
    if verdict.is_proved:
        assert set(lines) <= {line for part in WORLD.parts for line in part}


def _json() -> st.SearchStrategy[bytes]:
    names = st.sampled_from(["log", "key", "checkpoint", "index", "entry", "details", "skip", "hashes", "leaf"])
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=5,
    )
    write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
    return st.dictionaries(names, values, max_size=5).map(lambda parts: write(parts).encode())
