"""Attacks A: where browsers are sent, and what stands in the addresses and headers on the way."""

import re
from typing import Any

import pytest

from keybearer.server.store import tables
from tests.support.oauth import CALLBACK, CHALLENGE, PROVEN, Play, brought, refused
from tests.support.page import Page

REGISTERED = "https://a.ex/cb"
LOOPBACK = "http://127.0.0.1/cb"

ELSEWHERE = {
    "A1": (
        "https://a.ex.evil.com/cb",
        "https://a.ex@evil.com/cb",
        "https://evil.com#@a.ex/cb",
        "https://a@b@evil.com",
        "https://a.ex:443@evil/",
        "https://evil.com/?https://a.ex/cb",
        "https://evil.com\\@a.ex/cb",
    ),
    "A2": (
        "https://a.ex/cb/../x",
        "https://a.ex/cb/..;/x",
        "https://a.ex/cb%2f..%2fx",
        "https://a.ex/cb%252f..",
        "https://a.ex/cb/",
        "https://a.ex/cb?x=1",
        "https://a.ex/cb#f",
        "https://a.ex/CB",
        "HTTPS://A.EX/cb",
        "https://a.ex:443/cb",
        "http://a.ex/cb",
        "https://a.ex/cb ",
        " https://a.ex/cb",
        "https://a.ex/cb\t",
        "https://a.ex/cb\0",
        "https://a.ex/cb%00",
        "https://a.ex/cb%0d%0a",
        "https://a.ex/cb\r\nlocation: https://evil.com",
        "https://a.ex/c%62",
    ),
    "A3": (
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://a.ex/1",
        "//evil",
        "\\\\evil",
        "/\\evil",
        "http:evil",
    ),
}
NOT_THAT_LOOPBACK = (
    "http://localhost:1/cb",
    "http://127.0.0.1.evil.com/cb",
    "http://127.0.0.1:1@evil.com/cb",
    "http://[::1]/cb",
    "http://127.1/cb",
    "http://127.0.0.1:0/cb",
    "http://127.0.0.1:65536/cb",
    "http://127.0.0.1:51004/cb?bar=1",
    "http://127.0.0.1:51004/CB",
    "https://127.0.0.1:51004/cb",
)
UNSUPPORTED: tuple[dict[str, Any], ...] = (
    {"response_mode": "fragment"},
    {"response_mode": "web_message"},
    {"response_mode": "form_post.jwt"},
    {"response_type": "token"},
    {"response_type": "id_token"},
    {"response_type": "code token"},
    {"response_type": "CODE"},
)


def stays_here(page: Page) -> bool:
    """Tell whether the answer is a page of ours that says no."""
    return page.status in {400, 422} and not page.location and page.headers["content-type"].startswith("text/html")


async def started(play: Play) -> int:
    return len(await play.rows(tables.authorizations))


@pytest.mark.parametrize("attack", ["A1", "A2", "A3"])
async def test_an_address_that_is_not_the_registered_one_byte_for_byte_is_not_gone_to(play: Play, attack: str) -> None:
    app = await play.scene.app("Exact", play.acme, play.ada, REGISTERED)
    for uri in ELSEWHERE[attack]:
        page = await play.ask(app, redirect_uri=uri)
        assert stays_here(page), uri
        assert "not registered" in page.text, uri
    assert await started(play) == 0


async def test_a3_an_address_that_is_no_site_is_not_registered(play: Play) -> None:
    browser = await play.browser(play.ada)
    before = await play.rows(tables.client_redirect_uris)
    for uri in ELSEWHERE["A3"]:
        await browser.get("/settings/clients/new")
        page = await browser.fill_and_submit("Create API client", name="Odd", redirect_uris=uri, kind="confidential")
        assert page.status == 422, uri
    assert await play.rows(tables.client_redirect_uris) == before


@pytest.mark.parametrize("kind", ["public", "confidential"])
async def test_a4_of_a_loopback_address_only_the_port_may_vary(play: Play, kind: str) -> None:
    app = await play.scene.app("Desktop", play.acme, play.ada, LOOPBACK, kind=kind)
    uri = "http://127.0.0.1:51004/cb"
    assert (await play.ask(app, redirect_uri=uri)).status == 200
    assert (await play.decide("allow")).location.startswith(f"{uri}?code=")
    for uri in NOT_THAT_LOOPBACK:
        assert stays_here(await play.ask(app, redirect_uri=uri)), uri
    assert await started(play) == 1


async def test_a5_an_unknown_client_or_a_repeated_parameter_sends_the_browser_nowhere(play: Play) -> None:
    for client_id in ("nobody0", "", "' OR 1=1 --", "a" * 10_000, "\0\0\0\0", "appé", str(play.ada.user_id)):
        assert stays_here(await play.ask(client_id=client_id)), client_id
    browser = await play.browser(play.ada)
    for name in ("redirect_uri", "client_id", "state", "scope", "response_type", "code_challenge", "unknown"):
        page = await browser.get(f"{play.link(play.app, code_challenge=CHALLENGE)}&{name}=x&{name}=x")
        assert stays_here(page), name
    assert await started(play) == 0


