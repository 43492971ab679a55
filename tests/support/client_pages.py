"""At the pages of API clients: a desk to sit at, and what is kept afterwards."""

from sqlalchemy import func, select
from sqlalchemy.schema import Table

from keybearer.server.store.tables import feed
from tests.support.activity import recorded
from tests.support.api import Stage
from tests.support.people import Person, RegisteredApp

NOBODYS = "app000000000000000000000"


async def at_the_desk(stage: Stage, name: str) -> Person:
    """Have somebody signed in."""
    person = Person(name, stage.house.browser())
    await person.sign_in()
    return person


def path_of(app: RegisteredApp) -> str:
    """Return the address of the app's page."""
    return f"/settings/clients/{app.client_id}"


async def token_endpoint_blames(stage: Stage, app: RegisteredApp, secret: str) -> str:
    """Present a code that nobody gave: with a secret that works, it is the code's fault (``invalid_grant``)."""
    form = {"grant_type": "authorization_code", "code": "x", "client_id": app.client_id, "client_secret": secret}
    answer = await stage.house.program().post("/oauth/token", data=form | {"redirect_uri": app.redirect_uri})
    return str(answer.json()["error"])


async def count(stage: Stage, *tables: Table) -> list[int]:
    """Return how many rows each of the tables has."""
    database = stage.house.node.database
    found = [await database.one(select(func.count().label("total")).select_from(table)) for table in tables]
    return [int(row["total"]) for row in found if row is not None]


async def told_of(stage: Stage, subject: str) -> list[str]:
    """Return what the activity records say was done to *subject*, in order."""
    records = await recorded(stage.house.node.database)
    return [record["action"] for record in records if record.get("subject") == subject]


async def fed_of(stage: Stage, subject: str) -> list[str]:
    """Return the kinds of the feed's events about *subject*, in order."""
    statement = select(feed.c.kind).where(feed.c.subject == subject).order_by(feed.c.seq)
    return [row["kind"] for row in await stage.house.node.database.many(statement)]


async def has_been(stage: Stage, action: str) -> int:
    """Return how many activity records there are of *action*."""
    return len(await recorded(stage.house.node.database, action))
