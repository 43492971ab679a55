"""One server with a life behind it, so that every page has something to show."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Browser, Page

from keybearer.server import clock, secrets
from keybearer.server.accounts.mailed_links import CHANGE_EMAIL, LINK_LIVES, VERIFY_EMAIL
from keybearer.server.actions.add_resource_server import add_resource_server
from keybearer.server.actions.add_team import NewTeam, add_team
from keybearer.server.actions.create_personal_token import AskedToken, TokenPolicy, create_personal_token
from keybearer.server.actions.create_webhook import WebhookPolicy, create_webhook
from keybearer.server.actions.refuse_sign_in import refuse_sign_in
from keybearer.server.actions.register_client import AskedClient, register_client
from keybearer.server.actions.set_operator import set_operator
from keybearer.server.activities import Actor
from keybearer.server.client_changes import keep_client
from keybearer.server.clock import DAY, HOUR, MINUTE
from keybearer.server.records import Client, Delivery, MailLink, PasswordAttempt, Report, Team, User, Webhook
from keybearer.server.settings import Settings
from keybearer.server.store import mail_links, verifier_nodes, webhook_deliveries, webhooks
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks.changes import TypedWebhook
from tests.support.api import Stage
from tests.support.happenings import happen
from tests.support.house import House, open_house
from tests.support.processes import ServerProcess
from tests.support.scenes import PASSWORD, App, Scene

_ACTOR: Final = Actor("gallery", "127.0.0.1")
_YEAR: Final = 365 * DAY
# What people type when a page is to break: as long as it may be, unbroken, from right to left, and markup.
LONG: Final = "Wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
CALLBACK: Final = "https://ledger-sync.example.com/oauth/callback"
APP_ID: Final = "pictureofanappthatkeepsasecret"
BIDI: Final = "تقرير ليلي <b>bold</b> &amp;"
MISLEADING: Final = "Keybearer Support"
MISLEADING_ID: Final = "pictureofanappwithabadname"
CHANGING_LINK: Final = "picture-of-a-link-to-change-an-address"
PROVING_LINK: Final = "picture-of-a-link-to-prove-an-address"


@dataclass(frozen=True, slots=True)
class _Token:
    """A token to be made; ``age`` and ``lives`` in microseconds, ``scope`` is '' for one that follows the role."""

    name: str
    age: int
    lives: int
    scope: str = ""


_TOKENS: Final = (
    _Token("Payroll import", 400 * DAY, _YEAR),
    _Token(LONG, 90 * DAY, _YEAR, "team:read members:read clients:read clients:write"),
    _Token(BIDI, 25 * DAY, 30 * DAY),
    _Token("Nightly report", 3 * DAY, _YEAR, "clients:read"),
)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A line in the log of a webhook."""

    event: str
    status: str
    attempts: int
    answered: int | None = None
    trouble: str | None = None


_DELIVERIES: Final = (
    _Sent("member.left", "waiting", 3, 503),
    _Sent("grant.ended", "delivered", 2, 204),
    _Sent("client.secret_rotated", "failed", 5, trouble="timeout"),
    _Sent("webhook.test", "delivered", 1, 200),
)


