"""Whatever changes what a token may do, by command or on a page, a real server's very next answer shows it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.support.house import house_beside
from tests.support.people import Person, RegisteredApp, address_of, at_browser, told
from tests.support.processes import ServerProcess
from tests.support.scenes import Scene

pytestmark = pytest.mark.timeout(300)

TEAM = "acme-sandbox"


@dataclass(frozen=True, slots=True)
class Place:
    """A server with Ada, who owns Acme and its app, and Bo, a member, whom two tokens stand in for."""

    server: ServerProcess
    ada: Person
    bo: Person
    app: RegisteredApp
    personal: httpx2.AsyncClient
    app_access: httpx2.AsyncClient

    def run(self, *words: str) -> None:
        """Run a command in another process, about Bo."""
        told(self.server, *words)

    async def statuses(self) -> list[int]:
        """Ask with each token, once."""
        return [(await calls.get("/api/v2/status")).status_code for calls in (self.personal, self.app_access)]

    async def changes(self) -> list[int]:
        """Ask for what a member may not and an owner may, with each token, once."""
        asked = {"telephone": "112"}
        return [
            (await calls.patch("/api/v2/team", json=asked)).status_code for calls in (self.personal, self.app_access)
        ]

    async def roles(self) -> list[str]:
        """Ask each token what role it acts with, once."""
        return [(await calls.get("/api/v2/token")).json()["role"] for calls in (self.personal, self.app_access)]


@pytest.fixture
async def place(server: ServerProcess) -> AsyncIterator[Place]:
    async with house_beside(server) as house:
        scene = Scene(house.node)
        team = await scene.team("Acme", owner=await scene.person("Ada"), member=await scene.person("Bo"))
        assert team.identifier == TEAM
    async with AsyncExitStack() as lent:
        ada, bo = [await lent.enter_async_context(at_browser(server, name)) for name in ("Ada", "Bo")]
        for person in (ada, bo):
            await person.sign_in()
        app = await ada.register("Ledger Sync")
        texts = [await bo.make_token("Nightly report"), await let_in(server, bo, app)]
        personal, app_access = [
            await lent.enter_async_context(
                httpx2.AsyncClient(base_url=server.url, headers={"authorization": f"Bearer {text}"}, timeout=30)
            )
            for text in texts
        ]
        yield Place(server, ada, bo, app, personal, app_access)


async def let_in(server: ServerProcess, person: Person, app: RegisteredApp) -> str:
    """Have the app let in by the person; return the access token that it gets."""
    asked = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, "response_type": "code", "state": "s"}
    landed = await person.consent(f"{server.url}/oauth/authorize?{urlencode(asked)}")
    form = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "client_secret": app.secret,
        "redirect_uri": app.redirect_uri,
        "code": parse_qs(urlsplit(landed).query)["code"][0],
    }
    async with httpx2.AsyncClient(base_url=server.url, timeout=30) as program:
        answer = await program.post("/oauth/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


async def test_what_commands_change_in_another_process_shows_at_the_next_request(place: Place) -> None:
    member = ["team", "member"]
    bo = address_of("bo")
    assert await place.statuses() == [204, 204]
    assert await place.changes() == [403, 403]
    place.run(*member, "set", TEAM, bo, "--role", "owner")
    assert await place.changes() == [200, 200]
    place.run(*member, "set", TEAM, bo, "--role", "read-only")
    assert await place.changes() == [403, 403]
    assert await place.roles() == ["read-only", "read-only"]
    place.run("user", "disable", bo)
    assert await place.statuses() == [401, 401]
    place.run("user", "enable", bo)
    assert await place.statuses() == [204, 204]
    place.run(*member, "remove", TEAM, bo)
    assert await place.statuses() == [401, 401]
    place.run(*member, "set", TEAM, bo, "--role", "member")
    assert await place.statuses() == [401, 401]


async def test_what_pages_cut_off_is_refused_at_the_next_request(place: Place) -> None:
    await place.bo.browser.get("/settings/tokens")
    await place.bo.browser.fill_and_submit("Delete", row="Nightly report")
    assert await place.statuses() == [204, 204]
    await place.bo.browser.fill_and_submit("Delete token")
    assert await place.statuses() == [401, 204]
    await place.bo.browser.get("/settings/apps")
    await place.bo.browser.fill_and_submit("Revoke", row="Ledger Sync")
    assert await place.statuses() == [401, 204]
    await place.bo.browser.fill_and_submit("Revoke")
    assert await place.statuses() == [401, 401]


async def test_a_deleted_client_and_a_revoked_grant_of_somebody_else_are_refused_at_the_next_request(
    place: Place,
) -> None:
    await place.ada.browser.get("/settings/clients")
    await place.ada.browser.fill_and_submit("Delete", row="Ledger Sync")
    await place.ada.browser.fill_and_submit("Delete API client")
    assert await place.statuses() == [204, 401]
    await place.ada.browser.get("/team/apps")
    await place.ada.browser.fill_and_submit("Revoke", row="Nightly report")
    await place.ada.browser.fill_and_submit("Revoke")
    assert await place.statuses() == [401, 401]
