"""A small town of processes: nodes on one store, verifiers behind proxies, and tokens that are ended one by one."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from pathlib import Path
from random import Random

import httpx2
from pydantic import SecretStr

from keybearer.server import clock
from keybearer.server.settings import Settings
from tests.faults.processes.ledger import Ledger
from tests.faults.processes.programs import VerifierProcess, has_time_namespaces, running, until
from tests.support.chaos import ChaosProxy, chaos_proxy
from tests.support.house import open_house
from tests.support.oauth import set_play
from tests.support.postgres import Cluster
from tests.support.processes import ServerProcess, server_process
from tests.support.verifiers import asking

BOUND_S = 3  # the least that there is
LIVING = "living"  # the token that nobody ends
AHEAD = "Emil"  # F13: whose machine has slept for a month more than the others', where a time namespace can be had
_AHEAD_S = 30 * 86_400
_TOKENS = 200
_TRY_EVERY_S = 0.05
_PATIENCE_WITH_MISTAKES_S = 20.0
_SETTINGS = {"KEYBEARER_BOUND": str(BOUND_S), "KEYBEARER_RATE_LIMIT": "100000/second"}


@dataclass(frozen=True, slots=True)
class Store:
    """
    The database of a rig.

    Args:
        cluster: the PostgreSQL that it is in, if nodes are to be cut off from it; None on SQLite.
        settings: of its nodes, beside those of all rigs.
    """

    url: str
    cluster: Cluster | None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Rig:
    """
    Everything that runs, with what breaks it.

    Args:
        nodes: the first is the one that verifiers ask, and that is broken; the last one takes the ends of tokens.
        store_way: between the first node and PostgreSQL; None where nobody is to be cut off from it.
        node_clock: says by how much the first node's wall clock is wrong; None where there is no libfaketime.
    """

    nodes: list[ServerProcess]
    store: Store
    store_way: ChaosProxy | None
    ledger: Ledger
    random: Random
    texts: Iterator[str]
    key: str
    node_clock: Path | None
    verifiers: list[VerifierProcess] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    names: Iterator[str] = field(default_factory=lambda: map("token-{}".format, itertools.count(1)))

    @property
    def node(self) -> ServerProcess:
        """The node that verifiers ask."""
        return self.nodes[0]

    def new_token(self) -> tuple[str, str]:
        """Return the name and the text of a token that nobody has seen yet."""
        return next(self.names), next(self.texts)

    async def watched_token(self) -> tuple[str, str]:
        """Have a new token watched, and accepted, by every verifier; return its name and its text."""
        name, text = self.new_token()
        for verifier in self.verifiers:
            verifier.watch(name, text)
        for verifier in self.verifiers:
            await self._accepts(verifier, name)
        return name, text

    async def until_quiet(self) -> None:
        """Wait until the mistaken verifiers were told that there is no news: replayed, that answer fits."""
        for verifier in filter(attrgetter("mistake"), self.verifiers):
            await until(partial(_is_quiet, verifier.proxy), f"{verifier.name} hears that there is no news")

    async def end(self, name: str, text: str) -> None:
        """End a token at the last node: ask until it is acknowledged, as whoever means it would."""
        async with httpx2.AsyncClient(timeout=30) as api:
            # A token that is dead already (401) ended by a question whose answer was lost: from now on that is known.
            while True:
                if await self.delete(api, self.nodes[-1], text) in {204, 401}:
                    break
                await asyncio.sleep(_TRY_EVERY_S)
        self.acknowledge(name, text)

    def acknowledge(self, name: str, text: str) -> None:
        """Write down that the end of a token was acknowledged just now."""
        self.ledger.end(name, clock.boottime())
        self.ended[name] = text

    async def living_dead(self) -> list[str]:
        """Return the ended tokens that a node still takes."""
        found = []
        async with httpx2.AsyncClient(timeout=30) as api:
            for node, (name, text) in itertools.product(self.nodes, self.ended.items()):
                headers = {"authorization": f"Bearer {text}"}
                if (await api.get(f"{node.url}/api/v2/status", headers=headers)).status_code != 401:
                    found.append(name)
        return found

    async def until_over(self, name: str) -> None:
        """Wait until nobody may accept this token any more, and a little longer."""
        over_at = self.ledger.ended_at[name] + self.ledger.bound_s + 0.3
        await until(lambda: clock.boottime() > over_at, "time goes by")

    async def until_caught(self) -> None:
        """Let the mistaken verifiers have their turn of a crowded machine: not all are caught in every round."""
        mistaken = {verifier.name for verifier in self.verifiers if verifier.mistake}
        given_up_at = clock.boottime() + _PATIENCE_WITH_MISTAKES_S
        await until(
            lambda: mistaken <= {late.verifier for late in self.ledger.late()} or clock.boottime() > given_up_at,
            "time goes by",
        )

    async def until_back(self) -> float:
        """Wait until every verifier accepts the living token again; return how long the last one took, seconds."""
        healed_at = clock.boottime()
        came = [await self._accepts(verifier, LIVING, healed_at) for verifier in self.verifiers]
        return max(came) - healed_at

    async def _accepts(self, verifier: VerifierProcess, token: str, since: float = 0.0) -> float:
        """Wait until a verifier accepts a token, and return when it first did since then."""
        first = partial(self.ledger.first, verifier.name, token, since)
        await until(lambda: first() is not None, f"{verifier.name} accepts {token}")
        return first() or 0.0

    @staticmethod
    async def delete(api: httpx2.AsyncClient, node: ServerProcess, text: str) -> int:
        """Have a token end itself at a node; return the status of the answer, 0 if there is none."""
        headers = {"authorization": f"Bearer {text}"}
        try:
            return (await api.delete(f"{node.url}/api/v2/token", headers=headers)).status_code
        except httpx2.TransportError:
            return 0


@asynccontextmanager
async def rig_on(
    folder: Path, store: Store, *, seed: int, verifiers: Mapping[str, str], asking_both: Collection[str] = ()
) -> AsyncIterator[Rig]:
    """
    Have a rig while the block lasts: two nodes, and a verifier for each name.

    Args:
        store: migrated and empty.
        verifiers: by their names the mistake that each makes; '' for none.
        asking_both: those of them that know of the last node, too.
    """
    texts, key = await _furnished(folder, store.url)
    async with AsyncExitStack() as held:
        store_way = None
        nodes = [_node(folder / name, store) for name in ("first", "last")]
        if store.cluster is not None:
            store_way = await held.enter_async_context(chaos_proxy(store.cluster.socket))
            nodes[0].environment["KEYBEARER_DATABASE_URL"] = _through(store_way, store.url)
        node_clock = _other_clock(nodes[0])
        held.push_async_callback(_end_all, nodes)
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in nodes))
        rig = Rig(nodes, store, store_way, Ledger(BOUND_S), Random(seed), iter(texts), key, node_clock)  # noqa: S311 - no secret
        living = next(rig.texts)
        for name, mistake in verifiers.items():
            way = await held.enter_async_context(chaos_proxy(("127.0.0.1", rig.node.port)))
            urls = f"{way.url},{nodes[-1].url}" if name in asking_both else way.url
            tokens = {LIVING: living}
            rig.verifiers.append(VerifierProcess(name, urls, key, way, rig.ledger, mistake, tokens))
            rig.verifiers[-1].ahead_s = _AHEAD_S if name == AHEAD and await has_time_namespaces() else 0
        await held.enter_async_context(running(rig.verifiers))
        await rig.until_back()
        yield rig


async def _furnished(folder: Path, url: str) -> tuple[list[str], str]:
    """Put tokens and a resource server into the database; return their texts and its key."""
    settings = Settings(data_dir=folder, database_url=SecretStr(url), issuer="https://keybearer.test")
    async with open_house(settings, clock.now) as house:
        play = await set_play(house)
        texts = [await play.scene.personal_token(play.ada, play.acme) for _ in range(_TOKENS)]
        return texts, (await asking(house)).key


def _node(folder: Path, store: Store) -> ServerProcess:
    folder.mkdir(parents=True, exist_ok=True)
    return server_process(folder, store.url, {**_SETTINGS, **store.settings})


def _other_clock(node: ServerProcess) -> Path | None:
    """Give a node a wall clock of its own, right until it is set, where there is a library for that."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        return None
    said = node.folder / "clock"
    said.write_text("+0\n")
    node.environment |= {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(said),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    return said


def _through(way: ChaosProxy, url: str) -> str:
    """Return the address of the same database by way of the proxy."""
    database = url.partition("@/")[2].partition("?")[0]
    return f"postgresql://postgres@127.0.0.1:{way.port}/{database}"


async def _end_all(nodes: list[ServerProcess]) -> None:
    for node in nodes:
        if node.is_running():
            await asyncio.to_thread(node.kill)


def _is_quiet(way: ChaosProxy) -> bool:
    heard = way.answers.get(b"POST /verifier/sync HTTP/1.1", b"").replace(b" ", b"")
    return b'"reset":false' in heard and b'"events":[]' in heard
