"""What acts in somebody's name, as the page's viewer may see it."""

from dataclasses import dataclass, replace
from itertools import groupby

from keybearer.server import refusals
from keybearer.server.reads.paging import Page, Paging
from keybearer.server.records import Grant
from keybearer.server.store import clients, grant_lists, grants, users
from keybearer.server.store.database import Reader
from keybearer.server.store.grant_lists import AppAccess, PersonalToken, TeamAccess


@dataclass(frozen=True, slots=True)
class Named:
    """What a page calls something that acts in a person's name, whether it still does or not."""

    name: str
    user_name: str


async def own_tokens(reader: Reader, user_id: int) -> tuple[PersonalToken, ...]:
    """Return the viewer's personal tokens in all their teams, newest first."""
    return tuple(await grant_lists.personal_tokens(reader, user_id))


async def own_token(reader: Reader, user_id: int, grant_id: str) -> PersonalToken:
    """
    Return one of the viewer's personal tokens.

    Raises:
        Refusal: ``not_found``.
    """
    found = await grant_lists.personal_token(reader, user_id, grant_id)
    if found is None:
        raise refusals.not_found(f"no such personal token of user {user_id}")
    return found


async def own_apps(reader: Reader, user_id: int, now: int) -> tuple[AppAccess, ...]:
    """Return the apps that the viewer has let in, in all their teams, newest first."""
    rows = await grant_lists.app_families(reader, user_id, now)
    return tuple(_joined(list(group)) for _, group in groupby(rows, key=lambda row: row.grant_id))


async def own_app(reader: Reader, user_id: int, grant_id: str, now: int) -> AppAccess:
    """
    Return one of the apps that the viewer has let in.

    Raises:
        Refusal: ``not_found``.
    """
    rows = await grant_lists.families_of_app(reader, user_id, grant_id, now)
    if not rows:
        raise refusals.not_found(f"no such app grant of user {user_id}")
    return _joined(rows)


async def own_app_name(reader: Reader, user_id: int, grant_id: str) -> str:
    """
    Return the name of an app that the viewer has let in, also when that is over.

    Raises:
        Refusal: ``not_found``: there is no such grant, or it is somebody else's or a personal token's.
    """
    grant = await grants.by_grant_id(reader, grant_id)
    if grant is None or grant.user_id != user_id or grant.client_id is None:
        raise refusals.not_found(f"no such app grant of user {user_id}")
    return (await _named(reader, grant)).name


async def team_access(reader: Reader, team_id: int, paging: Paging, now: int) -> Page[TeamAccess]:
    """Return a page of what reaches a team, and how much there is; the viewer may manage its members."""
    total = await grant_lists.team_count(reader, team_id, now)
    return Page(await grant_lists.team_page(reader, team_id, now, paging.limit, paging.offset), total)


async def access_of_member(reader: Reader, team_id: int, user_id: int, now: int) -> tuple[TeamAccess, ...]:
    """Return what reaches the team in one member's name, newest first."""
    return tuple(await grant_lists.of_member(reader, team_id, user_id, now))


async def named_in_team(reader: Reader, team_id: int, grant_id: str) -> Named:
    """
    Return the names of something that reaches, or reached, a team; the viewer may manage its members.

    Raises:
        Refusal: ``not_found``: also for another team's.
    """
    grant = await grants.by_grant_id(reader, grant_id)
    if grant is None or grant.team_id != team_id:
        raise refusals.not_found(f"no such grant of team {team_id}")
    return await _named(reader, grant)


async def access_to_team(reader: Reader, team_id: int, grant_id: str, now: int) -> TeamAccess:
    """
    Return one thing that reaches a team; the viewer may manage its members.

    Raises:
        Refusal: ``not_found``: also for what reaches another team.
    """
    found = await grant_lists.one_of_team(reader, team_id, grant_id, now)
    if found is None:
        raise refusals.not_found(f"no such grant reaches team {team_id}")
    return found


async def _named(reader: Reader, grant: Grant) -> Named:
    """Look the names up; the rows are there, because rows of users and clients are never deleted."""
    user = await users.by_user_id(reader, grant.user_id)
    client = await clients.by_client_id(reader, grant.client_id) if grant.client_id else None
    return Named(grant.name or (client.name if client else ""), user.name if user else "")


def _joined(rows: list[AppAccess]) -> AppAccess:
    """Join the families of one grant: what any of them may, the app may."""
    first = rows[0]
    follows_role = any(row.narrowing == "none" for row in rows)
    words = {word for row in rows for word in row.scope.split()}
    return replace(
        first,
        narrowing="none" if follows_role else "scope",
        scope="" if follows_role else " ".join(sorted(words)),
        ends_at=max(row.ends_at for row in rows),
    )
