"""Checks this server's environment, database, barrier, clock and activity log, without a running server."""

from typing import Any

from keybearer.cli.workplace import load_settings, look_into_database
from keybearer.server import clock
from keybearer.server.reads.readiness import clock_apart, empty_barrier, frozen_logs
from keybearer.server.sealing.key import missing_file, own_signer
from keybearer.server.settings import Settings, misspelt_variables
from keybearer.server.store import activity_logs
from keybearer.server.store.database import Database

Finding = dict[str, Any]


def findings() -> list[Finding]:
    """
    Examine the database and the key.

    Raises:
        Trouble: the database is out of reach, or not at this version.
    """
    settings = load_settings()

    async def examine(database: Database) -> list[Finding]:
        frozen = await frozen_logs(database)
        key = _wrong_key(settings, await activity_logs.signing_key(database))
        return [
            _environment(),
            {"check": "database", "is_well": True, "says": "reachable, and at this version"},
            *([await _barrier(database)] if settings.barrier == "on" else []),
            *([] if await database.clock() is None else [await _clock(database)]),
            {"check": "activity key", "is_well": not key, "says": key or "the one that the logs are signed with"},
            {"check": "activity logs", "is_well": not frozen, "says": "; ".join(frozen) or "none is frozen"},
        ]

    return look_into_database(settings, examine)


def _environment() -> Finding:
    misspelt = [f"{name} is not a setting: do you mean {nearest}?" for name, nearest in misspelt_variables().items()]
    return {"check": "environment", "is_well": not misspelt, "says": " ".join(misspelt) or "no variable is misspelt"}


async def _barrier(database: Database) -> Finding:
    unproven = await empty_barrier(database)
    says = unproven or "commits wait for a synchronous standby"
    return {"check": "barrier", "is_well": not unproven, "says": says}


async def _clock(database: Database) -> Finding:
    apart = await clock_apart(database, clock.now)
    return {"check": "clock", "is_well": not apart, "says": apart or "in step with the database's"}


def _wrong_key(settings: Settings, known: str) -> str:
    """Return what is wrong with the signing key; '' if it is right, or nothing is signed yet."""
    if not known:
        return ""
    if missing := missing_file(settings):
        return f"{missing} is not there, and the logs are signed already: put the key back"
    try:
        signer = own_signer(settings)
    except (OSError, ValueError) as error:
        return f"it cannot be read: {error}"
    return "" if signer.is_written(known) else "the logs are signed with another key"
