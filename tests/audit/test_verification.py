"""What a verifier of exports says of good ones, and of those that were changed."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest

from keybearer.audit.trust import Trust
from keybearer.audit.verdict import Fault, Verdict
from keybearer.wire.activity_keys import CANONICAL
from keybearer.wire.checkpoint import BadNote, VerifierKey
from tests.support import activity_logs
from tests.support.activity_logs import TEAM_7, TEAM_8, USER_3, Log, log, signer

SIZE = 40


@pytest.fixture(scope="module")
def team_log() -> Log:
    return log(TEAM_7, SIZE)


def verdict_of(
    lines: Sequence[bytes], saved: Iterable[str] = (), keys: Sequence[VerifierKey] = (signer().key,), batch: int = 1
) -> Verdict:
    """Verify an export with the key of `signer`, or others, and what was saved."""
    return activity_logs.verdict_of(lines, Trust(keys, saved), batch)


def only_fault(verdict: Verdict) -> Fault:
    (fault,) = verdict.faults
    assert not verdict.is_proved
    return fault


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_a_whole_export_is_proved(team_log: Log, batch: int) -> None:
    mine = log(USER_3, 5)
    saved = [team_log.checkpoint(17), team_log.checkpoint(SIZE), mine.checkpoint(0)]
    verdict = verdict_of([*team_log.export(), *mine.export()], saved, batch=batch)
    assert verdict.is_proved
    team, user = verdict.logs.values()
    assert (team.origin, team.size, team.records, team.skipped, team.kept) == (TEAM_7, SIZE, SIZE, 0, [17, SIZE])
    assert (user.origin, user.size, user.records, user.kept) == (USER_3, 5, 5, [])


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_an_export_of_some_records_proves_them_as_well(team_log: Log, batch: int) -> None:
    lines = team_log.export(tells=lambda index: index % 9 == 4, shown=[17, 18])
    verdict = verdict_of(lines, [team_log.checkpoint(17), team_log.checkpoint(18)], batch=batch)
    assert verdict.is_proved
    team = verdict.logs[TEAM_7]
    assert (team.records, team.skipped, team.kept) == (4, SIZE - 4, [17, 18])


def test_an_export_without_any_record_still_proves_that_the_log_goes_on(team_log: Log) -> None:
    lines = team_log.export(tells=lambda _: False, shown=[17])
    assert len(lines) == 3
    assert verdict_of(lines, [team_log.checkpoint(17)]).is_proved
    assert verdict_of(log(TEAM_7).export()).is_proved, "nor does an empty log tell any"


def test_records_younger_than_the_checkpoint_are_counted_and_prove_nothing(team_log: Log) -> None:
    verdict = verdict_of(team_log.export(30))
    assert verdict.is_proved
    assert (verdict.logs[TEAM_7].records, verdict.logs[TEAM_7].unsigned) == (30, 10)


def test_records_of_which_nothing_is_signed_are_counted_and_prove_nothing(team_log: Log) -> None:
    unsigned = [without_place(line) for line in team_log.export()[1:4]]
    verdict = verdict_of([*unsigned, *team_log.export()])
    assert (verdict.is_proved, verdict.unsigned) == (True, 3)
    assert only_fault(verdict_of(unsigned, batch=2)).what == (
        "nothing is signed yet: no checkpoint speaks for the 3 records here, which prove nothing"
    )
    forged = [unsigned[0], changed(unsigned, 1, b'"203.0.113.77"', b'"203.0.113.78"')[1]]
    assert "address is not what the entry was sealed with" in only_fault(verdict_of(forged)).what


def test_what_was_erased_is_listed_and_the_rest_still_proved() -> None:
    erased = log(TEAM_7, 3)
    erased.happen(2, erased=["user", "agent"])
    for batch in (1, 9):
        verdict = verdict_of(erased.export(), batch=batch)
        assert verdict.is_proved
        assert verdict.logs[TEAM_7].erased == {3: ("agent", "user"), 4: ("agent", "user")}


def without_place(line: bytes) -> bytes:
    """Write a record as if no checkpoint spoke for it."""
    return re.sub(rb',"index":\d+,"leaf":"[^"]+"', b"", line)


def changed(lines: list[bytes], place: int, old: bytes, new: bytes) -> list[bytes]:
    """Change one line, which has to have what is changed."""
    assert old in lines[place], lines[place]
    return [*lines[:place], lines[place].replace(old, new), *lines[place + 1 :]]


Change = Callable[[list[bytes]], list[bytes]]


def with_line(place: int, line: bytes) -> Change:
    return lambda lines: [*lines[:place], line, *lines[place + 1 :]]


def edited(place: int, old: bytes, new: bytes) -> Change:
    return lambda lines: changed(lines, place, old, new)


@pytest.mark.parametrize("batch", [1, 1000])
@pytest.mark.parametrize(
    ("change", "index", "what"),
    [
        pytest.param(
            edited(6, b'"status":202', b'"status":200'), 5, "not the one whose hash the log has", id="an entry"
        ),
        pytest.param(edited(6, b'"leaf":"', b'"leaf":"A'), 5, "not base64 of 32 bytes", id="a longer hash"),
        pytest.param(
            edited(6, b'"leaf":', b'"leaf":1,"leaf_":'), 5, "only index, a whole number, and leaf", id="a key"
        ),
        pytest.param(edited(6, b'"n":6,', b'"n":7,"n":6,'), 5, "keys in order, each once", id="a key twice"),
        pytest.param(edited(6, b'"n":6,', b'"n":6.0,'), 5, "not the one whose hash", id="a number that is not whole"),
        pytest.param(edited(6, b'"n":6,', b'"n":NaN,'), 5, "not JSON in UTF-8", id="no number"),
        pytest.param(edited(6, b'"203.0.113.77"]', b'"203.0.113.78"]'), 5, "address is not what", id="a detail"),
        pytest.param(edited(6, b'"203.0.113.77"]', b'"\\ud800"]'), 5, "not JSON in UTF-8", id="half a character"),
        pytest.param(edited(6, b'"]},"entry"', b'"],"words":["",""]},"entry"'), 5, "have 'words'", id="a detail added"),
        pytest.param(with_line(6, b'{"details":[],"entry":{}}'), 5, "are not an object", id="details are a list"),
        pytest.param(with_line(6, b'{"details":null,"entry":{}}'), 5, "are not an object", id="details are null"),
        pytest.param(with_line(6, b'{"entry":"what was stored"}'), 5, "are not an object", id="the entry is a text"),
        pytest.param(edited(6, b'"index":5', b'"index":6'), 5, "record 6 stands where record 5", id="the index"),
        pytest.param(edited(6, b'"index":5,', b""), 5, "only index, a whole number, and leaf", id="no index"),
        pytest.param(lambda x: [*x[:6], without_place(x[6]), *x[7:]], 5, "without an index stands", id="no place"),
        pytest.param(edited(2, b'"index":1', b'"index":true'), 1, "only index, a whole number", id="true for an index"),
        pytest.param(lambda x: [*x[:6], *x[7:]], 5, "record 6 stands where record 5 belongs", id="a record removed"),
        pytest.param(lambda x: [*x[:7], *x[6:]], 6, "record 5 stands where record 6 belongs", id="a record doubled"),
        pytest.param(lambda x: [*x[:6], x[7], x[6], *x[8:]], 5, "record 6 stands where record 5", id="records swapped"),
        pytest.param(lambda x: x[:-3], 37, "ends here, and its checkpoint speaks for 40 records", id="the end cut off"),
        pytest.param(lambda x: [*x[:-1], x[-1][:-9]], 39, "not JSON in UTF-8", id="a line cut off"),
        pytest.param(with_line(6, b"[]"), 5, "not a JSON object", id="a list for a line"),
        pytest.param(with_line(6, b"{}"), 5, "neither a log's", id="a line of no kind"),
        pytest.param(with_line(6, b" " * 1_048_577), 5, "longer than 1048576 bytes", id="an endless line"),
        pytest.param(lambda x: x[1:], None, "before any line that says to which log", id="the log's line removed"),
        pytest.param(lambda x: [*x, *x], None, "the log is here twice", id="the log doubled"),
        pytest.param(edited(0, b"\\n40\\n", b"\\n39\\n"), None, "did not make", id="the checkpoint's size"),
        pytest.param(edited(0, b'"log":"auth', b'"log":"mine'), None, "key that you did not give", id="the origin"),
        pytest.param(lambda _: [], None, "nothing is proved", id="everything removed"),
    ],
)
def test_a_change_is_found_and_its_first_record_named(
    team_log: Log, change: Change, index: int | None, what: str, batch: int
) -> None:
    fault = only_fault(verdict_of(change(team_log.export()), batch=batch))
    assert fault.index == index
    assert re.search(what, fault.what), fault.what


def test_an_entry_changed_with_its_hash_leads_to_another_root(team_log: Log) -> None:
    """Nothing gives it away: of the records since the last checkpoint that still fits, one must be wrong."""
    stored = Log(TEAM_7, signer(), list(team_log.records))
    entry = stored.records[28].entry.replace(b'"status":201', b'"status":403')
    stored.records[28] = replace(stored.records[28], entry=entry)
    lines = [team_log.export()[0], *stored.export()[1:]]
    assert only_fault(verdict_of(lines)).what == (
        "the records are not those that the checkpoint of 40 records stands for"
    )
    fault = only_fault(verdict_of(lines, [team_log.checkpoint(17)]))
    assert (fault.index, fault.what.rpartition(", ")[2]) == (None, "from record 17 on")
    fault = only_fault(verdict_of(lines, [team_log.checkpoint(17), team_log.checkpoint(35)]))
    assert fault.what == "the first 35 records are not those that the saved checkpoint stands for, from record 17 on"


def test_a_record_of_another_team_is_found_in_its_place(team_log: Log) -> None:
    other = log(TEAM_8)
    other.happen(SIZE, team=8)
    lines = team_log.export()
    lines[6] = other.export()[6]
    for batch in (1, 1000):
        fault = only_fault(verdict_of(lines, batch=batch))
        assert (fault.index, fault.what) == (5, "the record is of team 8, and the log of team 7")


def test_a_log_that_was_written_anew_and_signed_is_found_by_what_was_saved(team_log: Log) -> None:
    """Whoever has the server, its database and its key can make a log that fits itself."""
    forged = log(TEAM_7, 16)
    forged.happen(SIZE - 16, outcome="refused")
    assert verdict_of(forged.export()).is_proved, "by itself it cannot be told from the true one"
    fault = only_fault(verdict_of(forged.export(), [team_log.checkpoint(17)]))
    assert fault.what == "the first 17 records are not those that the saved checkpoint stands for"
    hidden = forged.export(tells=lambda index: index > 20, shown=[17])
    assert only_fault(verdict_of(hidden, [team_log.checkpoint(17)])).what == fault.what


def test_a_log_signed_by_another_key_is_not_believed(team_log: Log) -> None:
    forged = log(TEAM_7, SIZE, seed=2)
    assert "a key that you did not give" in only_fault(verdict_of(forged.export())).what
    mixed = changed(
        forged.export(), 0, forged.signer.key.named(TEAM_7).text.encode(), signer().key.named(TEAM_7).text.encode()
    )
    assert "not signed by" in only_fault(verdict_of(mixed)).what
    assert verdict_of(forged.export(), keys=[signer().key, signer(2).key]).is_proved, "one of two keys is enough"
    assert verdict_of(team_log.export(), keys=[signer().key.named(TEAM_7)]).is_proved, "a log's own key is enough"
    assert not verdict_of(team_log.export(), keys=[signer().key.named(TEAM_8)]).is_proved
    assert not verdict_of(team_log.export(), keys=[]).is_proved


def test_a_log_that_lost_records_since_a_checkpoint_was_saved_is_found(team_log: Log) -> None:
    fault = only_fault(verdict_of(team_log.export(30), [team_log.checkpoint(35)]))
    assert fault.what == "the log has 30 records, and had 35 when a checkpoint was saved"


def test_a_log_that_is_not_there_any_more_is_found_by_what_was_saved(team_log: Log) -> None:
    fault = only_fault(verdict_of(team_log.export(), [log(USER_3, 2).checkpoint()]))
    said = "there is no such log here: it was left out, or the checkpoint that was saved is another log's"
    assert (fault.log, fault.what) == (USER_3, said)


def test_a_checkpoint_of_the_tree_over_all_logs_is_told_from_that_of_a_log_that_is_gone(team_log: Log) -> None:
    fault = only_fault(verdict_of(team_log.export(), [log(signer().key.name, 2).checkpoint()]))
    assert fault.what.startswith("this is a checkpoint of the tree over all logs, which is in no export; ")


def test_a_checkpoint_that_ends_among_records_left_out_is_not_taken_for_proved(team_log: Log) -> None:
    fault = only_fault(verdict_of(team_log.export(tells=lambda index: index > 20), [team_log.checkpoint(17)]))
    assert "cannot be seen whether the log goes on from the saved checkpoint of 17 records" in fault.what


@pytest.mark.parametrize(
    ("old", "new", "index", "what"),
    [
        pytest.param(b"[0,21]", b"[0,23]", 0, "not 3 parts of the tree", id="two more"),
        pytest.param(b"[0,21]", b"[1,21]", 0, "record 1 stands where record 0 belongs", id="another start"),
        pytest.param(b"[0,21]", b"[0,0]", 0, "not 3 parts of the tree", id="nothing"),
        pytest.param(b"[0,21]", b"[0,-5]", 0, "not 3 parts of the tree", id="less than nothing"),
        pytest.param(b"[0,21]", b"[0,99]", None, "record 98 is beyond the checkpoint of 40 records", id="too many"),
        pytest.param(b"[0,21]", b"[0,21,5]", 0, "must have skip, two numbers, and hashes", id="three numbers"),
        pytest.param(b"[0,21]", b"[false,21]", 0, "must have skip, two numbers, and hashes", id="no number"),
        pytest.param(b'"hashes":["', b'"hashes":["A', 0, "not base64 of 32 bytes", id="a longer hash"),
        pytest.param(b'"hashes":["', b'"hashes":[1,"', 0, "not base64 of 32 bytes", id="no hash"),
        pytest.param(b'"skip":', b'"more":1,"skip":', 0, "must have skip, two numbers, and hashes", id="more"),
    ],
)
def test_what_stands_for_records_left_out_has_to_fit(
    team_log: Log, old: bytes, new: bytes, index: int | None, what: str
) -> None:
    lines = changed(team_log.export(tells=lambda each: each > 20), 1, old, new)
    fault = only_fault(verdict_of(lines))
    assert fault.index == index
    assert re.search(what, fault.what), fault.what


def test_another_hash_for_records_left_out_leads_to_another_root(team_log: Log) -> None:
    lines = team_log.export(tells=lambda index: index > 20)
    lines[1] = changed(team_log.export(tells=lambda index: index > 20), 1, b'["', b'["' + b"A" * 43 + b'=","')[1]
    parts = json.loads(lines[1])
    lines[1] = CANONICAL.encode(parts | {"hashes": parts["hashes"][:1] + parts["hashes"][2:]}).encode()
    assert "the checkpoint of 40 records stands for" in only_fault(verdict_of(lines)).what


def test_of_several_logs_each_is_looked_at_though_one_is_wrong(team_log: Log) -> None:
    mine = log(USER_3, 5)
    lines = [*changed(team_log.export(), 6, b'"status":202', b'"status":200'), *mine.export()]
    verdict = verdict_of(lines, batch=100)
    assert (only_fault(verdict).log, only_fault(verdict).line) == (TEAM_7, 7)
    assert verdict.logs[USER_3].records == 5
    assert verdict.logs[TEAM_7].fault == only_fault(verdict)


def test_a_saved_checkpoint_that_is_none_is_refused_before_anything_is_verified(team_log: Log) -> None:
    with pytest.raises(BadNote, match="you gave no key of its server"):
        Trust([signer().key.named(TEAM_8)], [team_log.checkpoint()])
    with pytest.raises(BadNote, match="not signed by"):
        Trust([signer().key], [log(TEAM_7, 3, seed=2).checkpoint()])
    with pytest.raises(BadNote, match="does not begin with the name of a log"):
        Trust([signer().key], [""])
