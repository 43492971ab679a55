"""The SDK against a real server as a process, on both databases: what the server ends, an API refuses at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from keybearer import InvalidToken, SyncVerifier, Unavailable, Verifier
from keybearer.wire.denial import Reason
from tests.sdk.conftest import HandClocks
from tests.sdk.fake_node import KEY
from tests.support.house import house_beside
from tests.support.people import address_of, at_browser, told
from tests.support.processes import ServerProcess
from tests.support.scenes import Scene
from tests.support.verifiers import asking

ADA, CHARLES = address_of("ada"), address_of("charles")
SOON_S = 30.0  # of a crowded machine; nothing is concluded from it


@pytest.fixture
async def team_id(server: ServerProcess) -> str:
    """Have a live team with two owners."""
    async with house_beside(server) as house:
        scene = Scene(house.node)
        team = await scene.team("Engines", "live", owner=await scene.person("ada"))
        await scene.member(team, await scene.person("charles"), "owner")
    return str(team.team_id)


async def key_for(server: ServerProcess, environment: str) -> str:
    async with house_beside(server) as house:
        return (await asking(house, environment)).key


async def token_of(server: ServerProcess, name: str) -> str:
    async with at_browser(server, name) as person:
        await person.sign_in()
        return await person.make_token("Import")


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    begun = time.monotonic()
    while not await is_so():
        assert time.monotonic() - begun < SOON_S, "it did not come about in time"
        await asyncio.sleep(0.01)


async def is_refused(verifier: Verifier, token: str) -> bool:
    try:
        await verifier.verify(token)
    except InvalidToken:
        return True
    return False


async def command(server: ServerProcess, *words: str) -> None:
    await asyncio.to_thread(told, server, *words)


async def test_what_the_server_changes_holds_in_the_api(server: ServerProcess, team_id: str) -> None:
    ada, charles = await token_of(server, "ada"), await token_of(server, "charles")
    sandbox_key = await key_for(server, "sandbox")
    async with Verifier(server.url, key=await key_for(server, "live")) as verifier:
        await verifier.ready(SOON_S)
        principal = await verifier.verify(charles)
        assert (principal.user_email, principal.role, principal.team_id) == (CHARLES, "owner", int(team_id))
        assert principal.can("clients:write")
        await verifier.verify(ada)

        await command(server, "team", "member", "set", team_id, CHARLES, "--role", "read-only")
        await until(lambda: _cannot(verifier, charles, "clients:write"))
        assert (await verifier.verify(charles)).can("clients:read")

        await command(server, "user", "disable", CHARLES)
        await until(lambda: is_refused(verifier, charles))
        await command(server, "user", "enable", CHARLES)
        await until(lambda: _is_accepted(verifier, charles))

        await command(server, "team", "member", "remove", team_id, CHARLES)
        await until(lambda: is_refused(verifier, charles))

        async with httpx2.AsyncClient(headers={"authorization": f"Bearer {ada}"}) as api:
            assert (await api.delete(f"{server.url}/api/v2/token")).status_code == 204
        await until(lambda: is_refused(verifier, ada))
    async with Verifier(server.url, key=sandbox_key) as verifier:
        with pytest.raises(InvalidToken) as caught:
            await verifier.verify(ada)
        assert caught.value.reason is Reason.WRONG_ENVIRONMENT


async def test_a_server_that_is_killed_is_missed_and_found_again(
    server: ServerProcess, team_id: str, clocks: HandClocks
) -> None:
    assert team_id
    ada = await token_of(server, "ada")
    async with Verifier(server.url, key=await key_for(server, "live"), surroundings=clocks.surroundings) as verifier:
        await verifier.ready(SOON_S)
        await verifier.verify(ada)
        server.kill()
        assert (await verifier.verify(ada)).user_email == ADA  # within the lease nobody need be asked
        clocks.slept_s += 8.1
        with pytest.raises(Unavailable):
            await verifier.verify(ada)
        await asyncio.to_thread(server.start)
        await verifier.ready(SOON_S)
        assert (await verifier.verify(ada)).user_email == ADA


async def test_the_synchronous_face_hears_of_a_revocation_too(server: ServerProcess, team_id: str) -> None:
    assert team_id
    ada = await token_of(server, "ada")
    key = await key_for(server, "live")

    def work() -> None:
        with SyncVerifier(server.url, key=key) as verifier:
            verifier.ready(SOON_S)
            verifier.verify(ada)
            httpx2.delete(f"{server.url}/api/v2/token", headers={"authorization": f"Bearer {ada}"}).raise_for_status()
            begun = time.monotonic()
            while verifier.known(ada) is not None:
                assert time.monotonic() - begun < SOON_S
                time.sleep(0.005)
            with pytest.raises(InvalidToken):
                verifier.verify(ada)

    await asyncio.to_thread(work)


async def test_a_key_that_is_no_key_here_is_503_and_never_401(server: ServerProcess, team_id: str) -> None:
    assert team_id
    ada = await token_of(server, "ada")
    async with Verifier(server.url, key=KEY) as verifier:
        with pytest.raises(Unavailable, match="does not accept the resource server's key"):
            await verifier.verify(ada)


async def _cannot(verifier: Verifier, token: str, permission: str) -> bool:
    return not (await verifier.verify(token)).can(permission)


async def _is_accepted(verifier: Verifier, token: str) -> bool:
    return not await is_refused(verifier, token)
