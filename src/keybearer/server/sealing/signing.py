"""What was decided is signed, once it is known not to contradict anything that was signed before."""

import asyncio
from functools import partial

from keybearer.server.rules.activity_logs import named_by, why_misnamed
from keybearer.server.sealing.freezing import freeze
from keybearer.server.sealing.key import Signer
from keybearer.server.sealing.witness import Contradiction, Signed, Witness
from keybearer.server.store import activity_checkpoints, activity_logs, activity_tiles
from keybearer.server.store.activity_checkpoints import PASSED_OVER, Decided
from keybearer.server.store.database import Database, Reader, Transaction
from keybearer.wire.checkpoint import Checkpoint
from keybearer.wire.merkle import BadProof, consistency_proof, verify_consistency
from keybearer.wire.tiles import DamagedTiles, hashes_in, tiles_for


async def sign_decided(database: Database, witness: Witness, signer: Signer, now: int) -> int:
    """
    Sign what was decided and not signed yet; return how many checkpoints that is.

    First comes the comparison with all that was signed, then the witness is written and synced, then it is signed, then
    the note is kept and so made known. After a crash between any two of these the same is signed again.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        OSError: the witness cannot be written; nothing was signed.
    """
    decided = await activity_checkpoints.unsigned(database)
    if not decided:
        return 0
    await asyncio.to_thread(witness.refresh)
    newest = {each.log_id: each for each in decided}  # the largest size of each log comes last
    sound = []
    for each in newest.values():
        why = await database.view(_why_not, each, witness.last.get(each.origin))
        if why:
            await database.transact(freeze_by_id, each.log_id, why, now)
        else:
            sound.append(each)
    checkpoints = [Checkpoint(each.origin, each.size, each.root) for each in sound]
    try:
        await asyncio.to_thread(witness.add, checkpoints)
    except Contradiction:
        return 0  # another process was quicker: its word counts, and the next turn compares with it
    notes = [(each, signer.sign(checkpoint)) for each, checkpoint in zip(sound, checkpoints, strict=True)]
    passed_over = [(each, PASSED_OVER) for each in decided if each is not newest[each.log_id]]
    await database.transact(activity_checkpoints.keep_notes, notes + passed_over)
    return len(notes)


async def compare(database: Database, witness: Witness, now: int) -> None:
    """
    Compare every log that the witness knows with the database, and freeze those that were changed or put back.

    One that is gone is begun again with the same name, and frozen: so it is told like the others.

    Args:
        now: microseconds since 1970 UTC.
    """
    for origin, signed in list(witness.last.items()):
        why = await database.view(why_unlike, origin, signed)
        if why:
            await database.transact(_freeze_by_origin, origin, why, now)


async def why_unlike(reader: Reader, origin: str, signed: Signed) -> str:
    """Return how a log contradicts what was signed of it; '' if it does not, or is frozen, so that this is known."""
    log = await activity_logs.by_origin(reader, origin)
    if log is None:
        return f"{signed[0]} records were signed, and the database has no such log: it was put back, or the log deleted"
    if why := why_misnamed(log):
        return why
    if log.frozen_at is not None or (log.size, log.root) == signed:
        return ""
    return await contradiction(reader, log.log_id, signed, (log.size, log.root))


async def freeze_by_id(tx: Transaction, log_id: int, why: str, now: int) -> None:
    """Freeze a log as it stands by now; see `freezing.freeze`."""
    log = await activity_logs.by_id(tx, log_id)
    if log is not None:
        await freeze(tx, log, why, now)


async def _freeze_by_origin(tx: Transaction, origin: str, why: str, now: int) -> None:
    log = await activity_logs.by_origin(tx, origin)
    await freeze(tx, log or await activity_logs.add(tx, *named_by(origin), origin), why, now)


async def contradiction(reader: Reader, log_id: int, earlier: Signed, later: Signed) -> str:
    """Return how a log at a *later* size contradicts what was signed *earlier*; '' if it only goes on from there."""
    size, new_size = earlier[0], later[0]
    if new_size < size:
        return f"{size} records were signed, and the database has {new_size}: it was put back"
    make = partial(consistency_proof, size, new_size)
    try:
        tiles = await activity_tiles.read(reader, log_id, sorted(tiles_for(make)))
        verify_consistency(earlier, later, make(hashes_in(tiles)))
    except (DamagedTiles, BadProof) as error:
        return f"its {new_size} records do not begin with the {size} that were signed: {error}"
    return ""


async def _why_not(reader: Reader, decided: Decided, witnessed: Signed | None) -> str:
    """Return why a decided checkpoint must not be signed; '' if the log still goes on from all that was signed."""
    log = await activity_logs.by_id(reader, decided.log_id)
    assert log is not None  # noqa: S101 - logs are never deleted
    signed = await activity_checkpoints.latest_signed(reader, decided.log_id)
    earlier = [(each.size, each.root) for each in (signed, decided) if each] + ([witnessed] if witnessed else [])
    for one in earlier:
        if why := await contradiction(reader, log.log_id, one, (log.size, log.root)):
            return why
    return ""
