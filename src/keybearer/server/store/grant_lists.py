"""Lists of personal tokens and apps' access, each by one statement."""

from dataclasses import dataclass

from sqlalchemy import bindparam, exists, func, or_, select

from keybearer.server.store.database import Reader
from keybearer.server.store.expiries import RUNS_OUT_AT
from keybearer.server.store.grants import FAMILY_LIVES
from keybearer.server.store.rows import total
from keybearer.server.store.tables import clients, families, grants, teams, tokens, users

_owners = teams.alias("owners")


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A personal token as its user sees it in a list; it may have expired. Times are microseconds since 1970 UTC."""

    grant_id: str
    token_id: str
    name: str
    last4: str
    team_id: int
    team_name: str
    environment: str
    narrowing: str
    scope: str
    created_at: int
    expires_at: int
    last_used_at: int | None


@dataclass(frozen=True, slots=True)
class AppAccess:
    """An app that a user has let in, as one of its living families lets it act; narrowed to ``scope`` or not at all."""

    grant_id: str
    client_id: str
    app_name: str
    owner_name: str
    team_id: int
    team_name: str
    environment: str
    since: int
    narrowing: str
    scope: str
    ends_at: int
    last_used_at: int | None


@dataclass(frozen=True, slots=True)
class TeamAccess:
    """What reaches a team in a member's name: a personal token, or an app if *client_id* is set."""

    grant_id: str
    user_id: int
    user_name: str
    user_email: str
    user_disabled_at: int | None
    client_id: str | None
    token_id: str | None
    name: str
    last4: str | None
    created_at: int
    expires_at: int
    last_used_at: int | None


_PERSONAL = (
    select(
        grants.c.grant_id,
        tokens.c.token_id,
        grants.c.name,
        tokens.c.last4,
        grants.c.team_id,
        teams.c.name.label("team_name"),
        grants.c.environment,
        tokens.c.narrowing,
        tokens.c.scope,
        tokens.c.created_at,
        tokens.c.expires_at,
        tokens.c.last_used_at,
    )
    .select_from(
        grants.join(tokens, tokens.c.grant_id == grants.c.grant_id).join(teams, teams.c.team_id == grants.c.team_id)
    )
    .where(
        grants.c.user_id == bindparam("user_id"),
        grants.c.client_id.is_(None),
        grants.c.ended_at.is_(None),
        tokens.c.revoked_at.is_(None),
    )
    .order_by(tokens.c.created_at.desc(), grants.c.grant_id.desc())
)
_ONE_PERSONAL = _PERSONAL.where(grants.c.grant_id == bindparam("grant_id"))

_LAST_USE = (
    select(func.max(tokens.c.last_used_at))
    .where(tokens.c.grant_id == grants.c.grant_id)
    .scalar_subquery()
    .label("last_used_at")
)
_APPS = (
    select(
        grants.c.grant_id,
        clients.c.client_id,
        clients.c.name.label("app_name"),
        _owners.c.name.label("owner_name"),
        grants.c.team_id,
        teams.c.name.label("team_name"),
        grants.c.environment,
        grants.c.created_at.label("since"),
        families.c.narrowing,
        families.c.scope,
        func.coalesce(RUNS_OUT_AT, families.c.expires_at).label("ends_at"),
        _LAST_USE,
    )
    .select_from(
        grants.join(clients, clients.c.client_id == grants.c.client_id)
        .join(_owners, _owners.c.team_id == clients.c.team_id)
        .join(teams, teams.c.team_id == grants.c.team_id)
        .join(families, families.c.grant_id == grants.c.grant_id)
    )
    .where(
        grants.c.user_id == bindparam("user_id"),
        grants.c.ended_at.is_(None),
        clients.c.deleted_at.is_(None),
        FAMILY_LIVES,
    )
    .order_by(grants.c.created_at.desc(), grants.c.grant_id.desc(), families.c.family_id)
)
_ONE_APP = _APPS.where(grants.c.grant_id == bindparam("grant_id"))

