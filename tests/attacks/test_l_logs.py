"""L1, L2, I7: secrets of every kind, sent where they do not belong, are nowhere to be found afterwards."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import asyncpg
import httpx2
import pytest
from starlette.routing import Route

from keybearer.server.http.intake import MAX_HEADER_BYTES
from tests.support.house import House
from tests.support.people import CALLBACK, PASSWORD, Person, at_browser, told
from tests.support.processes import ServerProcess, running, scraped_server
from tests.support.scraped import scrape_process
from tests.support.waiting import until

VERIFIER = "canary-verifier-" + "v" * 40
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
WRONG_PLACES = ("authorization", "cookie", "user-agent", "referer", "origin", "x-api-key", "content-type", "accept")


@dataclass(slots=True)
class Secrets:
    """One secret of each kind, by its kind; each was good when it was collected."""

    held: dict[str, str] = field(default_factory=dict)

    def found_in(self, text: str) -> set[str]:
        """Return the kinds of the secrets that *text* holds, as they are or percent-encoded."""
        return {kind for kind, text_of in self.held.items() if text_of in text or quote(text_of, safe="") in text}


async def collected(person: Person, server: ServerProcess) -> Secrets:
    """Let a person and an app do all they can, and keep what must never be kept."""
    await person.sign_in()
    held = {"password": PASSWORD, "verifier": VERIFIER, "personal token": await person.make_token("Reports")}
    held["session"] = (
        next(cookie.value for cookie in person.browser.client.cookies.jar if "session" in cookie.name) or ""
    )
    app = await person.register("Reader")
    held["client secret"] = app.secret
    query = {
        "client_id": app.client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    landed = await person.consent(f"/oauth/authorize?{urlencode(query)}")
    (held["code"],) = parse_qs(urlsplit(landed).query)["code"]
    form = {"grant_type": "authorization_code", "code": held["code"], "redirect_uri": CALLBACK}
    form |= {"client_id": app.client_id, "client_secret": app.secret, "code_verifier": VERIFIER}
    pair = httpx2.post(f"{server.url}/oauth/token", data=form).json()
    held |= {"access token": pair["access_token"], "refresh token": pair["refresh_token"]}
    await person.browser.get("/team/webhooks/new")
    page = await person.browser.fill_and_submit("Add webhook", url="https://hooks.example/", events=["member.left"])
    held["signing secret"] = page.shown["webhook-secret"]
    assert all(held.values())
    return Secrets(held)


def paths(house: House) -> list[tuple[str, list[str]]]:
    """List every route's path with its methods; the bare doors take any."""
    routes = [route for route in house.app.router.routes if isinstance(route, Route)]
    return [(route.path, sorted(route.methods or {"GET", "POST"})) for route in routes]


async def push(client: httpx2.AsyncClient, path: str, methods: list[str], secret: str) -> list[httpx2.Response]:
    """Send *secret* to one route in every place where it does not belong."""
    escaped = quote(secret, safe="")
    address = re.sub(r"\{\w+\}", escaped, path)
    typed = dict.fromkeys(("email", "next", "token", "code", "access_token", "team", "state", "client_id"), secret)
    bodies = [
        ("application/x-www-form-urlencoded", urlencode(typed).encode()),
        ("application/json", json.dumps({"email": secret, "token": secret, secret: secret}).encode()),
    ]
    asking = f"{address}?access_token={escaped}&next=/{escaped}"
    answers = [await client.request(methods[0], asking, headers=dict.fromkeys(WRONG_PLACES, secret))]
    for method in {"POST", "PATCH"} & set(methods):
        answers += [
            await client.request(method, address, content=body, headers={"content-type": content_type})
            for content_type, body in bodies
        ]
    return answers


async def stored(url: str, folder: Path) -> str:
    """Return all that the database holds, as text: the file and its log beside it, or every row of every table."""
    if url.startswith("sqlite:"):
        return b"".join(file.read_bytes() for file in folder.glob("keybearer.db*")).decode("latin-1")
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [await connection.fetch(f'SELECT t::text FROM "{table[0]}" t') for table in tables]  # noqa: S608
        return "\n".join(row[0] for found in rows for row in found)
    finally:
        await connection.close()


