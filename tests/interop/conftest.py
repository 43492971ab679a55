"""A server process with people in several teams, and clients that nobody here wrote to try on it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interop.town import Drive, People, Town, settled
from tests.support.databases import PostgresDatabases, copy_sqlite
from tests.support.people import Person, RegisteredApp, at_browser

CLIENTS: Final = Path(__file__).parent / "clients"
TIMEOUT_S: Final = 30


@pytest.fixture(scope="session")
def sqlite_town(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Run a town on SQLite."""
    folder = tmp_path_factory.mktemp("sqlite-town")
    with settled(folder, copy_sqlite(migrated_sqlite, folder / "keybearer.db")) as town:
        yield town


@pytest.fixture(scope="session")
def postgresql_town(migrated_postgres: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Run a town on PostgreSQL."""
    with migrated_postgres.fresh() as url, settled(tmp_path_factory.mktemp("postgresql-town"), url) as town:
        yield town


@pytest.fixture
def town(request: pytest.FixtureRequest) -> Town:
    """Be in a town, on SQLite unless the test says otherwise; each test registers apps of its own there."""
    found: Town = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_town")
    return found


@pytest.fixture
async def signed_in(town: Town) -> AsyncIterator[People]:
    """Sign people in by their names."""
    async with AsyncExitStack() as open_browsers:

        async def sign_in(name: str) -> Person:
            person = await open_browsers.enter_async_context(at_browser(town.server, name))
            await person.sign_in()
            return person

        yield sign_in


@pytest.fixture
async def ada(town: Town, signed_in: People) -> Person:
    """Have Ada signed in, working in Acme, which she owns."""
    person = await signed_in("ada")
    await person.switch_team(town.teams["Acme"])
    return person


@pytest.fixture
def drive(town: Town) -> Drive:
    """Run one of the npm clients; whenever it sends its person away, they decide on the page."""

    async def run(script: str, app: RegisteredApp, person: Person, **options: object) -> dict[str, Any]:
        errand = {
            "issuer": town.url,
            "client_id": app.client_id,
            "client_secret": app.secret,
            "redirect_uri": app.redirect_uri,
            "options": options,
        }
        async with asyncio.timeout(TIMEOUT_S):
            return await _conversed(CLIENTS / f"{script}.mjs", errand, person)

    return run


async def _conversed(script: Path, errand: dict[str, Any], person: Person) -> dict[str, Any]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("node", script, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    result: dict[str, Any] = {}
    try:
        process.stdin.write(f"{json.dumps(errand)}\n".encode())
        while line := await process.stdout.readline():
            said = json.loads(line)
            result = said.get("result", {})
            if "visit" in said:
                landed = await person.consent(said["visit"], said["decision"])
                process.stdin.write(f"{json.dumps({'landed': landed})}\n".encode())
        complaint = (await process.stderr.read()).decode()
        assert await process.wait() == 0, complaint
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return result
