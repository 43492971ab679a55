"""The demo: its data, what it remembers between two starts, and what it prints."""

import functools
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from keybearer.cli.demo_scene import PEOPLE, make_token, random_password, set_up
from keybearer.cli.logs import log_to_file
from keybearer.cli.running import listen, own_address, run_server
from keybearer.cli.trouble import Trouble
from keybearer.cli.workplace import in_database, load_settings, now, operator, prepare_database
from keybearer.server.passwords import Passwords
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
    """

    password: str
    grant_id: str = ""


def demonstrate(host: str, port: int) -> int:
    """
    Fill the database with the demo if it is not there yet, serve, and say what to try.

    Returns:
        The exit code.
    """
    settings = load_settings().model_copy(update={"database_url": SecretStr("")})  # never into a real one
    with listen(host, port) as listener:  # before anything is written: a taken port leaves nothing behind
        settings = own_address(settings, listener)
        prepare_database(settings)
        notes, text = in_database(settings, functools.partial(_fill, settings))
        say = functools.partial(print, _words(settings, notes.password, text), flush=True)
        return run_server(settings, listener, when_listening=say, log=functools.partial(log_to_file, _log(settings)))


async def _fill(settings: Settings, database: Database) -> tuple[Notes, str]:
    """Return what to remember, and the text of this start's token."""
    file = settings.data_dir / _NOTES
    at = now()
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
        await database.transact(set_up, operator(at), password_hash, settings.token_prefix, at)
    try:
        grant_id, text = await database.transact(make_token, operator(at), settings, notes.grant_id, at)
    except Refusal as refusal:
        raise Trouble(
            f"the demo in {settings.data_dir} is no longer what it was ({refusal.detail}); "
            "remove that folder to begin anew"
        ) from None
    _write(file, replace(notes, grant_id=grant_id))
    return notes, text


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


def _words(settings: Settings, password: str, text: str) -> str:
    """Return what is printed once the demo listens; the curl line stays on one line, to be pasted."""
    base = settings.issuer
    width = max(len(person.email) for person in PEOPLE)
    sign_ins = "\n".join(
        f"  {person.email:<{width}}  {ROLE_TITLES[person.sandbox_role]} in the sandbox team,"
        f" {ROLE_TITLES[person.live_role]} in the live team"
        for person in PEOPLE
    )
    return f"""Keybearer listens on {base}

Sign in at {base}/login, each with the password {password}
{sign_ins}

Call the API with a token that works in the sandbox:
curl -H "Authorization: Bearer {text}" {base}/api/v2/me

Next: sign in as {PEOPLE[0].email}, delete that token at {base}/settings/tokens, and call again: it answers 401.
Guides are at {base}/docs, the log is in {_log(settings)}, Ctrl+C ends the demo."""
