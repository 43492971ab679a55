"""A stage for tests of the API: two teams in two environments, people with every role, tokens of both kinds."""

from dataclasses import dataclass

import httpx2

from keybearer.server import issuing, secrets
from keybearer.server.clock import DAY
from keybearer.server.records import Family, Grant, Member, Team, User
from keybearer.server.store import grants, memberships
from keybearer.server.store.database import Transaction
from keybearer.wire.packing import packed_place
from keybearer.wire.principal import Principal
from tests.support.browser import Browser
from tests.support.house import House
from tests.support.scenes import PASSWORD, App, Scene


@dataclass(frozen=True, slots=True)
class Stage:
    """Ada owns Acme (sandbox) and is a member of Works (live), which Bob owns; Cleo reads in Acme."""

    house: House
    scene: Scene
    ada: User
    bob: User
    cleo: User
    acme: Team
    works: Team

    async def personal(self, user: User, team: Team, scope: str | None = None) -> httpx2.AsyncClient:
        """Lend a program's client with a new personal token."""
        return self.house.api(await self.scene.personal_token(user, team, scope))

    async def app_access(self, app: App, user: User, team: Team, scope: str | None = None) -> httpx2.AsyncClient:
        """Lend a program's client with a new access token, as if the user had let the app in."""
        return self.house.api(await self.access_text(app, user, team, scope))

    async def access_text(self, app: App, user: User, team: Team, scope: str | None = None) -> str:
        """Return the text of a new access token."""
        return await self.house.node.act(self._access_text, app, user, team, scope)

    async def _access_text(self, tx: Transaction, app: App, user: User, team: Team, scope: str | None) -> str:
        now = self.house.node.now()
        client_id = app.client.client_id
        held = await grants.of_app(tx, user.user_id, team.team_id, client_id)
        if held is None:
            held = Grant(
                secrets.record_id(now), user.user_id, team.team_id, team.environment, client_id, None, now, None
            )
            await grants.add(tx, held, None)
        narrowing = "none" if scope is None else "scope"
        family = Family(secrets.record_id(now), held.grant_id, narrowing, scope or "", now, now + 30 * DAY, None)
        await grants.add_family(tx, family)
        text = issuing.Mint(self.house.settings.token_prefix, team.environment).text("oat")
        anchor = issuing.Anchor(held.grant_id, family.family_id, secrets.record_id(now), narrowing, scope or "")
        await issuing.keep_token(tx, text, anchor, now, now + DAY)
        return text

    async def use_up(self, user: User, team: Team, calls: int) -> None:
        """Make *calls* calls without the doors: what is counted is the same."""
        place = packed_place(team.team_id, 1, team.environment, "owner", (user.name, user.email))
        principal = Principal(user.user_id, place, frozenset(), None, b"")
        for _ in range(calls):
            await self.house.node.own_calls.count(principal)

    async def at_browser(self, user: User) -> Browser:
        """Have the user signed in at a browser of their own; their first team is the active one."""
        browser = self.house.browser()
        await browser.get("/login?next=/switch-team")
        page = await browser.fill_and_submit("Sign in", email=user.email, password=PASSWORD)
        assert page.status == 200, page.text
        return browser

    async def place_of(self, team: Team, user: User) -> Member:
        """Return the user's place in the team, former ones too."""
        member = await self.house.node.view(memberships.of_user, team.team_id, user.user_id)
        assert member is not None
        return member

    async def either_kind(self, kind: str, user: User, team: Team, scope: str | None = None) -> httpx2.AsyncClient:
        """Lend a program's client with a new token of this kind (``pat`` or ``oat``)."""
        if kind == "pat":
            return await self.personal(user, team, scope)
        app = await self.scene.app(f"App {secrets.record_id(0)}", team, user, "https://app.example.com/cb")
        return await self.app_access(app, user, team, scope)


async def set_stage(house: House) -> Stage:
    """Put everybody on the stage."""
    scene = Scene(house.node)
    ada, bob, cleo = [await scene.person(name) for name in ("Ada", "Bob", "Cleo")]
    acme = await scene.team("Acme", owner=ada, read_only=cleo)
    works = await scene.team("Works", environment="live", owner=bob, member=ada)
    return Stage(house, scene, ada, bob, cleo, acme, works)
