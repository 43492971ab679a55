"""Transactions of PostgreSQL that meet: whoever waits, waits for somebody who does not wait for them."""

import asyncio

import pytest

from keybearer.server import secrets
from keybearer.server.records import Attempts, Grant
from keybearer.server.store import grants, memberships, sign_in_attempts
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


async def test_an_attempt_that_is_counted_while_a_sign_in_forgets_those_before_is_the_first_again(house: House) -> None:
    key = (secrets.digest("ada@example.com"), b"")
    is_held = asyncio.Event()

    async def fail(tx: Transaction) -> None:
        await sign_in_attempts.lock(tx, *key)
        await sign_in_attempts.keep(tx, *key, Attempts(3, 1, 2))

    async def succeed(tx: Transaction) -> None:
        await sign_in_attempts.lock(tx, *key)
        is_held.set()
        await asyncio.sleep(0.5)  # until the other one waits for it
        await sign_in_attempts.forget(tx, *key)

    async def count(tx: Transaction) -> Attempts:
        await is_held.wait()
        return await sign_in_attempts.lock(tx, *key)

    await house.node.act(fail)
    _, counted = await asyncio.gather(house.node.act(succeed), house.node.act(count))
    assert counted == Attempts(0, 0, 0)
