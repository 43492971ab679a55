"""What proves that records are in a log, and that the log only grew: checkpoints, tiles, proofs (C2SP tlog-tiles)."""

from collections.abc import Callable
from functools import partial

from keybearer.server import refusals
from keybearer.server.records import ActivityLog
from keybearer.server.store import activity_checkpoints, activity_logs, activity_tiles
from keybearer.server.store.activity_checkpoints import Decided
from keybearer.server.store.database import Reader
from keybearer.wire.merkle import HASH_BYTES, SubtreeHash, consistency_proof, inclusion_proof
from keybearer.wire.tiles import HEIGHT, LEVELS, WIDTH, Tile, hashes_in, tiles_for


async def signed_log(reader: Reader, origin: str) -> tuple[ActivityLog, Decided]:
    """
    Return a log and its newest signed checkpoint.

    Raises:
        Refusal: ``not_found``: there is no such log, or nothing of it is signed yet.
    """
    log = await activity_logs.by_origin(reader, origin)
    signed = await activity_checkpoints.latest_signed(reader, log.log_id) if log else None
    if log is None or signed is None:
        raise refusals.not_found("no such log, or nothing of it is signed")
    return log, signed


async def tile(reader: Reader, origin: str, wanted: Tile, width: int) -> bytes:
    """
    Return the first *width* hashes of a tile.

    Raises:
        Refusal: ``not_found``: the newest checkpoint does not have that many there.

    Source: C2SP tlog-tiles, "Merkle Tree".
    """
    log, signed = await signed_log(reader, origin)
    level, place = wanted
    there = (signed.size >> HEIGHT * level) - place * WIDTH if level < LEVELS else 0
    if not 0 < width <= min(there, WIDTH):
        raise refusals.not_found("no such tile")
    found = await activity_tiles.read(reader, log.log_id, [wanted])
    return found.get(wanted, b"")[: width * HASH_BYTES]


async def inclusion(reader: Reader, origin: str, index: int, size: int) -> list[bytes]:
    """
    Return what proves that record *index* is in the log at *size* records; see `merkle.verify_inclusion`.

    Raises:
        Refusal: ``invalid_request``: there is no such record at that size, or no such size yet.
    """
    return await _proof(reader, origin, size, partial(inclusion_proof, index, size))


async def consistency(reader: Reader, origin: str, first: int, size: int) -> list[bytes]:
    """
    Return what proves that the log at *size* records begins with its first ones; see `merkle.verify_consistency`.

    Raises:
        Refusal: ``invalid_request``: the log has never had such a size.
    """
    return await _proof(reader, origin, size, partial(consistency_proof, first, size))


async def _proof(reader: Reader, origin: str, size: int, make: Callable[[SubtreeHash], list[bytes]]) -> list[bytes]:
    log, signed = await signed_log(reader, origin)
    if size > signed.size:
        raise refusals.invalid_request(f"The log has {signed.size} signed records.", "proof: beyond the checkpoint")
    try:
        wanted = tiles_for(make)
    except ValueError as error:
        raise refusals.invalid_request("There is no such proof.", f"proof: {error}") from error
    return make(hashes_in(await activity_tiles.read(reader, log.log_id, sorted(wanted))))
