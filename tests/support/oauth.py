"""An app and its users for tests of OAuth in the house: asking, deciding, trading codes and refresh tokens."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from sqlalchemy import Table, select

from keybearer.server import secrets
from keybearer.server.clock import DAY
from keybearer.server.records import Session, Team, User
from keybearer.server.store import sessions, tables
from keybearer.wire.activity import CALL
from tests.support.browser import Browser
from tests.support.house import House
from tests.support.page import Page
from tests.support.scenes import App, Scene

CALLBACK: Final = "https://app.example.com/cb"
# RFC 7636, Appendix B.
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
PROVEN: Final[dict[str, Any]] = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}

# What the server records beside the requests, sooner or later.
_BESIDE: Final = frozenset(
    {CALL, *(f"{what}.{word}" for what in ("token", "grant") for word in ("expiring", "expired"))}
)
# Everything that a refused request must leave as it was.
_PLACE: Final = frozenset({"log_id", "log_index"})
_TELLING: Final = (tables.grants, tables.families, tables.codes, tables.tokens, tables.feed, tables.activity_records)

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Play:
    """
    Ada owns Acme (sandbox), reads in Birch (sandbox) and is a member of Works (live); Bob owns Birch and Works.

    Acme has two apps: ``app`` with a secret, ``public`` without.
    """

    house: House
    scene: Scene
    ada: User
    bob: User
    acme: Team
    birch: Team
    works: Team
    app: App
    public: App
    browsers: dict[int, Browser] = field(default_factory=dict)

    async def browser(self, user: User) -> Browser:
        """Return the browser in which this user is signed in; the sign-in itself is tested elsewhere."""
        if user.user_id not in self.browsers:
            cookie, fresh = secrets.random_secret(), self.house.browser()
            await self.house.node.act(sessions.add, self._session(user), secrets.digest(cookie))
            fresh.client.cookies.set("__Host-kb_session", cookie)
            self.browsers[user.user_id] = fresh
        return self.browsers[user.user_id]

    def _session(self, user: User) -> Session:
        now = self.house.node.now()
        return Session(
            secrets.record_id(now), user.user_id, None, "a browser", "127.0.0.1", now, now, now, now + 14 * DAY, None
        )

    def link(self, app: App, **changes: str | None) -> str:
        """Return the app's link to the consent page; None leaves a parameter out."""
        asked: dict[str, str | None] = {
            "client_id": app.client.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "state": "s1",
        }
        asked |= PROVEN if app.client.pkce == "required" else {}
        asked |= changes
        return f"/oauth/authorize?{urlencode({name: value for name, value in asked.items() if value is not None})}"

    async def ask(self, app: App | None = None, user: User | None = None, **changes: str | None) -> Page:
        """Have the user (Ada) follow the app's link."""
        return await (await self.browser(user or self.ada)).get(self.link(app or self.app, **changes))

    async def decide(self, decision: str, user: User | None = None, team: Team | None = None) -> Page:
        """Have the user press a button of the page before them."""
        chosen = {"team": str(team.team_id)} if team else {}
        return await (await self.browser(user or self.ada)).fill_and_submit(f"decision={decision}", **chosen)

    async def code(
        self, app: App | None = None, user: User | None = None, team: Team | None = None, **changes: str | None
    ) -> str:
        """Have the user let the app in; return the code that it is brought."""
        page = await self.ask(app, user, **changes)
        assert page.status == 200, page.text
        return brought(await self.decide("allow", user, team))["code"]

    async def post(self, path: str, app: App | None = None, **form: str | None) -> httpx2.Response:
        """Post a form with the app's credentials in it; None leaves a field out."""
        app = app or self.app
        fields: dict[str, str | None] = {"client_id": app.client.client_id, "client_secret": app.secret or None}
        fields |= form
        return await self.house.program().post(
            path, data={name: value for name, value in fields.items() if value is not None}
        )

    async def exchange(self, code: str, app: App | None = None, **form: str | None) -> httpx2.Response:
        """Trade a code for tokens."""
        app = app or self.app
        fields: dict[str, str | None] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        fields |= {"code_verifier": VERIFIER} if app.client.pkce == "required" else {}
        return await self.post("/oauth/token", app, **(fields | form))

    async def refresh(self, text: str, app: App | None = None, **form: str | None) -> httpx2.Response:
        """Trade a refresh token for new tokens."""
        fields: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": text}
        return await self.post("/oauth/token", app, **(fields | form))

    async def pair(
        self, app: App | None = None, user: User | None = None, team: Team | None = None, **changes: str | None
    ) -> dict[str, Any]:
        """Have the app let in, and trade its code; return the answer."""
        answer = await self.exchange(await self.code(app, user, team, **changes), app)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def status(self, token: str) -> int:
        """Return what the API says to the bearer of a token: 204 while it works, 401 once it does not."""
        return (await self.house.api(token).get("/api/v2/status")).status_code

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        """Return all rows of a table but what comes a moment later: records of calls and ends, and places in a log."""
        columns = [column for column in table.columns if column.name not in _PLACE]
        found = await self.house.node.database.many(select(*columns).order_by(*table.primary_key.columns))
        return [dict(row) for row in found if table is not tables.activity_records or row["action"] not in _BESIDE]

    async def held(self) -> Rows:
        """Return every row that tells who may do what; compare before and after what must change nothing."""
        return {table.name: await self.rows(table) for table in _TELLING}

    async def actions(self) -> list[tuple[str, str]]:
        """Return what the activity log tells, in its order: action and outcome."""
        return [(row["action"], row["outcome"]) for row in await self.rows(tables.activity_records)]


async def set_play(house: House) -> Play:
    """Put everybody in their place."""
    scene = Scene(house.node)
    ada, bob = [await scene.person(name) for name in ("Ada", "Bob")]
    acme = await scene.team("Acme", owner=ada)
    birch = await scene.team("Birch", owner=bob, read_only=ada)
    works = await scene.team("Works", environment="live", owner=bob, member=ada)
    app = await scene.app("Ledger Sync", acme, ada, CALLBACK)
    public = await scene.app("Pocket Ledger", acme, ada, CALLBACK, kind="public")
    return Play(house, scene, ada, bob, acme, birch, works, app, public)


def brought(page: Page) -> dict[str, str]:
    """Return the parameters with which a browser is sent to the app, each of which is there once."""
    assert page.status == 303, (page.status, page.text)
    assert page.location.startswith(CALLBACK), page.location
    parameters = parse_qs(urlsplit(page.location).query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in parameters.values()), page.location
    return {name: values[0] for name, values in parameters.items()}


def refused(answer: httpx2.Response) -> tuple[int, str]:
    """Return an endpoint's status and OAuth's word for what is wrong; the answer's shape is checked on the way."""
    body = answer.json()
    assert set(body) == {"error", "error_description"}, body
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, body["error"]
