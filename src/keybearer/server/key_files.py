"""Secret keys that this server makes for itself and keeps as files in its data directory."""

import os
from collections.abc import Callable
from pathlib import Path

from keybearer.server import secrets
from keybearer.server.settings import MIN_KEY_LENGTH


def kept_key(file: Path, make: Callable[[], str] = secrets.random_key) -> str:
    """
    Return the key in *file*; the first who asks makes it.

    Several processes may ask at once. The key is whole on the disk before it has its name, so all read the same one.

    Raises:
        OSError: it cannot be read, or not be made.
        ValueError: the file is empty, or too short to be a key: with that, what is sealed is open to everybody.
    """
    if not file.exists():
        _keep(make(), file)
    key = file.read_text("ascii", errors="replace").strip()
    if len(key) < MIN_KEY_LENGTH:
        raise ValueError(f"{file} holds no key: put the key back; only where there never was one, remove the file")
    return key


def _keep(key: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.record_id(0)}")
    opened = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(opened, "w", encoding="ascii") as written:
        written.write(f"{key}\n")
        written.flush()
        os.fsync(written.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass  # another process was first
    finally:
        draft.unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