async def test_a5_an_address_of_bytes_that_no_url_has_is_told_so(play: Play) -> None:
    for path in ("/oauth/authorize", "/login", "/oauth/token"):
        scope: dict[str, Any] = {
            "type": "http",
            "method": "POST" if path == "/oauth/token" else "GET",
            "path": path,
            "headers": [],
        }
        scope |= {"query_string": b"client_id=\xff\xfe", "client": ("127.0.0.1", 1), "http_version": "1.1"}
        said: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object], said: list[dict[str, object]] = said) -> None:
            said.append(message)

        await play.house.app(scope, receive, send)  # type: ignore[arg-type]
        assert said[0]["status"] == 400, path


async def test_a6_of_several_addresses_one_must_be_named_and_kept_to(play: Play) -> None:
    app = await play.scene.app("Two doors", play.acme, play.ada, CALLBACK, REGISTERED)
    assert stays_here(await play.ask(app, redirect_uri=None))
    code = await play.code(app)
    before = len((await play.held())["tokens"])
    assert refused(await play.exchange(code, app, redirect_uri=REGISTERED)) == (400, "invalid_grant")
    assert refused(await play.exchange(code, app)) == (400, "invalid_grant")
    assert len((await play.held())["tokens"]) == before


async def test_a7_nobody_is_sent_on_before_they_are_known(play: Play) -> None:
    stranger = play.house.browser()
    for changes in ({"scope": "nonsense"}, {"response_type": "token"}, {"code_challenge": "x"}, {"request": "x"}):
        page = await stranger.get(play.link(play.app, **changes))
        assert page.url.startswith("https://keybearer.test/login?"), changes
    assert stays_here(await stranger.get(play.link(play.app, scope="nonsense", prompt="none")))


async def test_a8_a10_every_answer_goes_by_303_and_names_its_issuer(play: Play) -> None:
    told = [brought(await play.ask(**changes)) for changes in ({"scope": "nonsense"}, {"prompt": "none"}, *UNSUPPORTED)]
    for decision in ("deny", "allow"):
        await play.ask()
        told.append(brought(await play.decide(decision)))  # `brought` demands the 303
    assert {answer["iss"] for answer in told} == {"https://keybearer.test"}


async def test_a9_pages_cannot_be_framed_kept_or_made_to_load_from_elsewhere(play: Play) -> None:
    stranger = play.house.browser()
    pages = [
        await play.ask(),
        await play.ask(redirect_uri="https://evil.com"),
        await stranger.get("/login"),
        await stranger.get("/nowhere"),
        await stranger.get(play.link(play.app, scope="nonsense", prompt="none")),
    ]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy, page.url
        assert "frame-ancestors 'none'" in policy, page.url
        assert re.search(r"form-action 'self'( https://app\.example\.com)?;", policy), page.url
        assert page.headers["x-frame-options"] == "DENY", page.url
        assert page.headers["cache-control"] == "no-store", page.url
        assert page.headers["cross-origin-opener-policy"] == "same-origin", page.url
        assert page.headers["referrer-policy"] in {"no-referrer", "same-origin"}, page.url
        loaded = re.findall(r'<(?:script|img|link|iframe)[^>]*(?:src|href)="([^"]*)"', page.html)
        assert loaded, page.url
        assert all(address.startswith("/static/") for address in loaded), page.url


async def test_a11_only_a_code_in_the_query_is_given(play: Play) -> None:
    before = await play.held()
    for changes in UNSUPPORTED:
        assert brought(await play.ask(**changes))["error"] == "unsupported_response_type", changes
    assert await play.held() == before
    assert await started(play) == 0


async def test_a12_a_state_comes_back_whole_or_not_at_all(play: Play) -> None:
    for state in (
        "a\r\nset-cookie: x=1",
        "</script><script>alert(1)</script>",
        '"><img src=x>',
        "\u2028é+ %2B",
    ):
        page = await play.ask(state=state)
        assert state not in page.html, state
        answer = await play.decide("deny")
        assert brought(answer)["state"] == state
        assert answer.location.isascii(), state
    assert brought(await play.ask(prompt="none", state="x" * 2048))["state"] == "x" * 2048
    for state in ("x" * 2049, "é" * 1025, "x" * 60_000, "a\0b"):
        assert stays_here(await play.ask(state=state)), state[:20]


async def test_a13_nothing_is_fetched_because_a_browser_says_so(play: Play) -> None:
    assert brought(await play.ask(request="eyJhbGciOiJub25lIn0.e30."))["error"] == "request_not_supported"
    told = brought(await play.ask(request_uri="http://169.254.169.254/latest"))
    assert told["error"] == "request_uri_not_supported"


async def test_a_request_by_post_is_no_request(play: Play) -> None:
    """Our own consent form alone is posted here, and it carries no parameters of a request."""
    browser = await play.browser(play.ada)
    fields = {"client_id": play.app.client.client_id, "response_type": "code", "decision": "allow", **PROVEN}
    before = await play.held()
    page = await browser.post("/oauth/authorize", list(fields.items()))
    assert stays_here(page)
    assert await play.held() == before
