"""The tokens that a batch of records names, with their owners."""

from collections.abc import Iterable, Mapping

from keybearer.server.activity.reported_lines import Line
from keybearer.server.records import HeldToken
from keybearer.server.store import tokens
from keybearer.server.store.database import Reader


async def token_owners(reader: Reader, lines: Iterable[Line]) -> Mapping[str, HeldToken]:
    """Return the tokens that these lines name, revoked and used up ones included, by their id."""
    named = sorted({line.entry.token for line in lines if line.entry.token})
    return await tokens.held_among(reader, named) if named else {}
