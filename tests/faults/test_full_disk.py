"""K8: the disk of a real server is full; what cannot be recorded is not served, and room alone mends it."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx2
import pytest
from pydantic import SecretStr

from keybearer.server import clock
from keybearer.server.settings import Settings
from tests.support.house import open_house
from tests.support.processes import ServerProcess, server_process
from tests.support.scenes import Scene

TIMEOUT_S: Final = 60
AS_ROOT: Final = () if os.geteuid() == 0 else ("--user", "--map-root-user")
UNSHARE: Final = ("unshare", *AS_ROOT, "--mount", "sh", "-c")
# A file system of its own, which nobody else sees and which ends with the server; what was prepared is copied into it.
ON_A_SMALL_DISK: Final = 'mount -t tmpfs -o size=24m none "$0" && cp -r "$1"/. "$0" && shift && exec "$@"'

pytestmark = pytest.mark.skipif(
    subprocess.run([*UNSHARE, "mount -t tmpfs none /mnt"], check=False, capture_output=True).returncode != 0,
    reason="nobody may mount a file system of their own here",
)


class Caller:
    """
    Calls with a token.

    Args:
        server: its data directory is the small disk.
        answered: the ids of the requests that were answered with success.
    """

    def __init__(self, server: ServerProcess, token: str) -> None:
        self.client = httpx2.AsyncClient(base_url=server.url, headers={"authorization": f"Bearer {token}"}, timeout=30)
        self.disk = Path(f"/proc/{server.process_id}/root{server.folder}/data")
        self.answered: list[str] = []

    async def call(self, name: str = "") -> int:
        """Look at oneself, or take another name; return the status."""
        path = "/api/v2/me"
        answer = await (self.client.patch(path, json={"name": name}) if name else self.client.get(path))
        if answer.status_code == 200:
            self.answered.append(answer.headers["x-request-id"])
        return answer.status_code

    async def until(self, status: int, name: str = "") -> None:
        """Call until it is answered so."""
        async with asyncio.timeout(TIMEOUT_S):
            while await self.call(name) != status:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def until_recorded(self) -> None:
        """Wait until the activity log tells of each call that was answered, once, and of no other as done."""
        async with asyncio.timeout(TIMEOUT_S):
            while sorted(await self._recorded()) != sorted(self.answered):  # noqa: ASYNC110
                await asyncio.sleep(0.5)

    async def _recorded(self) -> list[str]:
        found = (await self.client.get("/api/v2/activity?action=api.called&outcome=done&limit=100")).json()["data"]
        return [each["request_id"] for each in found if each["route"] == "/api/v2/me"]


@pytest.fixture
async def caller(database_url: str, tmp_path: Path) -> AsyncIterator[Caller]:
    """Run a server on a small disk: its spool, and the embedded database; and have Ada's token."""
    seed, disk = tmp_path / "seed", tmp_path / "data"
    disk.mkdir()
    settings = Settings(data_dir=seed, database_url=SecretStr(database_url), issuer="http://127.0.0.1:1")
    async with open_house(settings, clock.now) as house:
        scene = Scene(house.node)
        ada = await scene.person("Ada")
        token = await scene.personal_token(ada, await scene.team("Acme", owner=ada))
    for file in tmp_path.glob("keybearer.db*"):
        file.rename(seed / file.name)
    server = server_process(tmp_path, database_url.replace(str(tmp_path), str(disk)))
    server.within = (*UNSHARE, ON_A_SMALL_DISK, str(disk), str(seed))
    server.start()
    caller = Caller(server, token)
    try:
        yield caller
    finally:
        await caller.client.aclose()
        server.stop()


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with (disk / "full").open("wb", buffering=0) as file:
        for size in (1 << 16, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)


async def test_a_full_disk_is_answered_503_and_each_call_that_was_answered_is_recorded_once(caller: Caller) -> None:
    assert await caller.call() == 200
    await caller.until_recorded()
    await asyncio.to_thread(fill, caller.disk)
    await caller.until(503)
    assert await caller.call("Lost") == 503
    assert (await caller.client.get("/readyz")).status_code == 200
    (caller.disk / "full").unlink()
    await caller.until(200)
    await caller.until(200, "Ada again")
    await caller.until_recorded()
