"""The tiles of the logs' trees."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import activity_tiles
from keybearer.wire.tiles import Tile

_AT_ONCE: Final = 8
_SOME: Final = select(activity_tiles.c.level, activity_tiles.c.place, activity_tiles.c.hashes).where(
    activity_tiles.c.log_id == bindparam("log_id"),
    or_(
        *(
            and_(activity_tiles.c.level == bindparam(f"level{one}"), activity_tiles.c.place == bindparam(f"place{one}"))
            for one in range(_AT_ONCE)
        )
    ),
)
_ADD: Final = upsert(activity_tiles).values(
    log_id=bindparam("log_id"), level=bindparam("level"), place=bindparam("place"), hashes=bindparam("hashes")
)
_PUT: Final = _ADD.on_conflict_do_update(
    index_elements=list(activity_tiles.primary_key.columns), set_={"hashes": _ADD.excluded.hashes}
)


async def read(reader: Reader, log_id: int, tiles: Iterable[Tile]) -> dict[Tile, bytes]:
    """Return those of these tiles that there are."""
    found: dict[Tile, bytes] = {}
    asked = iter(tiles)
    while some := list(islice(asked, _AT_ONCE)):
        some += some[-1:] * (_AT_ONCE - len(some))
        levels = {f"level{one}": level for one, (level, _) in enumerate(some)}
        places = {f"place{one}": place for one, (_, place) in enumerate(some)}
        rows = await reader.many(_SOME, log_id=log_id, **levels, **places)
        # SQLite gives back what raw SQL has put there: a tile that is not bytes counts as missing.
        found |= {(row["level"], row["place"]): row["hashes"] for row in rows if isinstance(row["hashes"], bytes)}
    return found


async def put(tx: Transaction, log_id: int, tiles: Mapping[Tile, bytes]) -> None:
    """Keep tiles; one that is there already is replaced by what it has grown to."""
    rows = [
        {"log_id": log_id, "level": level, "place": place, "hashes": hashes}
        for (level, place), hashes in sorted(tiles.items())
    ]
    await tx.run_all(_PUT, rows)
