"""``keybearer team``: teams, and who is in them with which role."""

from enum import StrEnum
from typing import Annotated

import typer

from keybearer.cli.printing import JSON, say

app = typer.Typer(
    help="Add teams; give, change and take roles.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
member = typer.Typer(help="Give, change and take roles.", rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(member, name="member")

Team = Annotated[str, typer.Argument(metavar="TEAM", help="The team's id or identifier.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's address.")]


class Environment(StrEnum):
    """The environment of a team, which never changes."""

    SANDBOX = "sandbox"
    LIVE = "live"


class Role(StrEnum):
    """What a member may do; the settings say what that is."""

    OWNER = "owner"
    MEMBER = "member"
    READ_ONLY = "read-only"
    ASSIGNED_ONLY = "assigned-only"
    ASSUMED = "assumed"


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The team's name.")],
    environment: Annotated[Environment, typer.Option(help="The sandbox, or live.")],
    owner: Annotated[str, typer.Option(metavar="EMAIL", help="The address of its first owner.")],
    *,
    as_json: JSON = False,
) -> None:
    """Add a team."""
    from keybearer.cli.teams import add_new_team

    team = add_new_team(name, environment.value, owner)
    record = {
        "id": team.team_id,
        "identifier": team.identifier,
        "name": team.name,
        "environment": team.environment,
    }
    say(record, as_json=as_json)


@member.command("set")
def set_(
    team: Team,
    email: Email,
    role: Annotated[Role, typer.Option(help="The role; the pages call an owner Admin.")],
    *,
    hours: Annotated[int, typer.Option(help="When an assumed role ends.", min=1, max=8)] = 8,
    as_json: JSON = False,
) -> None:
    """Give somebody a role in a team, whether they are in it or not; it has effect at the next call."""
    from keybearer.cli.teams import give_role

    say(give_role(team, email, role.value, hours), as_json=as_json)


@member.command()
def remove(team: Team, email: Email, *, as_json: JSON = False) -> None:
    """Take somebody out of a team; every token that acts as them there ends."""
    from keybearer.cli.teams import take_role

    say(take_role(team, email), as_json=as_json)
