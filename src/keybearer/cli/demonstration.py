"""The demo: its data, its state from one start to the next, and what it prints."""

import functools
import json
import os
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from keybearer.cli.demo_scene import PEOPLE, make_key, make_token, random_password, set_up
from keybearer.cli.example_api import ExampleAPI, prepared
from keybearer.cli.logs import log_to_file
from keybearer.cli.running import listen, own_address, run_server
from keybearer.cli.trouble import Trouble
from keybearer.cli.workplace import in_database, load_settings, operator, prepare_database
from keybearer.server.accounts.passwords import Passwords
from keybearer.server.clock import now
from keybearer.server.refusals import Refusal
from keybearer.server.roles import ROLE_TITLES
from keybearer.server.settings import Settings
from keybearer.server.store import users
from keybearer.server.store.database import Database

_LOG: Final = "keybearer.log"
_NOTES: Final = "demo.json"


@dataclass(frozen=True, slots=True)
class Notes:
    """
    What the demo remembers between two starts, in a file that only its owner reads.

    Args:
        password: of all its people.
        grant_id: of the token that the last start printed.
        resource_server_id: of the key that the last start gave to the example API.
    """

    password: str
    grant_id: str = ""
    resource_server_id: str = ""


@dataclass(frozen=True, slots=True)
class Started:
    """What is new at this start: the text of the token that is printed, and the key of the example API."""

    password: str
    token: str
    key: str


def demonstrate(host: str, port: int, api_folder: Path | None, *, as_json: bool) -> int:
    """
    Fill the database with the demo if it is not there yet, serve, and say what to try.

    Args:
        api_folder: an example API to run beside it.
        as_json: say it to a program, as one object.

    Returns:
        The exit code.
    """
    settings = load_settings().model_copy(update={"database_url": SecretStr("")})  # never into a real one
    with ExitStack() as held:
        # Sockets before anything is written: a taken port leaves nothing behind.
        listener = held.enter_context(listen(host, port))
        own_port = listener.getsockname()[1]
        api = held.enter_context(prepared(api_folder, host, own_port + 1)) if api_folder else None
        settings = own_address(settings, listener)
        prepare_database(settings)
        started = in_database(settings, functools.partial(_start, settings))
        if api:
            held.enter_context(api.running(f"http://127.0.0.1:{own_port}", started.key, settings.data_dir))
        words = _for_programs if as_json else _words
        tell = functools.partial(print, words(settings, started, api), flush=True)
        return run_server(settings, listener, when_listening=tell, log=functools.partial(log_to_file, _log(settings)))


async def _start(settings: Settings, database: Database) -> Started:
    """Fill the database if it is empty; make what each start makes anew."""
    file = settings.data_dir / _NOTES
    notes = await _filled(settings, database, file)
    at = now()
    who = operator(at)
    try:
        grant_id, token = await database.transact(make_token, who, settings, notes.grant_id, at)
        added = await database.transact(make_key, who, settings.token_prefix, notes.resource_server_id, at)
    except Refusal as refusal:
        raise Trouble(
            f"the demo in {settings.data_dir} is no longer what it was ({refusal.detail}); "
            "remove that folder to begin anew"
        ) from None
    _write(file, replace(notes, grant_id=grant_id, resource_server_id=added.resource_server.resource_server_id))
    return Started(notes.password, token, added.key)


async def _filled(settings: Settings, database: Database, file: Path) -> Notes:
    """Return what the last start noted; at the first, put the demo into the database."""
    notes = _read(file)
    is_empty = await users.count(database) == 0
    if notes is None and not is_empty:
        raise Trouble(
            f"{settings.data_dir} holds something else than the demo, so nothing is added to it; "
            "name another folder in KEYBEARER_DATA_DIR"
        )
    notes = notes or Notes(random_password())
    if is_empty:
        _write(file, notes)  # first, so that no account is there whose password nobody knows
        password_hash = await Passwords().hash(notes.password)
        at = now()
        await database.transact(set_up, operator(at), password_hash, settings.token_prefix, at)
        return Notes(notes.password)  # what an earlier start printed went with the database
    return notes


def _read(file: Path) -> Notes | None:
    return Notes(**json.loads(file.read_text("utf-8"))) if file.exists() else None


def _write(file: Path, notes: Notes) -> None:
    """Keep the notes, readable by nobody else, whole or not at all."""
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as opened:
        json.dump(asdict(notes), opened)
    fresh.replace(file)


def _log(settings: Settings) -> Path:
    return settings.data_dir / _LOG


def _for_programs(settings: Settings, started: Started, api: ExampleAPI | None) -> str:
    """Return what is printed once the demo listens, as one object on one line."""
    people = [person.email for person in PEOPLE]
    said = {"url": settings.issuer, "api_url": api.url if api else None, "token": started.token}
    return json.dumps(said | {"people": people, "password": started.password, "log": str(_log(settings))})


def _words(settings: Settings, started: Started, api: ExampleAPI | None) -> str:
    """Return what is printed once the demo listens; a curl line stays on one line, to be pasted."""
    base = settings.issuer
    width = max(len(person.email) for person in PEOPLE)
    sign_ins = "\n".join(
        f"  {person.email:<{width}}  {ROLE_TITLES[person.sandbox_role]} in the sandbox team,"
        f" {ROLE_TITLES[person.live_role]} in the live team"
        for person in PEOPLE
    )
    beside, then = "", "it answers"
    if api:
        then = "both answer"
        beside = f"""
Call an API behind it, {api.folder}, which verifies the same token by itself:
{_curl(started.token, f"{api.url}/people")}
"""
    return f"""Keybearer listens on {base}

Sign in at {base}/login, each with the password {started.password}
{sign_ins}

Call the API with a token that works in the sandbox:
{_curl(started.token, f"{base}/api/v2/me")}
{beside}
Next: sign in as {PEOPLE[0].email}, delete that token at {base}/settings/tokens, and call again: {then} 401.
Guides are at {base}/docs, the log is in {_log(settings)}, Ctrl+C ends the demo."""


def _curl(token: str, url: str) -> str:
    return f'curl -H "Authorization: Bearer {token}" {url}'
