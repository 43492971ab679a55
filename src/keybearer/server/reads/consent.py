"""What a person should know before they let an app in."""

from collections.abc import Mapping
from dataclasses import dataclass

from keybearer.server.records import Client, Family, Grant, Place, Team
from keybearer.server.roles import only_reads
from keybearer.server.rules.names import may_mislead
from keybearer.server.store import grants, teams, users
from keybearer.server.store.database import Reader
from keybearer.verify.decide import FOLLOWS_ROLE


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the app asks for, of which user, and the name of the product whose page asks."""

    client: Client
    narrowing: str
    scope: str
    user_id: int
    product: str


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
    """
    The app, the team that answers for it, and the teams that it could be let into.

    Args:
        registrant: the name of the user who registered the app.
        may_mislead: whether the app or its team goes by a name that could be taken for another's.
    """

    client: Client
    publisher: Team
    registrant: str
    may_mislead: bool
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
    registrant = await users.by_user_id(reader, client.created_by)
    assert publisher is not None  # noqa: S101 - the client's own key leads to it
    assert registrant is not None  # noqa: S101 - likewise
    misleads = any(may_mislead(name, wanted.product) for name in (client.name, publisher.name))
    choices = []
    for place in places:
        if place.team.environment != client.environment:
            continue
        grant = await grants.of_app(reader, wanted.user_id, place.team.team_id, client.client_id)
        families = await grants.live_families(reader, grant.grant_id, now) if grant else []
        choices.append(_choice(wanted, place, role_permissions[place.role], (grant, families)))
    follows = wanted.narrowing == FOLLOWS_ROLE
    return Consent(client, publisher, registrant.name, misleads, follows, tuple(choices))


def _choice(wanted: Wanted, place: Place, allowed: frozenset[str], held: tuple[Grant | None, list[Family]]) -> Choice:
    """Work out what the app would gain in one team."""
    grant, families = held
    asked = allowed if wanted.narrowing == FOLLOWS_ROLE else frozenset(wanted.scope.split())
    has = frozenset[str]().union(*(_reach(family, allowed) for family in families))
    return Choice(
        team=place.team,
        role=place.role,
        can=_changing_first(asked & allowed),
        cannot=_changing_first(allowed - asked),
        beyond=_changing_first(asked - allowed),
        fresh=(asked & allowed) - has,
        since=grant.created_at if grant and families else None,
    )


def _reach(family: Family, allowed: frozenset[str]) -> frozenset[str]:
    return allowed if family.narrowing == FOLLOWS_ROLE else allowed & frozenset(family.scope.split())


def _changing_first(names: frozenset[str]) -> tuple[str, ...]:
    """Sort permissions: those that change things before those that only read."""
    return tuple(sorted(names, key=lambda name: (only_reads(name), name)))
