"""Code exchange and refresh, durable when answered, beside oidc-provider in memory and bare commits."""

from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from bench.bare import BareCommits, PostgresWriter, SqliteWriter
from bench.load import CONNECTIONS, Round, drive
from bench.measures import Candidate, Comparison, Figure, Pace
from bench.scripts import App, Exchange, Refresh, everywhere
from bench.servers import keybearer, oidc_provider
from bench.stage import postgres_database, set_stage, sqlite_database
from tests.support.postgres import Cluster

REFRESH_GOAL: Final = 0.8
SQLITE: Final = "SQLite"
POSTGRES: Final = "PostgreSQL"
PEER: Final = "oidc-provider in memory"
PEERS_APP: Final = App("bench", "bench-secret-bench-secret-bench-secret", "/token")


class _Player(Protocol):
    """Somebody who exchanges codes, and then refreshes what that gave."""

    async def exchanges(self, seconds: float) -> Round: ...

    async def refreshes(self, seconds: float) -> Round: ...


class _Served:
    """A server under load: each refresh round goes on with what the exchange round before it gave."""

    def __init__(self, port: int, app: App, codes: Iterable[str], codes_a_round: int) -> None:
        self._port = port
        self._app = app
        self._codes = iter(codes)
        self._codes_a_round = codes_a_round
        self._gained: deque[str] = deque()

    async def exchanges(self, seconds: float) -> Round:
        self._gained.clear()
        codes = islice(self._codes, self._codes_a_round)
        return await drive(self._port, everywhere(Exchange(self._app, codes, self._gained)), seconds)

    async def refreshes(self, seconds: float) -> Round:
        held = list(self._gained)
        scripts = [Refresh(self._app, held[start::CONNECTIONS]) for start in range(CONNECTIONS)]
        return await drive(self._port, scripts, seconds)


@dataclass(frozen=True, slots=True)
class _Contestant:
    player: _Player
    exchange: Candidate
    refresh: Candidate


@dataclass(slots=True)
class _Field:
    """Who takes part, in the order of the rounds."""

    contestants: dict[str, _Contestant] = field(default_factory=dict)

    def enter(self, name: str, player: _Player) -> None:
        self.contestants[name] = _Contestant(player, Candidate(name), Candidate(name))

    async def run(self, pace: Pace) -> None:
        for contestant in self.contestants.values():
            await contestant.player.exchanges(pace.warm_up_s)
            await contestant.player.refreshes(pace.warm_up_s)
        for _ in range(pace.rounds):
            for contestant in self.contestants.values():
                contestant.exchange.take(await contestant.player.exchanges(pace.round_s))
                contestant.refresh.take(await contestant.player.refreshes(pace.round_s))


async def measure(folder: Path, cluster: Cluster, pace: Pace) -> tuple[Figure, Figure]:
    """
    Run everybody side by side and load them in turns.

    Args:
        cluster: a PostgreSQL that syncs its commits to the disk.

    Returns:
        The figures of code exchange and of refresh.
    """
    async with _everybody(folder, cluster, pace) as entered:
        await entered.run(pace)
    exchanged = {name: contestant.exchange for name, contestant in entered.contestants.items()}
    refreshed = {name: contestant.refresh for name, contestant in entered.contestants.items()}
    return _figure("Code exchange", exchanged, None), _figure("Refresh", refreshed, REFRESH_GOAL)


@asynccontextmanager
async def _everybody(folder: Path, cluster: Cluster, pace: Pace) -> AsyncIterator[_Field]:
    """Run the servers, and open the databases of the bare commits."""
    entered = _Field()
    codes = pace.codes * (pace.rounds + 1)
    async with AsyncExitStack() as running:
        for database, url in (
            (SQLITE, await sqlite_database(folder / "sqlite")),
            (POSTGRES, await postgres_database(cluster, "keybearer")),
        ):
            stage = await set_stage(folder, url, codes)
            server = running.enter_context(keybearer(folder, url))
            entered.enter(f"Keybearer on {database}", _Served(server.port, stage.app, stage.codes, pace.codes))
        peer, peer_codes = running.enter_context(oidc_provider(folder, codes))
        entered.enter(PEER, _Served(peer.port, PEERS_APP, peer_codes, pace.codes))
        path = (await sqlite_database(folder / "bare")).removeprefix("sqlite:///")
        for database, writer in (
            (SQLITE, SqliteWriter(path)),
            (POSTGRES, await PostgresWriter.open(await postgres_database(cluster, "bare"))),
        ):
            running.push_async_callback(writer.close)
            entered.enter(f"bare commits, {database}", BareCommits(writer))
        yield entered


def _figure(title: str, candidates: dict[str, Candidate], goal: float | None) -> Figure:
    """Compare us on each database with the peer, and with the bare commits on the same database."""
    comparisons = []
    for database in (SQLITE, POSTGRES):
        ours = candidates[f"Keybearer on {database}"]
        comparisons.append(Comparison(ours, candidates[PEER], goal))
        comparisons.append(Comparison(ours, candidates[f"bare commits, {database}"]))
    return Figure(title, tuple(candidates.values()), tuple(comparisons))