class Gallery:
    """
    Sets the scene: Ada has everything, in a sandbox and a live team; Vera is new; Otto is unproven and in no team.

    Args:
        house: it runs under the real clock.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._node = house.node
        self._scene = Scene(house.node)

    async def fill(self) -> None:
        """Put everybody and everything into the database."""
        ada, vera, ben = [await self._scene.person(name) for name in ("Ada", "Vera", "Ben")]
        otto = await self._scene.person("Otto", is_verified=False)
        sandbox = await self._team("Analytical Engines", "sandbox", ada)
        live = await self._team("Analytical Engines", "live", ben)
        await self._team(LONG, "sandbox", ada)
        await self._scene.member(sandbox, vera, "read-only")
        await self._scene.member(live, ada, "member")
        await self._scene.member(live, vera, "member")
        for token in _TOKENS:
            await self._token(ada, sandbox, token)
        await self._token(ada, live, _Token("Ledger export", 2 * DAY, 90 * DAY))
        await self._operator(sandbox)
        await self._node.act(_appear_elsewhere)
        await self._apps(Stage(self._house, self._scene, ada, ben, vera, sandbox, live))
        await self._webhooks(sandbox)
        await self._mailed(CHANGING_LINK, CHANGE_EMAIL, otto, "otto@example.org")
        await self._mailed(PROVING_LINK, VERIFY_EMAIL, otto, otto.email)
        await self._calls(sandbox, ada, vera)
        await self._guesses(ada)

    async def _calls(self, team: Team, ada: User, vera: User) -> None:
        """Have calls be recorded over some days: most are done, some refused, and one is as long as can be."""
        now = self._node.now()
        for number in range(60):
            refused: dict[str, Any] = (
                {"outcome": "refused", "status": 403, "reason": "forbidden"} if number % 7 == 0 else {}
            )
            who = vera if number % 3 == 0 else ada
            await happen(self._node, who, team, at=now - number * number * MINUTE, client=APP_ID, **refused)
        long = {"route": f"/{LONG}" * 3, "client": LONG}
        await happen(self._node, ada, team, at=now - 5 * DAY, sealing={"agent": LONG * 4, "words": BIDI}, **long)

    async def _guesses(self, user: User) -> None:
        """Have somebody type wrong passwords for a user's address."""
        now = self._node.now()
        for hours, agent in ((3, LONG * 4), (30, "Mozilla/5.0 (iPhone) Version/19.0 Safari/605.1")):
            guesser = Actor("a guess", "2001:db8:4f1c:9a00:a5b1:77ff:fe03:9c21", agent=agent)
            await self._node.act(refuse_sign_in, guesser, PasswordAttempt(b"", b"", user), now - hours * HOUR)

    async def _operator(self, team: Team) -> None:
        """Have somebody operate the server, and two APIs verify tokens."""
        olga = await self._scene.person("Olga")
        await self._scene.member(team, olga, "member")
        now = self._node.now()
        await self._node.act(set_operator, _ACTOR, olga.user_id, now, is_operator=True)
        for named in (("Ledger API", "live"), (LONG, "sandbox")):
            await self._node.act(add_resource_server, _ACTOR, named, self._node.settings.token_prefix, now - 3 * DAY)

    async def _apps(self, stage: Stage) -> None:
        """Have apps registered in the sandbox, and two of them let in by Ada."""
        ada, team = stage.ada, stage.acme
        known = await self._known_client(APP_ID, "Ledger Sync", team, ada)
        await self._known_client(MISLEADING_ID, MISLEADING, team, ada)
        await self._client(ada, team, BIDI, "com.example.pocket:/cb, http://127.0.0.1/cb", "public")
        long = await self._client(ada, team, LONG, f"https://{'a' * 60}.example/{'b' * 300}, http://localhost:3000/cb")
        await stage.access_text(App(known, ""), ada, team)
        await stage.access_text(App(long, ""), ada, team, "team:read members:read clients:write")

    async def _webhooks(self, team: Team) -> None:
        """Have events sent to two programs: one takes most of them, one was switched off."""
        well = await self._webhook(team, "https://hooks.ledger-sync.example.com/keybearer")
        for number, sent in enumerate(_DELIVERIES):
            await self._node.act(webhook_deliveries.add_all, [(self._delivery(well, number, sent), f"event {number}")])
        dead = await self._webhook(team, f"https://{'a' * 60}.example/{'b' * 300}")
        await self._node.act(webhooks.switch_off, dead.webhook_id, self._node.now() - DAY)

    async def _webhook(self, team: Team, url: str) -> Webhook:
        """Add a webhook that nothing in these pictures tells anything."""
        typed = TypedWebhook(url, ["client.secret_rotated", "grant.ended", "member.left"])
        policy = WebhookPolicy(self._node.webhook_key, allows_private=False)
        return (await self._node.act(create_webhook, _ACTOR, team, typed, policy, self._node.now() - 9 * DAY)).webhook

    def _delivery(self, webhook: Webhook, number: int, sent: _Sent) -> Delivery:
        at = self._node.now() - (number + 1) * HOUR
        due_at = self._node.now() + HOUR
        made = (secrets.record_id(at), webhook.webhook_id, sent.event, "{}", "schedule")
        return Delivery(*made, sent.status, sent.attempts, due_at, None, at, at + MINUTE, sent.answered, sent.trouble)

    async def _known_client(self, client_id: str, name: str, team: Team, owner: User) -> Client:
        """Register an app under a client ID that the table of views knows."""
        then = self._node.now() - 2 * DAY
        kind = ("sandbox", name, "confidential", "optional")
        made = Client(client_id, team.team_id, *kind, owner.user_id, None, then, then, None)
        await self._node.act(keep_client, _ACTOR, made, (CALLBACK,), self._node.settings.token_prefix)
        return made

    async def _mailed(self, text: str, purpose: str, user: User, email: str) -> None:
        """Have a link mailed whose secret the table of views knows."""
        now = self._node.now()
        link = MailLink(secrets.digest(text), purpose, user.user_id, email, now, now + LINK_LIVES, None)
        await self._node.act(mail_links.add, link)

    async def _team(self, name: str, environment: str, owner: User) -> Team:
        return await self._node.act(add_team, _ACTOR, NewTeam(name, environment), owner, self._node.now())

    async def _client(self, user: User, team: Team, name: str, uris: str, kind: str = "confidential") -> Client:
        asked = AskedClient(user.user_id, team.team_id, name, uris, kind, "optional")
        prefix = self._node.settings.token_prefix
        made = await self._node.act(register_client, _ACTOR, asked, prefix, self._node.now() - 2 * DAY)
        return made.client

    async def _token(self, user: User, team: Team, token: _Token) -> None:
        policy = TokenPolicy(self._node.settings.token_prefix, token.lives, self._node.role_permissions)
        ticked = tuple(token.scope.split())
        asked = AskedToken(user.user_id, team.team_id, token.name, "", "", "scope" if ticked else "none", ticked)
        await self._node.act(create_personal_token, _ACTOR, asked, policy, self._node.now() - token.age)


