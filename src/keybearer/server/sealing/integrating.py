"""Records get their places in logs, and what the logs have become is decided, in one transaction."""

import operator
from collections.abc import Sequence
from typing import Final

from keybearer.server.records import ActivityLog, LogName
from keybearer.server.rules.activity_logs import TREE, log_of, origin_of
from keybearer.server.sealing.freezing import freeze
from keybearer.server.store import activity_checkpoints, activity_intake, activity_logs, activity_tiles
from keybearer.server.store.activity import Values, of_log
from keybearer.server.store.activity_checkpoints import New
from keybearer.server.store.activity_logs import Place, Unplaced
from keybearer.server.store.database import Transaction
from keybearer.wire.checkpoint import Checkpoint
from keybearer.wire.merkle import leaf_hash
from keybearer.wire.tiles import DamagedTiles, TiledTree, right_tiles

AT_ONCE: Final = 500  # records that waited; on SQLite nothing else is written meanwhile


_Leaf = tuple[LogName, bytes]
"""A record's log, and the entry that becomes a leaf of its tree."""


async def integrate(tx: Transaction, base: str, now: int, new: Sequence[Values] = ()) -> int:
    """
    Give some of the waiting records their places, and keep *new* ones with theirs; return how many have one now.

    The leaves are hashed out of the bytes that the rows hold, and added to trees whose tiles still have the root
    that was decided before. What a log becomes by it is decided here and signed later.

    Args:
        base: what the logs' names begin with.
        now: microseconds since 1970 UTC.
        new: if another node is giving places at this moment, they wait.
    """
    if not await activity_logs.take_turn(tx):
        await activity_intake.keep(tx, new)
        return 0
    waiting = await activity_logs.unplaced(tx, AT_ONCE)
    leaves = [(_log_of_stored(record, now), record.entry) for record in waiting]
    leaves += [
        (log_of(action, team_id, user_id, at), entry) for action, team_id, user_id, at, entry in map(of_log, new)
    ]
    if leaves:
        places = await _places(tx, base, leaves, now)
        ids = [record.activity_id for record in waiting]
        await activity_logs.place_all(tx, list(zip(ids, places, strict=False)))
        await activity_intake.keep(tx, new, places[len(waiting) :])
    return len(leaves)


def _log_of_stored(record: Unplaced, now: int) -> LogName:
    """Return the log of a record that waited; the server's of now, if raw SQL left what tells of none."""
    try:
        log = log_of(record.action, record.team_id, record.user_id, record.received_at)
        return log._replace(owner_id=operator.index(log.owner_id))
    except (OverflowError, TypeError, ValueError):
        return log_of("", None, None, now)


async def _places(tx: Transaction, base: str, leaves: Sequence[_Leaf], now: int) -> list[Place]:
    """Add leaves to the trees of their logs, and return the place of each."""
    of_logs: dict[LogName, list[int]] = {}
    for at, (log_name, _) in enumerate(leaves):
        of_logs.setdefault(log_name, []).append(at)
    found: dict[int, Place] = {}
    grown: list[tuple[ActivityLog, Checkpoint]] = []
    for name in sorted(of_logs):
        log, tree = await _sound_part(tx, base, name, now)
        found |= {at: Place(log.log_id, index) for index, at in enumerate(of_logs[name], tree.size)}
        tree.extend([leaf_hash(leaves[at][1]) for at in of_logs[name]])
        await _keep(tx, log, tree)
        grown.append((log, Checkpoint(log.origin, tree.size, tree.root)))
    await _add_to_tree(tx, base, grown, now)
    return [found[at] for at in range(len(leaves))]


async def _add_to_tree(tx: Transaction, base: str, grown: Sequence[tuple[ActivityLog, Checkpoint]], now: int) -> None:
    """Decide the checkpoints, and put each into the tree over all logs."""
    top, tree = await _sound_part(tx, base, TREE, now)
    decided = []
    for log, checkpoint in grown:
        decided.append(New(log.log_id, checkpoint.size, checkpoint.root, (top.log_id, tree.size)))
        tree.append(leaf_hash(checkpoint.text.encode()))
    await _keep(tx, top, tree)
    await activity_checkpoints.decide(tx, [*decided, New(top.log_id, tree.size, tree.root, None)], now)


async def _sound_part(tx: Transaction, base: str, name: LogName, now: int) -> tuple[ActivityLog, TiledTree]:
    """Return the part of a log that records are added to, and its tree; parts that turn out damaged are frozen."""
    part = 0
    while True:
        part += 1
        origin = origin_of(base, name, part)
        log = await activity_logs.by_origin(tx, origin) or await activity_logs.add(tx, name, part, origin)
        if log.frozen_at is not None:
            continue
        try:
            tree = TiledTree(log.size, await activity_tiles.read(tx, log.log_id, right_tiles(log.size)))
        except DamagedTiles as error:
            await freeze(tx, log, str(error), now)
            continue
        if tree.root == log.root:
            return log, tree
        await freeze(tx, log, f"its tiles at {log.size} records have another root than it had", now)


async def _keep(tx: Transaction, log: ActivityLog, tree: TiledTree) -> None:
    await activity_tiles.put(tx, log.log_id, tree.changed)
    await activity_logs.grow(tx, log, tree.size, tree.root)
