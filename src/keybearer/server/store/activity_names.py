"""What the ids in activity records are called, and what a team's activity can be filtered by."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, bindparam, or_, select

from keybearer.server.store.database import Reader, Row
from keybearer.server.store.tables import clients, grants, memberships, resource_servers, tokens, users

_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class NamedToken:
    """A personal token that reaches, or reached, a team."""

    token_id: str
    grant_id: str
    name: str
    last4: str
    user_id: int
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class NamedApp:
    """An app that is the team's own, or that acted in it."""

    client_id: str
    name: str
    team_id: int
    deleted_at: int | None


_PEOPLE: Final = (
    select(users.c.user_id, users.c.name)
    .join(memberships, memberships.c.user_id == users.c.user_id)
    .where(memberships.c.team_id == bindparam("team_id"))
)
_TOKENS: Final = (
    select(tokens.c.token_id, grants.c.grant_id, grants.c.name, tokens.c.last4, grants.c.user_id, grants.c.ended_at)
    .join(grants, grants.c.grant_id == tokens.c.grant_id)
    .where(grants.c.team_id == bindparam("team_id"), grants.c.client_id.is_(None))
)
_APPS: Final = select(clients.c.client_id, clients.c.name, clients.c.team_id, clients.c.deleted_at).where(
    or_(
        clients.c.team_id == bindparam("team_id"),
        select(grants.c.grant_id)
        .where(grants.c.client_id == clients.c.client_id, grants.c.team_id == bindparam("team_id"))
        .exists(),
    )
)


def _first(statement: Select[Any], *order: Any) -> Select[Any]:
    return statement.order_by(*order).limit(_MOST)


_FIRST_PEOPLE: Final = _first(_PEOPLE, users.c.name, users.c.user_id)
_THESE_PEOPLE: Final = _PEOPLE.where(users.c.user_id.in_(bindparam("ids", expanding=True)))
_NEWEST_TOKENS: Final = _first(_TOKENS, tokens.c.created_at.desc(), tokens.c.token_id)
_NEWEST_OF_USER: Final = _first(
    _TOKENS.where(grants.c.user_id == bindparam("user_id")), tokens.c.created_at.desc(), tokens.c.token_id
)
_THESE_TOKENS: Final = _TOKENS.where(tokens.c.token_id.in_(bindparam("ids", expanding=True)))
_FIRST_APPS: Final = _first(_APPS, clients.c.name_key, clients.c.client_id)
_THESE_APPS: Final = _APPS.where(clients.c.client_id.in_(bindparam("ids", expanding=True)))

_THESE_APIS: Final = select(resource_servers.c.resource_server_id, resource_servers.c.name).where(
    resource_servers.c.resource_server_id.in_(bindparam("ids", expanding=True))
)


async def people(reader: Reader, team_id: int, ids: Iterable[int] | None = None) -> dict[int, str]:
    """Return names of people who are, or were, in the team, those with these *ids* or the first 200."""
    if ids is None:
        rows = await reader.many(_FIRST_PEOPLE, team_id=team_id)
    else:
        rows = await _these(reader, _THESE_PEOPLE, ids, team_id=team_id)
    return {row["user_id"]: row["name"] for row in rows}


async def newest_tokens(reader: Reader, team_id: int, user_id: int | None) -> list[NamedToken]:
    """Return the newest 200 personal tokens of a team, or of one user in it."""
    if user_id is None:
        rows = await reader.many(_NEWEST_TOKENS, team_id=team_id)
    else:
        rows = await reader.many(_NEWEST_OF_USER, team_id=team_id, user_id=user_id)
    return [NamedToken(**row) for row in rows]


async def tokens_of(reader: Reader, team_id: int, ids: Iterable[str]) -> dict[str, NamedToken]:
    """Return those of these tokens that are personal ones of the team, by their ids."""
    rows = await _these(reader, _THESE_TOKENS, ids, team_id=team_id)
    return {row["token_id"]: NamedToken(**row) for row in rows}


async def apps(reader: Reader, team_id: int, ids: Iterable[str] | None = None) -> dict[str, NamedApp]:
    """Return apps of the team, and those that acted in it, by their client ids: these ones or the first 200."""
    if ids is None:
        rows = await reader.many(_FIRST_APPS, team_id=team_id)
    else:
        rows = await _these(reader, _THESE_APPS, ids, team_id=team_id)
    return {row["client_id"]: NamedApp(**row) for row in rows}


async def apis(reader: Reader, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of those of these reporters that are resource servers, by their ids."""
    return {row["resource_server_id"]: row["name"] for row in await _these(reader, _THESE_APIS, ids)}


async def _these(reader: Reader, statement: Select[Any], ids: Iterable[int | str], **values: int) -> list[Row]:
    """Return the rows of these ids; where there are none, nothing is asked."""
    wanted = list(ids)
    return await reader.many(statement, ids=wanted, **values) if wanted else []
