"""What the servers find in their databases: a personal token, an app, and codes that wait to be exchanged."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from pydantic import SecretStr

from bench.scripts import CHALLENGE, REDIRECT_URI, App
from keybearer.server import clock, issuing, secrets
from keybearer.server.clock import DAY
from keybearer.server.records import Client, Code, Family, Grant, Team, User
from keybearer.server.settings import Settings
from keybearer.server.store import codes, grants
from keybearer.server.store.database import Transaction
from keybearer.server.store.migrations import migrate
from tests.support.house import House, open_house
from tests.support.postgres import Cluster, running_cluster
from tests.support.scenes import Scene
from tests.support.verifiers import asking

TOKEN_PATH: Final = "/oauth/token"
_USERS: Final = 100
_CODES_A_TRANSACTION: Final = 500


@dataclass(frozen=True, slots=True)
class Stage:
    """The texts that open the doors."""

    personal_token: str
    app: App
    codes: list[str]
    key: str
    more_tokens: list[str]


@contextmanager
def durable_postgres() -> Iterator[Cluster]:
    """Run a PostgreSQL that syncs its commits to the disk."""
    with running_cluster(durable=True) as cluster:
        yield cluster


async def postgres_database(cluster: Cluster, name: str) -> str:
    """Make a migrated database in the *cluster*, and return its address."""
    connection = await asyncpg.connect(cluster.url())
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    await asyncio.to_thread(migrate, cluster.url(name))
    return cluster.url(name)


async def sqlite_database(folder: Path) -> str:
    """Make a migrated SQLite file in a new *folder*, and return its address."""
    url = f"sqlite:///{folder / 'keybearer.db'}"
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread(migrate, url)
    return url


async def set_stage(folder: Path, database_url: str, code_count: int, token_count: int = 0) -> Stage:
    """Fill a migrated database in this process, by the store's own functions, before a server opens it."""
    settings = Settings(data_dir=folder / "data", database_url=SecretStr(database_url))
    async with open_house(settings, clock.now) as house:
        scene = Scene(house.node)
        users = [await scene.person(f"user{number}") for number in range(_USERS)]
        team = await scene.team("bench", owner=users[0])
        for user in users[1:]:
            await scene.member(team, user, "member")
        app = await scene.app("bench", team, users[0], REDIRECT_URI)
        token = await scene.personal_token(users[0], team)
        families = [family for user in users for family in [await house.node.act(_let_in, app.client, team, user)]]
        made = await _make_codes(house, app.client, families, code_count)
        more = [await scene.personal_token(users[0], team) for _ in range(token_count)]
        key = (await asking(house)).key
        return Stage(token, App(app.client.client_id, app.secret, TOKEN_PATH), made, key, more)


async def _let_in(tx: Transaction, client: Client, team: Team, user: User) -> str:
    now = clock.now()
    grant_id = secrets.record_id(now)
    grant = Grant(grant_id, user.user_id, team.team_id, team.environment, client.client_id, None, now, None)
    await grants.add(tx, grant, None)
    return grant_id


async def _make_codes(house: House, client: Client, grant_ids: list[str], count: int) -> list[str]:
    """Make *count* codes, each in a family of its own, the grants in turn."""
    made: list[str] = []
    while len(made) < count:
        share = min(_CODES_A_TRANSACTION, count - len(made))
        made += await house.node.act(_add_codes, client, grant_ids, share)
    return made


async def _add_codes(tx: Transaction, client: Client, grant_ids: list[str], count: int) -> list[str]:
    now = clock.now()
    mint = issuing.Mint("kb", client.environment)
    texts = []
    for number in range(count):
        text = mint.text("oac")
        family_id = secrets.record_id(now)
        grant_id = grant_ids[number % len(grant_ids)]
        await grants.add_family(tx, Family(family_id, grant_id, "none", "", now, now + 2 * 365 * DAY, None))
        digest = secrets.digest(text)
        code = Code(digest, family_id, client.client_id, REDIRECT_URI, "yes", CHALLENGE, now, now + DAY, None)
        await codes.add(tx, code)
        texts.append(text)
    return texts
