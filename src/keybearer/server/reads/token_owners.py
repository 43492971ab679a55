"""Whose the tokens are that a batch of records names."""

from collections.abc import Iterable, Mapping

from keybearer.server.activity_lines import Line
from keybearer.server.records import HeldToken
from keybearer.server.store import tokens
from keybearer.server.store.database import Reader


async def token_owners(reader: Reader, lines: Iterable[Line]) -> Mapping[str, HeldToken]:
    """Return the tokens that these lines name, revoked and used up ones included, by their id."""
    named = sorted({line.entry.token for line in lines if line.entry.token})
    if not named:
        return {}
    # Repeated, so that the statements for all lengths are only a few.
    padded = named + named[:1] * ((1 << (len(named) - 1).bit_length()) - len(named))
    return await tokens.held_among(reader, padded)
