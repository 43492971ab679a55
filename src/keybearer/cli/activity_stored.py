"""What is stored of the activity log verified, and the key that signs it."""

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from keybearer.audit.trust import Trust
from keybearer.audit.verdict import Verdict
from keybearer.audit.verification import Verification
from keybearer.cli.activity_verification import trust_of
from keybearer.cli.lookup import find_team
from keybearer.cli.progress import Progress
from keybearer.cli.trouble import Trouble
from keybearer.cli.workplace import load_settings, look_into_database
from keybearer.server.clock import now
from keybearer.server.reads.activity import Sight
from keybearer.server.reads.activity_export import Chunk, activity_chunks, stored_chunks
from keybearer.server.records import ActivityFilter, ActivityLog
from keybearer.server.rules.activity_logs import base_of, named_by
from keybearer.server.sealing.audit import why_damaged
from keybearer.server.sealing.key import missing_file, own_signer
from keybearer.server.sealing.sealer import WITNESS
from keybearer.server.sealing.signing import why_unlike
from keybearer.server.sealing.witness import Signed, Witness
from keybearer.server.settings import Settings
from keybearer.server.store import activity_export
from keybearer.server.store.database import Database, Reader
from keybearer.wire.checkpoint import BadNote, VerifierKey
from keybearer.wire.tiles import WIDTH


def public_key() -> str:
    """
    Return this server's public key, as `verify --key` takes it.

    Raises:
        Trouble: there is no key yet, or it cannot be read.
    """
    return _own_key(load_settings()).text


def stored_verified(team_text: str | None, keys: Sequence[str], checkpoints: Sequence[Path]) -> Verdict:
    """
    Verify what the database has.

    Args:
        team_text: of which team; None: of everybody, sign-ins and what operators did included.
        keys: whose signatures count; none: this server's own.

    Raises:
        Trouble: there is no such team, or a key or checkpoint cannot be read.
    """
    settings = load_settings()
    given = trust_of(keys, checkpoints) if keys else _own_key(settings)
    signed = _signed_here(settings.data_dir / WITNESS)

    async def work(database: Database) -> Verdict:
        logs = await activity_export.every_log(database)
        trust = given if isinstance(given, Trust) else trust_of(_named(given, logs), checkpoints)
        if team_text is None:
            await _compare(database, signed)
            return await _verified(database, logs, stored_chunks(database), trust)
        team_id = (await find_team(database, team_text)).team_id
        await _compare(database, {name: last for name, last in signed.items() if _is_of_team(name, team_id)})
        chunks = activity_chunks(database, Sight(team_id, None), ActivityFilter(team_id))
        return await _verified(database, await activity_export.logs_of(database, team_id), chunks, trust)

    return look_into_database(settings, work)


def _signed_here(path: Path) -> Mapping[str, Signed]:
    """Return what this server signed last for each log; nothing if it never did."""
    if not path.exists():
        return {}
    try:
        witness = Witness(path)
    except OSError as error:
        raise Trouble(f"cannot read {path}: {error.strerror}") from error
    witness.close()
    return witness.last


def _is_of_team(origin: str, team_id: int) -> bool:
    name, _ = named_by(origin)
    return (name.kind, name.owner_id) == ("team", team_id)


async def _compare(reader: Reader, signed: Mapping[str, Signed]) -> None:
    """
    Compare logs with what was signed of them.

    Raises:
        Trouble: one of them is another, or gone.
    """
    for origin, last in signed.items():
        if why := await why_unlike(reader, origin, last):
            raise Trouble(f"{origin}: {why}")


async def _verified(
    database: Database, logs: Sequence[ActivityLog], chunks: AsyncIterator[Chunk], trust: Trust
) -> Verdict:
    with Progress("verified") as progress:
        if why := await first_damage(database, logs, progress):
            raise Trouble(why)
        verdict = await stored_verdict(chunks, trust)
    say_frozen(logs)
    return verdict


def say_frozen(logs: Sequence[ActivityLog]) -> None:
    """Say on stderr which logs are frozen, and why: what was found once is not to be forgotten over what is sound."""
    for log in logs:
        if log.frozen_at is not None:
            print(f"{log.origin} is frozen: {log.frozen_why}", file=sys.stderr)


async def first_damage(reader: Reader, logs: Sequence[ActivityLog], progress: Progress) -> str:
    """
    Compare all that is stored of some logs, the columns that are searched by too, with their trees.

    Args:
        progress: told how many records were looked at.

    Returns:
        What is wrong first; '' if nothing is.
    """
    for log in logs:
        first = log.min_index // WIDTH
        for place in range(first, max(-(-log.size // WIDTH), first + 1)):
            if why := await why_damaged(reader, log.log_id, place, now()):
                return f"{log.origin}: {why}"
            progress.advance(WIDTH)
    return ""


async def stored_verdict(chunks: AsyncIterator[Chunk], trust: Trust) -> Verdict:
    """
    Verify what is stored as its whole export would be: what is signed, by whom, and since when.

    Raises:
        Trouble: it cannot be written as one.
    """
    verification = Verification(trust)
    try:
        async for chunk in chunks:
            verification.take(chunk.data.splitlines(keepends=True))
    except BadNote as error:
        raise Trouble(f"the key that the database names for the signatures of the logs is not one: {error}") from error
    return verification.verdict()


def _named(key: VerifierKey, logs: Sequence[ActivityLog]) -> list[str]:
    """Return this server's key under each name that it has had: logs keep the one they were made under."""
    names = {key.name, *(base_of(log.origin) for log in logs)}
    return [VerifierKey(name, key.key).text for name in sorted(names)]


def _own_key(settings: Settings) -> VerifierKey:
    if missing := missing_file(settings):
        raise Trouble(f"{missing} is not there: the server makes it when it starts; or give the key by --key")
    try:
        return own_signer(settings).verifier_key
    except (OSError, ValueError) as error:
        raise Trouble(f"the activity key cannot be read: {error}") from error
