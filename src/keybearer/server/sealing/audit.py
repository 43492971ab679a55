"""Stored records are compared with the tree that was signed over them, a tile at a time, again and again."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec

from keybearer.audit.entries import Salt, read_entries
from keybearer.audit.openings import check_details
from keybearer.server.records import ActivityLog
from keybearer.server.rules.activity_logs import may_be_pruned, why_misnamed
from keybearer.server.store import activity_audit, activity_checkpoints, activity_logs, activity_tiles
from keybearer.server.store.activity import copies_of, matches_entry
from keybearer.server.store.database import Reader, Row
from keybearer.wire.activity import entry_from, open_details
from keybearer.wire.merkle import leaf_hash, root_of
from keybearer.wire.tiles import HEIGHT, LEVELS, WIDTH, DamagedTiles, Tile, TiledTree, leaves_in, right_tiles

_COPIES: Final = frozenset(copies_of(entry_from(b'{"action":"a.b","at":1,"outcome":"done","v":1}')))

# What raw SQL leaves may be anything: JSON of another form, or nested without end; in SQLite, a value of another type.
_UNREADABLE: Final = (AttributeError, KeyError, RecursionError, TypeError, ValueError, msgspec.MsgspecError)

_details: Final = msgspec.json.Decoder(dict[str, tuple[Salt, str]]).decode


async def why_damaged(reader: Reader, log_id: int, place: int, now: int) -> str:
    """
    Compare the 256 records of a tile with what their log says of them; return the first thing that is wrong, or ''.

    Args:
        place: which tile: 0 for the records 0 to 255, and so on.
        now: microseconds since 1970 UTC.
    """
    log = await activity_logs.by_id(reader, log_id)
    if log is None:
        return "the log is gone"
    if why := why_misnamed(log):
        return why
    if log.min_index and not may_be_pruned(log.month, now):
        return f"the records before {log.min_index} are missing"
    path = [(level, place >> HEIGHT * level) for level in range(LEVELS)]
    tiles = await activity_tiles.read(reader, log_id, {*path, *right_tiles(log.size)})
    try:
        is_root_right = TiledTree(log.size, tiles).root == log.root
    except DamagedTiles as error:
        return str(error)
    if not is_root_right:
        return f"its tiles at {log.size} records have another root than it had"
    stretch = range(max(place * WIDTH, log.min_index), min((place + 1) * WIDTH, await _held(reader, log)))
    return _wrong_tile(log, path, tiles) or await _wrong_record(reader, log_id, stretch, tiles.get((0, place), b""))


async def _held(reader: Reader, log: ActivityLog) -> int:
    """Return how many records stand in a log; those of a frozen one that nothing signed went on into its next part."""
    if log.frozen_at is None:
        return log.size
    signed = await activity_checkpoints.latest_signed(reader, log.log_id)
    return signed.size if signed else 0


def _wrong_tile(log: ActivityLog, path: list[Tile], tiles: dict[Tile, bytes]) -> str:
    """Tell whether each full tile on the way up hashes to what stands for it in the tile above."""
    for (level, place), above in pairwise(path):
        if place >= log.size >> HEIGHT * (level + 1):
            return ""  # not full, so it is part of the right edge, which has the right root
        hashed = root_of(leaves_in(tiles.get((level, place), b"")))
        if [hashed] != leaves_in(tiles.get(above, b""))[place % WIDTH :][:1]:
            return f"the tile at level {level}, place {place}, is not what was signed"
    return ""


async def _wrong_record(reader: Reader, log_id: int, stretch: range, tile: bytes) -> str:
    if not stretch:
        return ""
    first, leaves = stretch.start, leaves_in(tile)
    rows = await activity_audit.stretch(reader, log_id, first, stretch.stop)
    if len(rows) == len(stretch) and _are_sound(rows, first, leaves[first % WIDTH :][: len(rows)]):
        return ""
    for index, row in zip(stretch, rows, strict=False):
        if row["log_index"] != index:
            return f"record {index} is missing"
        if not isinstance(row["entry"], bytes) or leaf_hash(row["entry"]) != leaves[index % WIDTH]:
            return f"record {index} is not what was signed"
        if why := _wrong_beside(row):
            return f"record {index}: {why}"
    return f"record {first + len(rows)} is missing" if len(rows) < len(stretch) else ""


def _are_sound(rows: Sequence[Row], first: int, leaves: Sequence[bytes]) -> bool:
    """
    Tell whether all is well with records, looked at in one breath; what is not, or not plain, is told one by one.

    Args:
        first: the index of the first of them.
        leaves: the hashes that were signed.
    """
    written = [row["entry"] for row in rows]
    if [row["log_index"] for row in rows] != list(range(first, first + len(rows))):
        return False
    try:
        if [leaf_hash(entry) for entry in written] != leaves:
            return False
        entries = read_entries(b"\n".join(written))
        details = [_details(b"{}" if row["details"] is None else row["details"]) for row in rows]
        check_details(entries, details)
        return all(map(matches_entry, rows, entries, details))
    except _UNREADABLE:
        return False


def _wrong_beside(row: Row) -> str:
    """Compare what stands beside an entry with it: copies to search by, and the details unless they were erased."""
    try:
        entry = entry_from(row["entry"])
    except ValueError as error:
        return str(error)
    copies = copies_of(entry)
    if wrong := sorted(name for name in _COPIES if row[name] != copies[name]):
        return f"its {wrong[0]} is not what the entry says"
    if row["details"] is None:
        return "" if row["user_id"] is None else "its user_id is there, and its details are not"
    try:
        details: dict[str, Any] = json.loads(row["details"])
        user = open_details(entry, details).get("user")
    except _UNREADABLE as error:
        return f"its details do not open the entry: {error}"
    return "" if row["user_id"] == (int(user) if user else None) else "its user_id is not what the details say"
