"""An API reports what was done with tokens: each record is kept once, however often it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from keybearer.server.activity.keep_once import keep_once
from keybearer.server.activity.reported_lines import Line, RefusedLine
from keybearer.server.records import HeldToken
from keybearer.server.store.database import Transaction

_CONFLICT: Final = "conflict: this number was reported with another entry"


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
    tx: Transaction, base: str | None, lines: Sequence[Line], owners: Mapping[str, HeldToken], now: int
) -> Recorded:
    """
    Keep the good lines of a batch, each once; what is wrong with one hinders no other.

    Args:
        base: see `keep_once`.
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
        part = await keep_once(tx, base, list(of_boot), now)
        kept, repeated = kept + part.kept, repeated + part.repeated
        refused += [RefusedLine(line.place, line.n, _CONFLICT) for line in part.conflicting]
        through = part.through if boot == last_boot else through
    return Recorded(kept, repeated, tuple(refused), through)


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
