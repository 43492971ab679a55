"""Change how a team is reached."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import Team
from keybearer.server.refusals import Refusal, attempt
from keybearer.server.rules.addresses import clean_address
from keybearer.server.rules.telephones import clean_telephone
from keybearer.server.store import teams
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class TeamChange:
    """
    What is to be different; the rest stays as it is.

    Args:
        contact: the new email address as typed; None leaves the old one.
        telephone: the new number as typed, or None for no number; counts only where *changes_telephone*.
    """

    contact: str | None
    telephone: str | None
    changes_telephone: bool


async def update_team(tx: Transaction, actor: Actor, team_id: int, change: TeamChange, now: int) -> Team:
    """
    Change a team's contact address, its telephone number or both, and return the team as it is now.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``invalid``: the address or the number is malformed, both are named; ``not_found``: no such team.
    """
    team = await teams.lock(tx, team_id)  # what is not changed is written again: not over what another changes now
    if team is None:
        raise refusals.not_found(f"no team {team_id}")
    contact, telephone = _judge(team, change)
    if (contact, telephone) == (team.contact, team.telephone):
        return team
    await teams.set_contact(tx, team_id, contact, telephone, now)
    activity = Activity("team.changed", f"team:{team_id}", team_id=team_id, environment=team.environment)
    await ledger.record(tx, actor, activity, now)
    changed = await teams.by_team_id(tx, team_id)
    assert changed is not None  # noqa: S101 - it was there a statement ago, in this transaction
    return changed


def _judge(team: Team, change: TeamChange) -> tuple[str, str | None]:
    """Return the contact and the telephone number that the team is to have; raise all that is wrong with them."""
    wrong: list[Refusal] = []
    contact = attempt(wrong, lambda: _contact(team, change))
    telephone = attempt(wrong, lambda: _telephone(team, change))
    if wrong or contact is None:
        raise refusals.all_invalid(wrong)
    return contact, telephone


def _contact(team: Team, change: TeamChange) -> str:
    return team.contact if change.contact is None else clean_address(change.contact, "contact").shown


def _telephone(team: Team, change: TeamChange) -> str | None:
    if not change.changes_telephone:
        return team.telephone
    return None if change.telephone is None else clean_telephone(change.telephone)
