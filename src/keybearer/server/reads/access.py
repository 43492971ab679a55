"""What acts in somebody's name, as the page's viewer may see it."""

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from keybearer.server import refusals
from keybearer.server.store import clients, grant_lists, grants
from keybearer.server.store.database import Reader
from keybearer.server.store.grant_lists import AppFamily, PersonalToken, TeamAccess

PER_PAGE: Final = 50
_MAX_PAGE: Final = 10_000


@dataclass(frozen=True, slots=True)
class App:
    """An app that a user has let in; narrowed to ``scope`` unless one of its consents follows the role."""

    grant_id: str
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
class TeamAccessPage:
    """One page of what reaches a team; ``page`` counts from 1."""

    rows: tuple[TeamAccess, ...]
    total: int
    page: int
    pages: int


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
        raise refusals.not_found(f"no personal token {grant_id[:40]!r} of user {user_id}")
    return found


async def own_apps(reader: Reader, user_id: int, now: int) -> tuple[App, ...]:
    """Return the apps that the viewer has let in, in all their teams, newest first."""
    rows = await grant_lists.app_families(reader, user_id, now)
    return tuple(_joined(list(group)) for _, group in groupby(rows, key=lambda row: row.grant_id))


async def own_app(reader: Reader, user_id: int, grant_id: str, now: int) -> App:
    """
    Return one of the apps that the viewer has let in.

    Raises:
        Refusal: ``not_found``.
    """
    rows = await grant_lists.families_of_app(reader, user_id, grant_id, now)
    if not rows:
        raise refusals.not_found(f"no app grant {grant_id[:40]!r} of user {user_id}")
    return _joined(rows)


async def own_app_name(reader: Reader, user_id: int, grant_id: str) -> str:
    """
    Return the name of an app that the viewer has let in, also when that is over.

    Raises:
        Refusal: ``not_found``: it is nobody's grant, somebody else's, or a personal token's.
    """
    grant = await grants.by_grant_id(reader, grant_id)
    if grant is None or grant.user_id != user_id or grant.client_id is None:
        raise refusals.not_found(f"no app grant {grant_id[:40]!r} of user {user_id}")
    client = await clients.by_client_id(reader, grant.client_id)
    assert client is not None  # noqa: S101 - the grant's foreign key; clients are never deleted for good
    return client.name


async def team_access(reader: Reader, team_id: int, now: int, page: str) -> TeamAccessPage:
    """
    Return one page of what reaches a team; the viewer may manage its members.

    Args:
        page: from the query; '' is the first.

    Raises:
        Refusal: ``not_found``: there is no such page.
    """
    number = int(page or 1) if page.isascii() and (page or "1").isdigit() and len(page) < 6 else 0
    total = await grant_lists.team_count(reader, team_id, now)
    pages = max(1, -(-total // PER_PAGE))
    if not 1 <= number <= min(pages, _MAX_PAGE):
        raise refusals.not_found(f"page {page[:20]!r} of {pages}")
    rows = await grant_lists.team_page(reader, team_id, now, PER_PAGE, (number - 1) * PER_PAGE)
    return TeamAccessPage(tuple(rows), total, number, pages)


async def access_to_team(reader: Reader, team_id: int, grant_id: str, now: int) -> TeamAccess:
    """
    Return one thing that reaches a team; the viewer may manage its members.

    Raises:
        Refusal: ``not_found``: also for what reaches another team.
    """
    found = await grant_lists.one_of_team(reader, team_id, grant_id, now)
    if found is None:
        raise refusals.not_found(f"nothing {grant_id[:40]!r} reaches team {team_id}")
    return found


def _joined(rows: list[AppFamily]) -> App:
    """Join the families of one grant: what any of them may, the app may."""
    first = rows[0]
    follows_role = any(row.narrowing == "none" for row in rows)
    words = {word for row in rows for word in row.scope.split()}
    return App(
        grant_id=first.grant_id,
        app_name=first.app_name,
        owner_name=first.owner_name,
        team_id=first.team_id,
        team_name=first.team_name,
        environment=first.environment,
        since=first.since,
        narrowing="none" if follows_role else "scope",
        scope="" if follows_role else " ".join(sorted(words)),
        ends_at=max(row.ends_at for row in rows),
        last_used_at=first.last_used_at,
    )