@pytest.fixture
def scraped(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """Run a server that answers its metrics, too, on each database."""
    with running(scraped_server(tmp_path, database_url)) as server:
        yield server


async def test_no_secret_is_found_in_the_log_the_metrics_the_database_or_anybodys_answer(
    scraped: ServerProcess, database_url: str, house: House, tmp_path: Path
) -> None:
    server = scraped
    told(server, "user", "add", "ada@example.com", "--name", "Ada", "--password-stdin", "--verified", stdin=PASSWORD)
    told(server, "team", "add", "Acme", "--environment", "sandbox", "--owner", "ada@example.com")
    async with at_browser(server, "ada") as ada, httpx2.AsyncClient(base_url=server.url, timeout=60) as stranger:
        secrets = await collected(ada, server)
        assert len(secrets.held) == 9
        for kind, secret in secrets.held.items():
            for path, methods in paths(house):
                for answer in await push(stranger, path, methods, secret):
                    is_asked_by_gateways = path.startswith("/forward-auth")  # 503: these have no gateway's key
                    assert answer.status_code < 500 or is_asked_by_gateways, (kind, path)
                    assert secrets.found_in(answer.text + str(answer.headers)) <= {kind}, (kind, path)
    metrics = scrape_process(server)
    assert server.stop() == 0
    assert secrets.found_in(metrics.text) == set()
    assert {route for name, labels in metrics.samples for label, route in labels if label == "route"} <= {
        "unmatched",
        *(path for path, _ in paths(house)),
    }
    assert secrets.found_in(server.log) == set()
    assert secrets.found_in(await stored(database_url, tmp_path)) == set()
    assert [line for line in server.log.splitlines() if not isinstance(json.loads(line), dict)] == []


async def test_every_request_leaves_one_line_that_says_who_and_what(server: ServerProcess) -> None:
    told(server, "user", "add", "ada@example.com", "--name", "Ada", "--password-stdin", "--verified", stdin=PASSWORD)
    told(server, "team", "add", "Acme", "--environment", "sandbox", "--owner", "ada@example.com")
    async with at_browser(server, "ada") as ada:
        await ada.sign_in()
        token = await ada.make_token("Reports")
    headers = {"authorization": f"Bearer {token}"}
    answer = await asyncio.to_thread(httpx2.get, f"{server.url}/api/v2/teams/1/members?page=1", headers=headers)
    wanted = answer.headers["x-request-id"]
    await until(lambda: wanted in server.log)  # the line follows the answer
    (line,) = [json.loads(line) for line in server.log.splitlines() if wanted in line]
    assert line.pop("duration_ms") > 0
    assert line.pop("timestamp")
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": answer.headers["x-request-id"],
        "method": "GET",
        "route": "/api/v2/teams/{team_id}/members",
        "status": 200,
        "address": "127.0.0.1",
        "user": 1,
        "team": 1,
        "token_last4": token[-4:],
    }


# What a terminal, a line-based reader or a naive parser of logs could be made to misread.
BREAKOUTS = [
    "a%0d%0aHTTP/1.1",
    "%1b[31m%1b]0;x%07",
    "\u2028\u2029\u0085",
    '","user":1,"x":"',
    "${jndi:ldap://x}",
    "%00%08%7f",
    "\u202e\u2066",
]


async def test_whatever_is_sent_stays_on_one_line(server: ServerProcess) -> None:
    async with httpx2.AsyncClient(base_url=server.url) as client:
        for breakout in BREAKOUTS:
            raw = quote(breakout, safe="%")
            sent = {b"user-agent": breakout.encode(), b"x-forwarded-for": breakout.encode(), b"x-request-id": b"mine"}
            answer = await client.get(f"/settings/apps/{raw}/revoke?{raw}", headers=sent)
            assert answer.headers["x-request-id"] != "mine"
            await client.post("/oauth/token", data={breakout: breakout, "grant_type": breakout})
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log.encode().split(b"\n") if line]
    requests = [line for line in lines if line["event"] == "request" and line["route"] != "/readyz"]
    assert len(requests) == 2 * len(BREAKOUTS)
    assert {line["address"] for line in requests} == {"127.0.0.1"}
    assert {line["route"] for line in requests} <= {"/settings/apps/{grant_id}/revoke", "/oauth/token", "unmatched"}
    assert {line.get("user") for line in requests} == {None}


def test_a_log_line_is_masked_whatever_wrote_it() -> None:
    from keybearer.cli.logs import mask_tokens  # noqa: PLC0415
    from keybearer.wire.token_text import KINDS, compose  # noqa: PLC0415

    for kind in KINDS:
        text = compose("acme1", kind, "live", "a" * 32)
        assert mask_tokens(f"failed: {text}!".encode()) == f"failed: acme1_{kind}_live_...{text[-4:]}!".encode()
    assert mask_tokens(b"x" * MAX_HEADER_BYTES) == b"x" * MAX_HEADER_BYTES