async def _appear_elsewhere(tx: Transaction) -> None:
    """Have a node whose only verifier says nothing, so that what is ended takes its time to come to everybody."""
    await verifier_nodes.appear(tx, "elsewhere", 10)
    await verifier_nodes.tell(tx, "elsewhere", Report("", 0, {("an API", "a process"): 0}))


async def fill(server: ServerProcess) -> None:
    """Fill the database of a server that has not been started yet."""
    settings = Settings(data_dir=server.folder / "data", database_url=server.environment["KEYBEARER_DATABASE_URL"])
    async with open_house(settings, clock.now) as house:
        await Gallery(house).fill()


@asynccontextmanager
async def at_desk(chromium: Browser, server: ServerProcess, name: str, team: str) -> AsyncIterator[Page]:
    """
    Have somebody at a browser while the block lasts, signed in.

    Args:
        name: who; '' for nobody.
        team: a word of the team that is made the active one; '' for none.
    """
    context = await chromium.new_context(base_url=server.url, reduced_motion="reduce")
    try:
        page = await context.new_page()
        if name:
            await page.goto("/login?next=/switch-team")
            await page.fill("[name=email]", f"{name.lower()}@example.com")
            await page.fill("[name=password]", PASSWORD)
            await page.press("[name=password]", "Enter")
            await page.wait_for_url("**/switch-team")
        if name and team:
            await page.locator(".team-choice", has_text=team).first.click()
            await page.wait_for_url("**/settings/tokens")
        yield page
    finally:
        await context.close()


class Desks:
    """Who sits at which browser, in which team; everybody signs in once, and has one page for all that they look at."""

    def __init__(self, chromium: Browser, town: ServerProcess, lent: AsyncExitStack) -> None:
        self._chromium = chromium
        self._town = town
        self._lent = lent
        self._taken: dict[tuple[str, str], Page] = {}

    async def page_of(self, name: str, team: str) -> Page:
        """Return the page of somebody who works in the team of which *team* is a word."""
        if (name, team) not in self._taken:
            desk = at_desk(self._chromium, self._town, name, team)
            self._taken[name, team] = await self._lent.enter_async_context(desk)
        return self._taken[name, team]
