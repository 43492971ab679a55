"""Secret keys that this server makes for itself and keeps as files in its data directory."""

import os
from collections.abc import Callable
from pathlib import Path

from keybearer.server import secrets


def kept_key(file: Path, make: Callable[[], str] = secrets.random_key) -> str:
    """
    Return the key in *file*; the first who asks makes it.

    Several processes may ask at once. The key is whole on the disk before it has its name, so all read the same one.

    Raises:
        OSError: it cannot be read, or not be made.
    """
    if not file.exists():
        _keep(make(), file)
    return file.read_text("ascii").strip()


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
