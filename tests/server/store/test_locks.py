"""Transactions of PostgreSQL that meet: whoever waits, waits for somebody who does not wait for them."""

import asyncio

import pytest

from keybearer.server import secrets
from keybearer.server.records import Grant
from keybearer.server.store import grants, memberships
from keybearer.server.store.database import Transaction
from tests.support.house import House
from tests.support.scenes import Scene

# SQLite has one writer, who waits for nobody.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def test_a_grant_made_while_its_member_is_removed_is_waited_for_and_not_in_a_circle(house: House) -> None:
    scene, now = Scene(house.node), house.node.now()
    ada, bob = [await scene.person(name) for name in ("Ada", "Bob")]
    acme = await scene.team("Acme", owner=ada, member=bob)
    grant = Grant(secrets.record_id(now), bob.user_id, acme.team_id, acme.environment, None, "a token", now, None)
    member_is_held, team_is_locked, begun = asyncio.Event(), asyncio.Event(), list[str]()

    async def make(tx: Transaction) -> None:
        begun.append("made")
        await memberships.lock_of_user(tx, acme.team_id, bob.user_id)
        member_is_held.set()
        await team_is_locked.wait()
        await grants.add(tx, grant, "a token")

    async def remove(tx: Transaction) -> list[Grant]:
        begun.append("removed")
        await member_is_held.wait()
        await memberships.lock_owners(tx, acme.team_id)
        team_is_locked.set()
        await memberships.leave(tx, acme.team_id, bob.user_id, now)
        return await grants.end_of_member(tx, acme.team_id, bob.user_id, now)

    _, ended = await asyncio.gather(house.node.act(make), house.node.act(remove))
    assert [each.grant_id for each in ended] == [grant.grant_id]
    assert sorted(begun) == ["made", "removed"], "one of them was rolled back as a deadlock and begun again"
