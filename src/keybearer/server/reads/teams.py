"""Teams: the one that a token reaches, and those that a user belongs to."""

from keybearer.server import refusals
from keybearer.server.reads.paging import Page, Paging
from keybearer.server.records import Team
from keybearer.server.store import memberships, teams
from keybearer.server.store.database import Reader


async def team_of(reader: Reader, team_id: int) -> Team:
    """
    Return the team of this id.

    Raises:
        Refusal: ``not_found``: there is none.
    """
    team = await teams.by_team_id(reader, team_id)
    if team is None:
        raise refusals.not_found(f"no team {team_id}")
    return team


async def teams_page(reader: Reader, user_id: int, paging: Paging, now: int) -> Page[Team]:
    """Return a page of the teams that the user belongs to at *now*, and how many there are."""
    total = await memberships.teams_count(reader, user_id, now)
    return Page(await memberships.teams_page(reader, user_id, now, paging.limit, paging.offset), total)
