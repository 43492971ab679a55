"""People at their browsers, over real HTTP: what they do on pages, in as few words as they would tell it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx2

from tests.support.browser import Browser
from tests.support.processes import ServerProcess

PASSWORD: Final = "correct horse battery staple"
CALLBACK: Final = "https://app.example.com/callback"


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """What an integrator copies from the page of their API client; a public one's secret is ''."""

    client_id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, at a browser of their own."""

    name: str
    browser: Browser

    @property
    def email(self) -> str:
        """Where they get their mail."""
        return address_of(self.name)

    async def sign_in(self) -> None:
        """Sign in on the page."""
        await self.browser.get("/login")
        page = await self.browser.fill_and_submit("Sign in", email=self.email, password=PASSWORD)
        assert page.status == 200, page.text

    async def switch_team(self, team_id: int) -> None:
        """Make a team the active one."""
        await self.browser.get("/switch-team")
        page = await self.browser.fill_and_submit(f"team={team_id}")
        assert page.status == 200, page.text

    async def make_token(self, name: str) -> str:
        """Make a personal access token in the active team, and copy it."""
        await self.browser.get("/settings/tokens/new")
        page = await self.browser.fill_and_submit("Create token", name=name)
        assert "token" in page.shown, page.text
        return page.shown["token"]

    async def register(self, name: str, redirect_uri: str = CALLBACK, kind: str = "confidential") -> RegisteredApp:
        """Register an API client in the active team, and copy what it is told."""
        await self.browser.get("/settings/clients/new")
        page = await self.browser.fill_and_submit("Create API client", name=name, redirect_uris=redirect_uri, kind=kind)
        assert "client-id" in page.shown, page.text
        return RegisteredApp(page.shown["client-id"], page.shown.get("client-secret", ""), redirect_uri)

    async def consent(self, url: str, decision: str = "allow", team_id: int | None = None) -> str:
        """
        Follow an app's link and decide; return where the browser was sent back to.

        Args:
            url: the app's link to ``/oauth/authorize``.
            team_id: the team to let it into; the one that the page offers first if not given.
        """
        page = await self.browser.get(url)
        assert page.status == 200, page.text
        chosen = {} if team_id is None else {"team": str(team_id)}
        page = await self.browser.fill_and_submit(f"decision={decision}", **chosen)
        assert page.location, page.text
        return page.location


def address_of(name: str) -> str:
    """Return a person's email address."""
    return f"{name.lower()}@example.com"


def told(server: ServerProcess, *words: str, stdin: str = "") -> str:
    """Run a command that is meant to succeed; return what it printed."""
    done = server.command(*words, stdin=stdin)
    assert done.returncode == 0, f"keybearer {' '.join(words)}: {done.stderr}"
    return done.stdout


@asynccontextmanager
async def at_browser(server: ServerProcess, name: str) -> AsyncIterator[Person]:
    """Have somebody at a browser while the block lasts; not signed in yet."""
    async with httpx2.AsyncClient(base_url=server.url, timeout=30) as client:
        yield Person(name, Browser(client))
