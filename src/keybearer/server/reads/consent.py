"""What a person should know before they let an app in."""

from collections.abc import Mapping
from dataclasses import dataclass

from keybearer.server.records import Client, Family, Grant, Place, Team
from keybearer.server.store import grants, teams
from keybearer.server.store.database import Reader
from keybearer.verify.decide import FOLLOWS_ROLE


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the app asks for, and by which user it is asked."""

    client: Client
    narrowing: str
    scope: str
    user_id: int


@dataclass(frozen=True, slots=True)
class Choice:
    """
    One team that the user can open to the app.

    Args:
        can: permissions that the app would have there now.
        cannot: what the user may do there, and the app may not.
        beyond: what the app asks for, and the user may not do themselves.
        fresh: those of ``can`` that it does not have there already; all of them if it is not let in.
        since: when it was let in first, microseconds since 1970 UTC; None if it is not.
    """

    team: Team
    role: str
    can: tuple[str, ...]
    cannot: tuple[str, ...]
    beyond: tuple[str, ...]
    fresh: frozenset[str]
    since: int | None


@dataclass(frozen=True, slots=True)
class Consent:
    """The app, the team that answers for it, and the teams that it could be let into."""

    client: Client
    publisher: Team
    follows_role: bool
    choices: tuple[Choice, ...]


async def consent(
    reader: Reader, wanted: Wanted, places: tuple[Place, ...], role_permissions: Mapping[str, frozenset[str]], now: int
) -> Consent:
    """
    Return what to show on the consent page.

    Args:
        places: the user's present teams; those of the app's environment can be chosen.
        now: microseconds since 1970 UTC.
    """
    client = wanted.client
    publisher = await teams.by_team_id(reader, client.team_id)
    assert publisher is not None  # noqa: S101 - the client's own key leads to it
    fitting = [place for place in places if place.team.environment == client.environment]
    choices = []
    for place in fitting:
        grant = await grants.of_app(reader, wanted.user_id, place.team.team_id, client.client_id)
        families = await grants.live_families(reader, grant.grant_id, now) if grant else []
        choices.append(_choice(wanted, place, role_permissions[place.role], (grant, families)))
    return Consent(client, publisher, wanted.narrowing == FOLLOWS_ROLE, tuple(choices))


def _choice(wanted: Wanted, place: Place, allowed: frozenset[str], held: tuple[Grant | None, list[Family]]) -> Choice:
    """Work out what the app would gain in one team."""
    grant, families = held
    asked = allowed if wanted.narrowing == FOLLOWS_ROLE else frozenset(wanted.scope.split())
    has = frozenset[str]().union(*(_reach(family, allowed) for family in families))
    return Choice(
        team=place.team,
        role=place.role,
        can=_weightiest_first(asked & allowed),
        cannot=_weightiest_first(allowed - asked),
        beyond=_weightiest_first(asked - allowed),
        fresh=(asked & allowed) - has,
        since=grant.created_at if grant and families else None,
    )


def _reach(family: Family, allowed: frozenset[str]) -> frozenset[str]:
    return allowed if family.narrowing == FOLLOWS_ROLE else allowed & frozenset(family.scope.split())


def _weightiest_first(names: frozenset[str]) -> tuple[str, ...]:
    """Return what changes things before what only reads."""
    return tuple(sorted(names, key=lambda name: (name.endswith(":read"), name)))
