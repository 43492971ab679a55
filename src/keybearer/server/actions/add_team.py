"""A team is added, with its first owner."""

import uuid
from dataclasses import dataclass

from keybearer.server import ledger, refusals
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import Team, User
from keybearer.server.rules.identifiers import free_identifier, identifier_of
from keybearer.server.rules.names import MAX_TEAM_NAME, clean_name
from keybearer.server.store import memberships, teams
from keybearer.server.store.database import Transaction
from keybearer.wire.activity import words_text
from keybearer.wire.token_text import ENVIRONMENTS

_TIER = "free"


@dataclass(frozen=True, slots=True)
class NewTeam:
    """
    A team as typed in.

    Args:
        environment: ``sandbox`` or ``live``, for good.
    """

    name: str
    environment: str


async def add_team(tx: Transaction, actor: Actor, new: NewTeam, owner: User, now: int) -> Team:
    """
    Add a team; *owner* becomes its first member and its contact.

    Raises:
        Refusal: ``invalid``: the name cannot be kept, or there is no such environment.
        Conflict: another team of that name came in between; trying again helps.
    """
    if new.environment not in ENVIRONMENTS:
        raise refusals.invalid("environment", "The environment is sandbox or live.")
    shown = clean_name(new.name, MAX_TEAM_NAME)
    wanted = identifier_of(shown)
    values: dict[str, object] = {
        "identifier": free_identifier(wanted, await teams.identifiers_like(tx, wanted)),
        "uuid": str(uuid.uuid4()),
        "name": shown,
        "environment": new.environment,
        "contact": owner.email,
        "telephone": None,
        "tier": _TIER,
        "logo": None,
        "supported_at": None,
        "created_at": now,
        "updated_at": now,
        "archived_at": None,
    }
    team = await teams.add(tx, values)
    await memberships.set_role(tx, (team.team_id, owner.user_id), "owner", None, now)
    await _tell(tx, actor, team, owner, now)
    return team


async def _tell(tx: Transaction, actor: Actor, team: Team, owner: User, now: int) -> None:
    """Keep both changes: there is a team, and somebody joined it."""
    for action, subject, words in (
        ("team.created", f"team:{team.team_id}", ""),
        ("member.joined", f"membership:{owner.user_id}:{team.team_id}", words_text({"role": "owner"})),
    ):
        done = Activity(action, subject, team_id=team.team_id, environment=team.environment, words=words)
        await ledger.record(tx, actor, done, now)
