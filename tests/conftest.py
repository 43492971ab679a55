"""Fixtures of every test: both databases, a clock for the hand, the house and who is in it, its process, a browser."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser as Chromium
from pydantic import SecretStr

from tests.support.chromium import Camera, running_chromium
from tests.support.clock import HandClock
from tests.support.databases import TEMPLATE, PostgresDatabases, copy_sqlite
from tests.support.memory import write_in_memory
from tests.support.postgres import Cluster, running_cluster
from tests.support.processes import ServerProcess, running_server

if TYPE_CHECKING:
    from tests.support.api import Stage
    from tests.support.house import House
    from tests.support.mailbox import Mailbox
    from tests.support.oauth import Play
    from tests.support.webhook_desk import HookDesk

HOUSE = "https://keybearer.test"

# How long a machine takes that others use as well says nothing about what is tested.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make pictures` say where the pictures go."""
    parser.addoption("--pictures", type=Path, metavar="FOLDER", help="keep pictures of the pages in this folder")


def pytest_configure() -> None:
    """Choose where temporary folders are made before the first one is."""
    write_in_memory()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what drives the one Chromium in the one loop that it was started in."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was collected: thousands of tests and their modules, which stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def clock() -> HandClock:
    """Stand still at noon, 24 November 2026, until moved."""
    return HandClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """Run a PostgreSQL that does not wait for the disk."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[Cluster]:
    """Run a PostgreSQL that syncs every commit, for tests marked `durable`."""
    with running_cluster(durable=True) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_databases(postgres: Cluster) -> Iterator[PostgresDatabases]:
    """Make databases of the quick PostgreSQL."""
    with _databases_of(postgres) as databases:
        yield databases


@pytest.fixture(scope="session")
def durable_databases(durable_postgres: Cluster) -> Iterator[PostgresDatabases]:
    """Make databases of the durable PostgreSQL."""
    with _databases_of(durable_postgres) as databases:
        yield databases


@pytest.fixture(scope="session")
def migrated_postgres(postgres_databases: PostgresDatabases) -> PostgresDatabases:
    """Have a migrated template to copy from."""
    _migrate(postgres_databases.create(TEMPLATE))
    return postgres_databases


@pytest.fixture(scope="session")
def migrated_durable_postgres(durable_databases: PostgresDatabases) -> PostgresDatabases:
    """Have a migrated template to copy from, in the durable PostgreSQL."""
    _migrate(durable_databases.create(TEMPLATE))
    return durable_databases


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have a migrated file to copy from."""
    file = tmp_path_factory.mktemp("migrated") / "keybearer.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the test a fresh, migrated database: once an SQLite file, once in PostgreSQL."""
    if request.param == "sqlite":
        yield copy_sqlite(request.getfixturevalue("migrated_sqlite"), tmp_path / "keybearer.db")
        return
    is_durable = request.node.get_closest_marker("durable") is not None
    databases = request.getfixturevalue("migrated_durable_postgres" if is_durable else "migrated_postgres")
    with databases.fresh() as url:
        yield url


@pytest.fixture
async def house(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator["House"]:
    """Run the whole application in this process, on each database, under the clock for the hand."""
    from keybearer.server.settings import Settings  # noqa: PLC0415
    from tests.support.house import open_house  # noqa: PLC0415

    settings = Settings(data_dir=tmp_path, database_url=SecretStr(database_url), issuer=HOUSE)
    async with open_house(settings, clock.now, elapsed=clock.elapsed) as running:
        yield running


@pytest.fixture
async def stage(house: "House") -> "Stage":
    """Put three people and two teams into the house."""
    from tests.support.api import set_stage  # noqa: PLC0415

    return await set_stage(house)


@pytest.fixture
async def play(house: "House") -> "Play":
    """Put an app and its users into the house."""
    from tests.support.oauth import set_play  # noqa: PLC0415

    return await set_play(house)


@pytest.fixture
def mail(house: "House") -> "Mailbox":
    """Have the mail that the house sends."""
    from tests.support.mailbox import Mailbox  # noqa: PLC0415

    return Mailbox(house.settings.data_dir / "mail")


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator["HookDesk"]:
    """Have somebody manage webhooks in a house on each database, and a program that receives them."""
    from keybearer.server.settings import Settings  # noqa: PLC0415
    from tests.support.receiver import receiving  # noqa: PLC0415
    from tests.support.webhook_desk import hook_desk  # noqa: PLC0415

    settings = Settings(data_dir=tmp_path, database_url=SecretStr(database_url), issuer=HOUSE)
    async with receiving() as receiver, hook_desk(settings, clock, receiver) as prepared:
        yield prepared


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """Run `keybearer serve` as a process, on each database, under the real clock."""
    with running_server(tmp_path, database_url) as process:
        yield process


@pytest.fixture
def camera(pytestconfig: pytest.Config) -> Camera:
    """Hold the camera: it takes pictures when the run was given `--pictures`."""
    return Camera(pytestconfig.getoption("--pictures"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    """Run one Chromium for all tests of this process."""
    async with running_chromium() as browser:
        yield browser


@contextmanager
def _databases_of(cluster: Cluster) -> Iterator[PostgresDatabases]:
    databases = PostgresDatabases(cluster)
    try:
        yield databases
    finally:
        databases.close()


def _migrate(url: str) -> None:
    from keybearer.server.store.migrations import migrate  # noqa: PLC0415 - only tests that need it load the store

    migrate(url)
