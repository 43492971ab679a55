"""What the team commands do, on the open database."""

from keybearer.cli.lookup import find_team, find_user
from keybearer.cli.trouble import Trouble
from keybearer.cli.workplace import in_database, load_settings, operator
from keybearer.server.actions.add_team import NewTeam, add_team
from keybearer.server.actions.remove_member import remove_member
from keybearer.server.actions.set_member_role import RoleGiven, set_member_role
from keybearer.server.clock import HOUR, now
from keybearer.server.records import Team
from keybearer.server.refusals import Refusal
from keybearer.server.store.database import Database


def add_new_team(name: str, environment: str, owner_email: str) -> Team:
    """Add a team with its first owner."""

    async def work(database: Database) -> Team:
        owner = await find_user(database, owner_email)
        at = now()
        return await database.transact(add_team, operator(at), NewTeam(name, environment), owner, at)

    return in_database(load_settings(), work)


def give_role(team_text: str, email: str, role: str, hours: int) -> dict[str, object]:
    """
    Give somebody a role in a team; return what is so now.

    Args:
        hours: until an assumed role ends; of no meaning for the others.
    """

    async def work(database: Database) -> dict[str, object]:
        team, user = await find_team(database, team_text), await find_user(database, email)
        at = now()
        expires_at = at + hours * HOUR if role == "assumed" else None
        given = RoleGiven(team.team_id, user.user_id, role, expires_at)
        member = await database.transact(set_member_role, operator(at), given, frozenset(), at)
        return {"team": team.identifier, "id": member.membership_id, "email": member.email, "role": member.role}

    return in_database(load_settings(), work)


def take_role(team_text: str, email: str) -> dict[str, object]:
    """Take somebody out of a team; return what is so now."""

    async def work(database: Database) -> dict[str, object]:
        team, user = await find_team(database, team_text), await find_user(database, email)
        at = now()
        try:
            member = await database.transact(remove_member, operator(at), team.team_id, user.user_id, frozenset(), at)
        except Refusal as refusal:
            if refusal.code != "not_found":
                raise
            said = f"{user.email} is not in the team {team.identifier}"
            raise Trouble(f"{said}; see that both are typed right") from None
        return {"team": team.identifier, "id": member.membership_id, "email": member.email, "role": None}

    return in_database(load_settings(), work)
