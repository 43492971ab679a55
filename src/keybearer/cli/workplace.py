"""What commands need: the settings, and an open database that has this version's tables."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from pydantic import ValidationError

from keybearer.cli.trouble import WRONG_USAGE, Trouble, as_clause, trouble_of, unusable_data_dir
from keybearer.server import secrets
from keybearer.server.activities import Actor
from keybearer.server.refusals import Refusal
from keybearer.server.settings import Settings
from keybearer.server.store.database import Database, open_database
from keybearer.server.store.faults import StoreFault
from keybearer.server.store.migrations import migrate, newest, present_revision

T = TypeVar("T")

ADDRESS: Final = "command line"


def load_settings() -> Settings:
    """
    Read the settings.

    Raises:
        Trouble: one of them is wrong; its value is not repeated, for it may be a secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        raise Trouble(_which_setting(first["loc"], first["msg"]), WRONG_USAGE) from None
    except (OSError, ValueError) as error:
        raise Trouble(f"the settings cannot be read: {error}; mend that and try again", WRONG_USAGE) from None


def _which_setting(place: tuple[int | str, ...], message: str) -> str:
    said = as_clause(message.removeprefix("Value error, "))
    name = f"KEYBEARER_{str(place[0]).upper()}: " if place else ""
    return f"{name}{said}; change it in the environment or the file of KEYBEARER_CONFIG"


def prepare_database(settings: Settings) -> None:
    """
    See to it that the database has this version's tables: the embedded one is migrated, another must be already.

    Raises:
        Trouble: it is out of reach, or ``keybearer migrate`` is called for.
    """
    if _embedded_file(settings):
        bring_up_to_date(settings)
    else:
        _demand_current(settings)


def _embedded_file(settings: Settings) -> str:
    """Return the file of the embedded database; '' if that is not what is used."""
    kind, _, file = settings.store_url.partition(":///")
    return file if kind == "sqlite" else ""


def _demand_current(settings: Settings) -> None:
    present = _present_revision(settings)
    if present is None and (file := _embedded_file(settings)):
        is_named = settings.database_url.get_secret_value()
        setting = "KEYBEARER_DATABASE_URL to" if is_named else "KEYBEARER_DATA_DIR to the folder of"
        raise Trouble(f"there is no database in {file}; set {setting} the one that is meant")
    if present != newest():
        raise Trouble(
            "the database is not at this version: run 'keybearer migrate' first, or install the version it is at"
        )


def _present_revision(settings: Settings) -> str | None:
    try:
        return present_revision(settings.store_url)
    except (StoreFault, ValueError, OSError) as error:
        raise _unusable(settings, error) from None


def bring_up_to_date(settings: Settings) -> bool:
    """
    Migrate the database; tell whether there was anything to do.

    Raises:
        Trouble: it is out of reach, or was made by a later version.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable_data_dir(error) from None
    try:
        return migrate(settings.store_url)
    except (StoreFault, ValueError, OSError) as error:
        raise _unusable(settings, error) from None
    except RuntimeError as error:
        raise Trouble(str(error)) from None


def in_new_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """
    Do *work*, with which a database may begin, as `in_database` does; the embedded one is made if there is none.

    Raises:
        Trouble: as `in_database` does.
    """
    if _embedded_file(settings) and _present_revision(settings) is None:
        bring_up_to_date(settings)
    return in_database(settings, work)


def in_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """
    Do *work* on the open database; beside a running server it has effect at that server's next call.

    An embedded database of an earlier version is left to the server that may run on it.

    Raises:
        Trouble: the work was refused, or the database is not there, out of reach, or not at this version.
    """
    _demand_current(settings)
    return _done(settings, work)


def look_into_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """
    Do *work*, which only looks, on the open database; none is made, migrated or otherwise changed for that.

    Raises:
        Trouble: as `in_database` does, or the database is not there, or not at this version.
    """
    _demand_current(settings)
    return _done(settings, work, read_only=True)


def _done(settings: Settings, work: Callable[[Database], Awaitable[T]], *, read_only: bool = False) -> T:
    try:
        return asyncio.run(_with_open_database(settings.store_url, work, read_only=read_only))
    except Refusal as refusal:
        raise trouble_of(refusal) from None
    except StoreFault as fault:
        raise _unusable(settings, fault) from None


async def _with_open_database(url: str, work: Callable[[Database], Awaitable[T]], *, read_only: bool) -> T:
    database = await open_database(url, read_only=read_only)
    try:
        return await work(database)
    finally:
        await database.close()


def operator(now: int) -> Actor:
    """Return who acts at the command line: whoever runs the server; there is no user behind it."""
    return Actor(secrets.record_id(now), ADDRESS)


def _unusable(settings: Settings, error: Exception) -> Trouble:
    """Say what is wrong with the database; what is wrong with its URL is not repeated, for it holds a password."""
    if not isinstance(error, ValueError) and (file := _embedded_file(settings)):
        return Trouble(
            f"the database {file} cannot be used ({error}); see that you may write it and its folder, "
            "and that the disk has room"
        )
    if not isinstance(error, ValueError):
        return Trouble(f"the database cannot be used ({error}); check KEYBEARER_DATABASE_URL, and that it is running")
    form = "postgresql://user:password@host:5432/name, with every unusual character percent-encoded"
    return Trouble(f"KEYBEARER_DATABASE_URL cannot be read; write it as {form}", WRONG_USAGE)
