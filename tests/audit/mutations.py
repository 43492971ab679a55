"""What somebody might do to a log or its export, at random, and where a verifier has to find it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from random import Random

from keybearer.audit.lines import record_line
from keybearer.wire.activity import Entry, entry_bytes, entry_from
from keybearer.wire.activity_keys import CANONICAL
from keybearer.wire.merkle import leaf_hash
from tests.audit.world import Lines, World, exported, happened
from tests.support.activity_logs import TEAM_8, Log


@dataclass(frozen=True)
class Mutant:
    """
    A changed export.

    Args:
        log: the log in which the change is to be found.
        index: the first record that is wrong; None where only a checkpoint tells.
        line: the line that is to be named where it may not be clear any more of which log it is.
    """

    lines: Lines
    log: str
    index: int | None
    line: int | None = None
    kind: str = ""


def an_edited_leaf(world: World, chance: Random) -> Mutant:
    return _edited(world, chance, lambda parts: parts.update(leaf=_reversed(str(parts["leaf"])[:-1]) + "="))


def an_edited_detail(world: World, chance: Random) -> Mutant:
    def edit(parts: dict[str, object]) -> None:
        details = parts["details"]
        assert isinstance(details, dict)
        field = chance.choice(sorted(details))
        place = chance.randrange(2)
        details[field][place] = _reversed(details[field][place])

    return _edited(world, chance, edit)


def an_edited_entry(world: World, chance: Random) -> Mutant:
    def edit(parts: dict[str, object]) -> None:
        entry = parts["entry"]
        assert isinstance(entry, dict)
        _other(entry, chance, ["status", "ms", "outcome", "token", "n", "request_id"])

    return _edited(world, chance, edit)


def a_stored_entry_edited(world: World, chance: Random) -> Mutant:
    """Whoever has the database changes an entry there; its hash stands in the tree as before."""
    number, index, changed = _an_entry_changed(world, chance)
    source, part = world.logs[number], list(world.parts[number])
    place = next(n for n, line in enumerate(part) if b'"index":%d,' % index in line)
    leaf = leaf_hash(source.records[index].entry)
    part[place] = record_line((index, leaf), entry_bytes(changed), source.records[index].details) + b"\n"
    return _mutant(world, number, part, index)


def a_stored_entry_edited_with_its_hash(world: World, chance: Random) -> Mutant:
    """Whoever has the database changes the hash too, up to the root; the export agrees with itself."""
    number, index, changed = _an_entry_changed(world, chance)
    source = world.logs[number]
    stored = Log(source.origin, source.signer, list(source.records))
    stored.records[index] = replace(source.records[index], entry=entry_bytes(changed))
    part = stored.export()
    opening = json.loads(part[0]) | {"checkpoint": source.checkpoint()}
    return _mutant(world, number, [_line(opening), *part[1:]], None)


def a_removed_line(world: World, chance: Random) -> Mutant:
    number, place, index = _a_line(world, chance)
    part = world.parts[number]
    return _mutant(world, number, [*part[:place], *part[place + 1 :]], index)


def a_doubled_line(world: World, chance: Random) -> Mutant:
    number, place, _ = _a_line(world, chance)
    part = world.parts[number]
    return _mutant(world, number, [*part[: place + 1], *part[place:]], _first(part, place + 1))


def two_swapped_lines(world: World, chance: Random) -> Mutant:
    number, place, index = _a_line(world, chance)
    part = list(world.parts[number])
    other = chance.choice([each for each in range(1, len(part)) if each != place])
    part[place], part[other] = part[other], part[place]
    return _mutant(world, number, part, min(index, _first(world.parts[number], other) or 0))


def a_renumbered_record(world: World, chance: Random) -> Mutant:
    def edit(parts: dict[str, object]) -> None:
        parts["index"] = chance.choice([each for each in range(9) if each != parts["index"]])

    return _edited(world, chance, edit)


def an_end_cut_off(world: World, chance: Random) -> Mutant:
    number, place, index = _a_line(world, chance)
    part = world.parts[number]
    cut = part[place][: chance.randrange(1, len(part[place]) - 1)]
    lines = [*(line for each in world.parts[:number] for line in each), *part[:place], cut]
    return Mutant(lines, world.logs[number].origin, index)


def a_log_removed(world: World, chance: Random) -> Mutant:
    number = chance.randrange(3)
    return Mutant(world.with_part(number, []), world.logs[number].origin, None)


def a_record_of_another_team(world: World, chance: Random) -> Mutant:
    index = chance.choice([2, 5])
    foreign = exported(TEAM_8, 6)[1 + index]
    part = world.parts[0]
    return _mutant(world, 0, [*part[: index + 1], foreign, *part[index + 2 :]], index)


def a_stale_checkpoint(world: World, chance: Random) -> Mutant:
    number = chance.randrange(3)
    part = world.parts[number]
    stale = happened(world.logs[number].origin, chance.randrange(4)).checkpoint()
    return _mutant(world, number, [_line(json.loads(part[0]) | {"checkpoint": stale}), *part[1:]], None)


def a_shorter_log(world: World, chance: Random) -> Mutant:
    """The server went back to an older state of its database, and signed that once it did."""
    number = chance.randrange(3)
    source = world.logs[number]
    return _mutant(world, number, [*exported(source.origin, chance.randrange(4))], None)


def a_fork_signed_by_another_key(world: World, chance: Random) -> Mutant:
    number = chance.randrange(3)
    part = [*exported(world.logs[number].origin, chance.randrange(9), 2)]
    if chance.random() < 0.5:  # under the true key's name
        part[0] = _line(json.loads(part[0]) | {"key": json.loads(world.parts[number][0])["key"]})
    return _mutant(world, number, part, None)


def a_fork_signed_by_the_server(world: World, chance: Random) -> Mutant:
    number = chance.randrange(3)
    source = world.logs[number]
    fork = exported(source.origin, len(source.records) + chance.randrange(3), 1, 404)
    return _mutant(world, number, [*fork], None)


def another_origin(world: World, chance: Random) -> Mutant:
    number = chance.randrange(3)
    name = chance.choice(["team/9/2026-11", "team/7/2026-12", "user/3/2026-11.2"])
    origin = f"auth.example.com/activity/{name}"
    opening = json.loads(world.parts[number][0]) | {"log": origin}
    return Mutant(world.with_part(number, [_line(opening), *world.parts[number][1:]]), origin, None)


def other_hashes(world: World, chance: Random) -> Mutant:
    """Something else is said to have been left out."""
    part = list(world.parts[1])
    place = chance.choice([n for n, line in enumerate(part) if b'"skip"' in line])
    parts = json.loads(part[place])
    one = chance.randrange(len(parts["hashes"]))
    parts["hashes"][one] = parts["hashes"][one][1:-1] + parts["hashes"][one][0] + "="
    parts["hashes"][one] = parts["hashes"][one][:42] + "A="
    return _mutant(world, 1, [*part[:place], _line(parts), *part[place + 1 :]], None)


def a_flipped_bit(world: World, chance: Random) -> Mutant:
    number = chance.randrange(3)
    part = list(world.parts[number])
    place = chance.randrange(len(part))
    data = bytearray(part[place])
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    part[place] = bytes(data)
    found = _mutant(world, number, BytesIO(b"".join(part)).readlines(), _first(world.parts[number], place))
    return replace(found, line=sum(map(len, world.parts[:number])) + 1) if place == 0 else found


KINDS: tuple[Callable[[World, Random], Mutant], ...] = (
    an_edited_leaf,
    an_edited_detail,
    an_edited_entry,
    a_stored_entry_edited,
    a_stored_entry_edited_with_its_hash,
    a_removed_line,
    a_doubled_line,
    two_swapped_lines,
    a_renumbered_record,
    an_end_cut_off,
    a_log_removed,
    a_record_of_another_team,
    a_stale_checkpoint,
    a_shorter_log,
    a_fork_signed_by_another_key,
    a_fork_signed_by_the_server,
    another_origin,
    other_hashes,
    a_flipped_bit,
    a_flipped_bit,
    a_flipped_bit,
)


def mutant(world: World, chance: Random) -> Mutant:
    """Make one of any kind."""
    kind = chance.choice(KINDS)
    return replace(kind(world, chance), kind=kind.__name__)


def _mutant(world: World, number: int, part: Lines, index: int | None) -> Mutant:
    return Mutant(world.with_part(number, part), world.logs[number].origin, index)


def _a_line(world: World, chance: Random) -> tuple[int, int, int]:
    """Choose a log, a line below its opening, and the first record that this line stands for."""
    number = chance.randrange(3)
    place = chance.randrange(1, len(world.parts[number]))
    return number, place, _first(world.parts[number], place) or 0


def _first(part: Lines, place: int) -> int | None:
    """Return the first record that a line stands for; None for a log's opening."""
    if place >= len(part):
        return None
    parts = json.loads(part[place])
    return None if "log" in parts else parts["skip"][0] if "skip" in parts else parts["index"]


