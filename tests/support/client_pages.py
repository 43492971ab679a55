"""At the pages of API clients: a desk to sit at, and what is kept afterwards."""

from sqlalchemy import func, select
from sqlalchemy.schema import Table

from keybearer.server.store.tables import activity_records, feed
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
    statement = (
        select(activity_records.c.action)
        .where(activity_records.c.subject == subject)
        .order_by(activity_records.c.activity_id)
    )
    return [row["action"] for row in await stage.house.node.database.many(statement)]


async def fed_of(stage: Stage, subject: str) -> list[str]:
    """Return the kinds of the feed's events about *subject*, in order."""
    statement = select(feed.c.kind).where(feed.c.subject == subject).order_by(feed.c.seq)
    return [row["kind"] for row in await stage.house.node.database.many(statement)]


async def has_been(stage: Stage, action: str) -> int:
    """Return how many activity records there are of *action*."""
    statement = select(func.count().label("total")).where(activity_records.c.action == action)
    row = await stage.house.node.database.one(statement)
    return int(row["total"]) if row else 0
