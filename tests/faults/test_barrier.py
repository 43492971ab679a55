"""With a barrier, a primary that is cut off from its standby gives no leases and lets nobody in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import update

from keybearer.server import clock
from keybearer.server.settings import Settings
from keybearer.server.store.database import Transaction
from keybearer.server.store.faults import OutcomeUnknown
from keybearer.server.store.migrations import migrate
from keybearer.server.store.tables import users
from tests.support.api import Stage, set_stage
from tests.support.house import House, open_house
from tests.support.postgres import Cluster
from tests.support.replication import Pair, ask, running_pair
from tests.support.verifiers import Asking, asking

BOUND_S = 3
PATIENCE_S = 60
_LONG_S = 5
STATUS, TOKEN = "/api/v2/status", "/api/v2/token"


@pytest.fixture
def pair() -> Iterator[Pair]:
    with running_pair() as pair:
        yield pair


@pytest.fixture
async def folder(pair: Pair, tmp_path: Path) -> Path:
    """Have the database migrated, and the standby waited for."""
    await asyncio.to_thread(migrate, pair.primary.url())
    await pair.be_synchronous()
    return tmp_path


@asynccontextmanager
async def node_on(cluster: Cluster, folder: Path, barrier: str) -> AsyncIterator[House]:
    settings = Settings(
        data_dir=folder,
        database_url=SecretStr(cluster.url()),
        issuer="https://keybearer.test",
        bound=BOUND_S,
        barrier=barrier,
    )
    async with open_house(settings, clock.now) as house:
        yield house


@pytest.fixture
async def stage(pair: Pair, folder: Path) -> AsyncIterator[Stage]:
    """Have a node on the primary; at the end it is let go by a primary that waits for nobody."""
    async with AsyncExitStack() as lent:
        house = await lent.enter_async_context(node_on(pair.primary, folder, "on"))
        lent.push_async_callback(pair.be_alone)
        yield await set_stage(house)


async def until(is_so: Callable[[], Awaitable[object]]) -> None:
    """Wait for something that no event tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while not await is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def answers_no_more_without_a_lie(verifier: Asking, since: float) -> None:
    """See that no answer counts as begun after *since*, and that soon there is none."""

    async def is_refused() -> bool:
        asked_at = clock.boottime()
        answer = await verifier.post("/verifier/sync", verifier.question())
        if answer.status_code == 200:
            assert answer.json()["age"] >= asked_at - since
        return answer.status_code == 503

    await until(is_refused)


async def test_without_its_standby_a_primary_gives_no_lease_and_acknowledges_nothing(pair: Pair, stage: Stage) -> None:
    verifier = await asking(stage.house)
    await verifier.sync()
    answer = await verifier.post("/verifier/sync", verifier.question())
    assert answer.json()["age"] < BOUND_S
    calls = await stage.personal(stage.ada, stage.acme)
    text = await stage.scene.personal_token(stage.cleo, stage.acme)
    assert (await verifier.fetch(text))["fetched"]

    await asyncio.to_thread(pair.standby.kill)
    await until(lambda: _is_without_standby(pair))
    since = clock.boottime()
    revoking = asyncio.create_task(calls.delete(TOKEN))
    finding_nothing = asyncio.create_task(stage.house.node.database.transact(change_nothing))
    await answers_no_more_without_a_lie(verifier, since)
    body = {"nonce": "n", "instance": verifier.instance, "digest": "00" * 32}
    assert (await verifier.post("/verifier/fetch", body)).status_code == 503
    async with asyncio.timeout(PATIENCE_S):
        assert (await revoking).status_code == 503  # it does not wait for ever
        with pytest.raises(OutcomeUnknown):  # what it saw may be lost with this server
            await finding_nothing
    assert (await verifier.post("/verifier/sync", verifier.question())).status_code == 503

    assert "barrier" not in await ready(stage.house)
    await pair.be_alone()
    await until(lambda: _is_answered(verifier))
    assert "synchronous_standby_names is empty" in (await ready(stage.house))["barrier"]


async def change_nothing(tx: Transaction) -> None:
    """Do what the repetition of a change does that was made already."""
    assert await tx.run(update(users).where(users.c.user_id == -1).values(name="Nobody")) == 0


async def ready(house: House) -> dict[str, str]:
    said: dict[str, str] = (await house.program().get("/readyz")).json()
    return said


async def _is_without_standby(pair: Pair) -> bool:
    return not await ask(pair.primary, "SELECT 1 FROM pg_stat_replication")


async def _is_answered(verifier: Asking) -> bool:
    answer: httpx2.Response = await verifier.post("/verifier/sync", verifier.question())
    return answer.status_code == 200 and answer.json()["age"] < BOUND_S


async def test_a_primary_that_another_has_taken_over_from_lets_nobody_in_after_the_bound(
    pair: Pair, stage: Stage, folder: Path
) -> None:
    verifier = await asking(stage.house)
    await verifier.sync()
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    assert (await stage.house.api(text).get(STATUS)).status_code == 204
    await ask(pair.standby, "SELECT pg_promote()")
    async with node_on(pair.standby, folder / "other", "off") as new:
        since = clock.boottime()
        assert (await new.api(text).delete(TOKEN)).status_code == 204
        acknowledged_at = clock.boottime()

        async def is_refused_at_the_old_one() -> bool:
            asked_at = clock.boottime()
            try:
                async with asyncio.timeout(_LONG_S):
                    answer = await stage.house.api(text).get(STATUS)
            except TimeoutError:
                return True  # what it would write for the rate limit waits for the standby, too
            assert answer.status_code == 503 or asked_at - acknowledged_at <= BOUND_S
            return answer.status_code == 503

        await until(is_refused_at_the_old_one)
        await answers_no_more_without_a_lie(verifier, since)
        assert (await new.api(text).get(STATUS)).status_code == 401