def _an_entry_changed(world: World, chance: Random) -> tuple[int, int, Entry]:
    """Choose a log, one of the records that its export tells, and another entry for it."""
    number = chance.randrange(3)
    told = [json.loads(line)["index"] for line in world.parts[number] if b'"entry"' in line]
    index = chance.choice(told)
    entry = entry_from(world.logs[number].records[index].entry)
    others = [entry._replace(status=403), entry._replace(outcome="refused"), entry._replace(n=77)]
    return number, index, chance.choice(others)


def _edited(world: World, chance: Random, edit: Callable[[dict[str, object]], object]) -> Mutant:
    number = chance.randrange(3)
    part = list(world.parts[number])
    place = chance.choice([n for n, line in enumerate(part) if b'"entry"' in line])
    parts = json.loads(part[place])
    index = parts["index"]
    edit(parts)
    part[place] = _line(parts)
    return _mutant(world, number, part, index)


def _other(parts: dict[str, object], chance: Random, names: list[str]) -> None:
    name = chance.choice(names)
    value = parts[name]
    parts[name] = value + 1 if isinstance(value, int) else _reversed(str(value))


def _reversed(text: str) -> str:
    return text[::-1] if text[::-1] != text else text + "1"


def _line(parts: dict[str, object]) -> bytes:
    return CANONICAL.encode(parts).encode() + b"\n"
