"""The database of `make timing`: what its pairs of requests are about."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from bench.scripts import REDIRECT_URI
from keybearer.server import clock
from keybearer.server.accounts.passwords import Passwords
from keybearer.server.records import Team, User
from keybearer.server.settings import Settings
from keybearer.server.store import grants, memberships
from keybearer.server.store.database import Transaction
from tests.support.house import House, open_house
from tests.support.scenes import PASSWORD, Scene
from tests.support.verifiers import asking

_CHANGES_OF_ONE: Final = 4  # of an address; ten a day are accepted, and each pair asks for two


@dataclass(frozen=True, slots=True)
class Stage:
    """
    What the pairs are about.

    Args:
        plain: how many pairs there are, but for those *with_hash* of a password.
        client_id: an app's.
        key: a resource server's.
        tokens: personal tokens of the members of a team, ``person00000@example.com`` and so on.
        revoked: tokens whose user has left the team.
        taken_address: of somebody else.
        team: the team's id.
        foreign_team: the id of another team, ``foreign_member`` of somebody there.
    """

    plain: int
    with_hash: int
    client_id: str
    key: str
    tokens: list[str]
    revoked: list[str]
    taken_address: str
    team: int
    foreign_team: int
    foreign_member: int


async def set_stage(folder: Path, database_url: str, plain: int, with_hash: int) -> Stage:
    """Fill a migrated database for so many pairs, before a server opens it."""
    settings = Settings(data_dir=folder / "data", database_url=SecretStr(database_url))
    async with open_house(settings, clock.now) as house:
        scene = Scene(house.node)
        owner, leaver, stranger = [await scene.person(name) for name in ("owner", "leaver", "stranger")]
        team = await scene.team("bench", owner=owner, member=leaver)
        app = await scene.app("bench", team, owner, REDIRECT_URI)
        revoked = await asyncio.gather(*(scene.personal_token(leaver, team) for _ in range(2 * plain)))
        await house.node.act(_leave, team, leaver)
        tokens = await _tokens_of_people(house, team, max(with_hash, -(-plain // _CHANGES_OF_ONE)))
        foreign = await scene.team("foreign", owner=stranger)  # last: higher ids are nothing's
        return Stage(
            plain=plain,
            with_hash=with_hash,
            client_id=app.client.client_id,
            key=(await asking(house)).key,
            tokens=tokens,
            revoked=revoked,
            taken_address=stranger.email,
            team=team.team_id,
            foreign_team=foreign.team_id,
            foreign_member=await house.node.act(_membership_id, foreign, stranger),
        )


async def _tokens_of_people(house: House, team: Team, count: int) -> list[str]:
    """Add people whose passwords are hashed as the server does it, each with a token."""
    scene = Scene(house.node)
    hashed = await Passwords().hash(PASSWORD)
    people = [await scene.person(f"person{number:05}", password_hash=hashed) for number in range(count)]
    for person in people:
        await scene.member(team, person, "member")
    return await asyncio.gather(*(scene.personal_token(person, team) for person in people))


async def _leave(tx: Transaction, team: Team, user: User) -> None:
    now = clock.now()
    await memberships.leave(tx, team.team_id, user.user_id, now)
    await grants.end_of_member(tx, team.team_id, user.user_id, now)


async def _membership_id(tx: Transaction, team: Team, user: User) -> int:
    member = await memberships.of_user(tx, team.team_id, user.user_id)
    assert member is not None
    return member.membership_id
