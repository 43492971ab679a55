"""An API reports what was done with tokens: each record is kept once, however often it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from keybearer.server.activity_lines import Line, RefusedLine
from keybearer.server.records import HeldToken
from keybearer.server.store import activity_intake
from keybearer.server.store.activity import row_of
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Recorded:
    """
    What became of a batch.

    Args:
        kept: how many lines are kept by this call.
        repeated: how many were kept before, byte for byte.
        refused: the others.
        through: of the last line's process: up to this number nothing is missing.
    """

    kept: int
    repeated: int
    refused: tuple[RefusedLine, ...]
    through: int


async def record_activity(
    tx: Transaction, lines: Sequence[Line], owners: Mapping[str, HeldToken], now: int
) -> Recorded:
    """
    Keep the good lines of a batch, each once; what is wrong with one hinders no other.

    Args:
        lines: well made, all of one reporter.
        owners: whose the tokens are that the lines name, by the token's id.
        now: microseconds since 1970 UTC.
    """
    kept, repeated, through = 0, 0, 0
    refused: list[RefusedLine] = []
    fitting = []
    for line in lines:
        why = _misfit(line, owners)
        if why:
            refused.append(RefusedLine(line.place, line.n, why))
        else:
            fitting.append(line)
    last_boot = fitting[-1].boot if fitting else None
    for boot, of_boot in groupby(sorted(fitting, key=lambda line: line.boot), lambda line: line.boot):
        part = await _keep(tx, list(of_boot), now)
        kept, repeated, refused = kept + part.kept, repeated + part.repeated, [*refused, *part.refused]
        through = part.through if boot == last_boot else through
    return Recorded(kept, repeated, tuple(refused), through)


async def _keep(tx: Transaction, lines: Sequence[Line], now: int) -> Recorded:
    """Keep the lines of one life of a process; its cursor is locked, so no two batches judge the same number."""
    reporter, boot = lines[0].entry.reporter, lines[0].boot
    assert reporter is not None  # noqa: S101 - a line without one was refused
    cursor = await activity_intake.lock_cursor(tx, reporter, boot, now)
    known = await activity_intake.kept_among(tx, cursor, [line.n for line in lines])
    new: dict[int, Line] = {}
    refused = []
    for line in lines:
        earlier = known.get(line.n) or (new[line.n].written if line.n in new else None)
        if earlier is None:
            new[line.n] = line
        elif earlier != line.written:
            refused.append(RefusedLine(line.place, line.n, "conflict: this number was reported with another entry"))
    if new:
        await activity_intake.keep(tx, [row_of(line.entry, line.written, line.details, now) for line in new.values()])
        cursor = await activity_intake.advance(tx, cursor, list(new), now)
    return Recorded(len(new), len(lines) - len(new) - len(refused), tuple(refused), cursor.through)


def _misfit(line: Line, owners: Mapping[str, HeldToken]) -> str:
    """Return why the line cannot be true: token, user, team and app do not belong together; '' if they do."""
    entry, owner = line.entry, owners.get(line.entry.token or "")
    if owner is None or owner.environment != entry.environment:
        return "the entry's token is not known"
    if line.user != str(owner.user_id):
        return "the entry's user is not the token's"
    if entry.team != owner.team_id:
        return "the entry's team is not the token's"
    if entry.client != owner.client_id or entry.grant not in {None, owner.grant_id}:
        return "the entry's client or grant is not the token's"
    return "" if entry.token_last4 in {None, owner.last4} else "the entry's token_last4 is not the token's"