_TOKEN_OF_GRANT = (tokens.c.grant_id == grants.c.grant_id) & (tokens.c.kind == "pat")
_LIVING = (families.c.grant_id == grants.c.grant_id) & FAMILY_LIVES
_END_OF_FAMILIES = select(func.max(families.c.expires_at)).where(_LIVING).scalar_subquery()
_REACHES = (
    grants.join(users, users.c.user_id == grants.c.user_id)
    .outerjoin(clients, clients.c.client_id == grants.c.client_id)
    .outerjoin(tokens, _TOKEN_OF_GRANT)
)
_REACHES_TEAM = (
    grants.c.team_id == bindparam("team_id"),
    grants.c.ended_at.is_(None),
    clients.c.deleted_at.is_(None),
    or_(tokens.c.revoked_at.is_(None) & (tokens.c.expires_at > bindparam("now")), exists().where(_LIVING)),
)
_used = tokens.alias("used")
_TEAM = (
    select(
        grants.c.grant_id,
        users.c.user_id,
        users.c.name.label("user_name"),
        users.c.email.label("user_email"),
        users.c.disabled_at.label("user_disabled_at"),
        grants.c.client_id,
        tokens.c.token_id,
        func.coalesce(grants.c.name, clients.c.name).label("name"),
        tokens.c.last4,
        grants.c.created_at,
        func.coalesce(RUNS_OUT_AT, _END_OF_FAMILIES).label("expires_at"),
        select(func.max(_used.c.last_used_at))
        .where(_used.c.grant_id == grants.c.grant_id)
        .scalar_subquery()
        .label("last_used_at"),
    )
    .select_from(_REACHES)
    .where(*_REACHES_TEAM)
    .order_by(grants.c.created_at.desc(), grants.c.grant_id.desc())
)
_TEAM_PAGE = _TEAM.limit(bindparam("limit")).offset(bindparam("offset"))
_TEAM_COUNT = select(func.count().label("total")).select_from(_REACHES).where(*_REACHES_TEAM)
_ONE_OF_TEAM = _TEAM.where(grants.c.grant_id == bindparam("grant_id"))
_OF_MEMBER = _TEAM.where(grants.c.user_id == bindparam("user_id"))


async def personal_tokens(reader: Reader, user_id: int) -> list[PersonalToken]:
    """Return the user's personal tokens in every team, newest first, expired ones too."""
    return [PersonalToken(**row) for row in await reader.many(_PERSONAL, user_id=user_id)]


async def personal_token(reader: Reader, user_id: int, grant_id: str) -> PersonalToken | None:
    """Return one of the user's personal tokens; None if it does not exist, is somebody else's, or has ended."""
    row = await reader.one(_ONE_PERSONAL, user_id=user_id, grant_id=grant_id)
    return PersonalToken(**row) if row else None


async def app_families(reader: Reader, user_id: int, now: int) -> list[AppAccess]:
    """Return every living family of the apps that the user has let in, newest grant first, grants together."""
    return [AppAccess(**row) for row in await reader.many(_APPS, user_id=user_id, now=now)]


async def families_of_app(reader: Reader, user_id: int, grant_id: str, now: int) -> list[AppAccess]:
    """Return the living families of one app's grant; none if it is somebody else's or ended."""
    rows = await reader.many(_ONE_APP, user_id=user_id, grant_id=grant_id, now=now)
    return [AppAccess(**row) for row in rows]


async def team_page(reader: Reader, team_id: int, now: int, limit: int, offset: int) -> list[TeamAccess]:
    """Return what reaches the team at *now*, newest first."""
    rows = await reader.many(_TEAM_PAGE, team_id=team_id, now=now, limit=limit, offset=offset)
    return [TeamAccess(**row) for row in rows]


async def team_count(reader: Reader, team_id: int, now: int) -> int:
    """Return how many tokens and apps reach the team at *now*."""
    return await total(reader, _TEAM_COUNT, team_id=team_id, now=now)


async def one_of_team(reader: Reader, team_id: int, grant_id: str, now: int) -> TeamAccess | None:
    """Return one token or app that reaches the team; None if it does not exist, is another team's, or has ended."""
    row = await reader.one(_ONE_OF_TEAM, team_id=team_id, grant_id=grant_id, now=now)
    return TeamAccess(**row) if row else None


async def of_member(reader: Reader, team_id: int, user_id: int, now: int) -> list[TeamAccess]:
    """Return what reaches the team in this user's name, newest first."""
    rows = await reader.many(_OF_MEMBER, team_id=team_id, user_id=user_id, now=now)
    return [TeamAccess(**row) for row in rows]
