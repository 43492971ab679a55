"""The package as it is installed without the server: what it loads, what it promises of its types."""

import subprocess
import sys
from pathlib import Path

import pytest

import keybearer

USES = Path(__file__).with_name("uses.py")
SERVER_ONLY = (
    "alembic",
    "apsw",
    "argon2",
    "asyncpg",
    "jinja2",
    "msgspec",
    "pydantic",
    "sqlalchemy",
    "starlette",
    "typer",
)
FRAMEWORKS = ("django", "fastapi", "flask", "rest_framework")


@pytest.mark.parametrize("module", ["keybearer", "keybearer.testing", "keybearer.asgi"])
def test_it_is_imported_without_the_servers_dependencies_or_any_framework(module: str) -> None:
    program = f"""
import sys
for absent in {SERVER_ONLY + FRAMEWORKS}:
    sys.modules[absent] = None
import {module}
from keybearer import Forbidden, InvalidToken, Principal, RateLimited, SyncVerifier, Unavailable, Verifier
assert not any(name.startswith("keybearer.server") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_bare_package_loads_next_to_nothing() -> None:
    program = "import sys, keybearer; assert not {'asyncio', 'httpx2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_command_says_what_to_install_where_the_sdk_alone_is() -> None:
    program = "import sys; sys.modules['typer'] = None; from keybearer.cli.program import main; main()"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "error: commands belong to the server, and typer is missing; pip install 'keybearer[server]'\n"
    )


def test_every_promised_name_is_there() -> None:
    for name in keybearer.__all__:
        assert getattr(keybearer, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = keybearer.Nothing  # type: ignore[attr-defined]


def test_its_types_are_shipped_and_what_they_say() -> None:
    assert (Path(keybearer.__file__).parent / "py.typed").is_file()
    judged = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(USES)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout
