"""Lists and counts about API clients, each by one statement."""

from sqlalchemy import bindparam, func, select

from keybearer.server.records import Client
from keybearer.server.store.clients import COLUMNS
from keybearer.server.store.database import Reader
from keybearer.server.store.grants import FAMILY_LIVES
from keybearer.server.store.memberships import IS_CURRENT
from keybearer.server.store.rows import total
from keybearer.server.store.tables import client_redirect_uris, clients, families, grants, memberships, teams, users

_OF_TEAM = (
    select(*COLUMNS, client_redirect_uris.c.uri)
    .select_from(
        clients.outerjoin(client_redirect_uris, client_redirect_uris.c.client_id == clients.c.client_id),
    )
    .where(clients.c.team_id == bindparam("team_id"), clients.c.deleted_at.is_(None))
    .order_by(clients.c.created_at.desc(), clients.c.client_id, client_redirect_uris.c.position)
)
_USERS = (
    select(func.count(grants.c.user_id.distinct()).label("total"))
    .select_from(grants.join(families, families.c.grant_id == grants.c.grant_id))
    .where(
        grants.c.client_id == bindparam("client_id"),
        grants.c.ended_at.is_(None),
        FAMILY_LIVES,
    )
)
_MAKER = (
    select(users.c.name)
    .join(clients, clients.c.created_by == users.c.user_id)
    .where(clients.c.client_id == bindparam("client_id"))
)
_TWINS = (
    select(clients.c.client_id, clients.c.name, clients.c.team_id, teams.c.name.label("team_name"))
    .join(teams, teams.c.team_id == clients.c.team_id)
    .join(memberships, memberships.c.team_id == clients.c.team_id)
    .where(
        clients.c.twin_of == bindparam("client_id"),
        clients.c.deleted_at.is_(None),
        memberships.c.user_id == bindparam("user_id"),
        IS_CURRENT,
    )
    .order_by(clients.c.created_at, clients.c.client_id)
)


async def of_team_with_uris(reader: Reader, team_id: int) -> list[tuple[Client, tuple[str, ...]]]:
    """Return the team's clients, newest first, each with its redirect URIs in their order."""
    found: dict[str, tuple[Client, list[str]]] = {}
    for row in await reader.many(_OF_TEAM, team_id=team_id):
        columns = dict(row)
        uri = columns.pop("uri")
        _, uris = found.setdefault(columns["client_id"], (Client(**columns), []))
        uris += [uri] if uri is not None else []
    return [(client, tuple(uris)) for client, uris in found.values()]


async def count_of_users(reader: Reader, client_id: str, now: int) -> int:
    """Return how many users have let the app in and are cut off with it, each once, however many their teams."""
    return await total(reader, _USERS, client_id=client_id, now=now)


async def maker_of(reader: Reader, client_id: str) -> str:
    """Return the name of the user who registered the client; '' if there is no such client."""
    row = await reader.one(_MAKER, client_id=client_id)
    return row["name"] if row else ""


async def twins_of(reader: Reader, client_id: str, user_id: int, now: int) -> list[tuple[str, str, int, str]]:
    """Return the client's twins in live teams that the user is in at *now*: client id, name, team id, team name."""
    rows = await reader.many(_TWINS, client_id=client_id, user_id=user_id, now=now)
    return [(row["client_id"], row["name"], row["team_id"], row["team_name"]) for row in rows]
