"""Which standbys PostgreSQL waits for before it acknowledges a commit."""

from typing import Final

from sqlalchemy import func, select

from keybearer.server.store.database import Reader

_NAMED: Final = select(func.current_setting("synchronous_standby_names").label("names"))


async def are_named(reader: Reader) -> bool:
    """Tell whether a commit waits for any standby; only for PostgreSQL."""
    row = await reader.one(_NAMED)
    return bool(row and row["names"].strip())
