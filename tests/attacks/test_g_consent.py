"""Attacks G, as far as consent goes: forged, stolen, repeated and changed decisions, and names that mislead."""

from dataclasses import replace
from typing import Any

import pytest

from keybearer.server.actions.update_client import ClientChange, update_client
from keybearer.server.activities import Actor
from keybearer.server.store import tables
from tests.support.clock import HandClock
from tests.support.oauth import CALLBACK, Play, brought
from tests.support.page import Page

NAMES = (
    "<img src=x onerror=alert(1)>",
    "{{7*7}}{% raw %}",
    '"><script>alert(1)</script>',
    "' onmouseover='x",
    "&lt;b&gt;",
)


def fields_of(page: Page, decision: str = "allow", **changes: str) -> list[tuple[str, str]]:
    """Return what the page's form would post, changed by somebody."""
    form, _ = page.button(f"decision={decision}")
    return list((dict(form.values) | {"decision": decision} | changes).items())


async def test_g1_a_decision_without_its_page_or_from_another_site_decides_nothing(play: Play) -> None:
    browser = await play.browser(play.ada)
    good = fields_of(await play.ask())
    before = await play.held()
    for made_up in ("", "x", "0" * 32, "a" * 5_000):
        page = await browser.post("/oauth/authorize", [(n, made_up if n == "request" else v) for n, v in good])
        assert (page.status, page.location) == (403, ""), made_up
    without = await browser.post("/oauth/authorize", [pair for pair in good if pair[0] != "request"])
    assert (without.status, without.location) == (400, "")
    assert (await browser.post("/oauth/authorize", good, site="cross-site")).status == 403
    assert (await browser.post("/oauth/authorize", good, site="same-site")).status == 403
    assert await play.held() == before
    assert brought(await browser.post("/oauth/authorize", good))["code"]


@pytest.mark.parametrize("first", ["allow", "deny"])
async def test_g1_a_decision_counts_once(play: Play, first: str) -> None:
    browser = await play.browser(play.ada)
    page = await play.ask()
    await browser.post("/oauth/authorize", fields_of(page, first))
    before = await play.held()
    for again in ("allow", "deny"):
        assert (await browser.post("/oauth/authorize", fields_of(page, again))).status == 403
    assert await play.held() == before


async def test_g2_a_page_that_one_person_was_shown_is_nothing_to_another(play: Play) -> None:
    fields = fields_of(await play.ask())
    before = await play.held()
    thief = await play.browser(play.bob)
    page = await thief.post("/oauth/authorize", fields)
    assert (page.status, page.location) == (403, "")
    stranger = play.house.browser()
    assert (await stranger.post("/oauth/authorize", fields)).status == 403
    assert await play.held() == before


async def test_g3_what_was_asked_is_what_is_granted_and_a_form_that_says_more_is_refused(play: Play) -> None:
    browser = await play.browser(play.ada)
    page = await play.ask(scope="team:read", state="mine")
    changes = {
        "scope": "team:manage",
        "redirect_uri": "https://evil.com/cb",
        "client_id": play.public.client.client_id,
        "state": "yours",
        "user_id": str(play.bob.user_id),
    }
    refused = await browser.post("/oauth/authorize", fields_of(page, **changes))
    assert (refused.status, refused.location) == (422, "")
    assert "no field “redirect_uri”" in refused.text
    told = brought(await browser.post("/oauth/authorize", fields_of(page)))
    assert told["state"] == "mine"
    pair = (await play.exchange(told["code"])).json()
    assert pair["scope"] == "team:read"
    shown = (await play.house.api(pair["access_token"]).get("/api/v2/token")).json()
    assert shown["user"]["id"] == play.ada.user_id


async def test_g3_only_a_team_of_ones_own_in_the_apps_environment_can_be_chosen(play: Play) -> None:
    browser = await play.browser(play.ada)
    foreign = await play.scene.team("Foreign", owner=play.bob)
    before = await play.held()
    for team in (str(foreign.team_id), str(play.works.team_id), "999999999"):
        page = await browser.post("/oauth/authorize", fields_of(await play.ask(), team=team))
        assert (page.status, page.location) == (403, ""), team
    for team in ("", "x", "-1", "1e3", "٣", "9" * 30, "0x1"):
        page = await browser.post("/oauth/authorize", fields_of(await play.ask(), team=team))
        assert (page.status, page.location) == (400, ""), team
    for decision in ("", "Allow", "yes"):
        page = await browser.post("/oauth/authorize", [*fields_of(await play.ask())[:-1], ("decision", decision)])
        assert (page.status, page.location) == (400, ""), decision
    both = await browser.post("/oauth/authorize", [*fields_of(await play.ask()), ("decision", "deny")])
    assert (both.status, both.location) == (400, "")
    assert await play.held() == before


async def test_g3_a_team_in_which_ones_time_is_over_meanwhile_cannot_be_opened(play: Play, clock: HandClock) -> None:
    await play.scene.member(play.birch, play.ada, "assumed")  # until tomorrow
    clock.advance(days=1, seconds=-1)
    page = await play.ask()
    fields = fields_of(page, team=str(play.birch.team_id))
    clock.advance(seconds=1)
    before = await play.held()
    answer = await (await play.browser(play.ada)).post("/oauth/authorize", fields)
    assert (answer.status, answer.location) == (403, "")
    assert await play.held() == before


@pytest.mark.parametrize("decision", ["allow", "deny"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"redirect_uris": "https://app.example.com/new"}, id="its address was taken away"),
        pytest.param({"pkce": "required"}, id="PKCE is demanded"),
    ],
)
async def test_g3_an_app_that_was_changed_meanwhile_is_sent_nothing(
    play: Play, decision: str, change: dict[str, Any]
) -> None:
    """Whoever has lost a host takes its address out of the app; a page that was open then sends no code there."""
    page = await play.ask()
    client = play.app.client
    changed = replace(ClientChange(client.team_id, client.name, CALLBACK, None), **change)
    node = play.house.node
    await node.act(update_client, Actor("test", "127.0.0.1", play.ada.user_id), client.client_id, changed, node.now())
    before = await play.held()
    answer = await (await play.browser(play.ada)).post("/oauth/authorize", fields_of(page, decision))
    assert (answer.status, answer.location) == (400, "")
    assert "was changed in the meantime" in answer.text
    assert await play.held() == before


async def test_g4_an_app_is_never_let_in_without_being_asked_about(play: Play) -> None:
    for app in (play.public, play.app):
        await play.pair(app)
        page = await play.ask(app)
        assert page.status == 200
        page.button("decision=allow")
        assert brought(await play.ask(app, prompt="none"))["error"] == "consent_required"


async def test_g5_names_are_text_whatever_is_in_them(play: Play) -> None:
    for number, name in enumerate(NAMES):
        app = await play.scene.app(name, play.acme, play.ada, CALLBACK)
        page = await play.ask(app)
        assert f"{name} asks to act as you" in page.text, number
        assert "{" in name or name not in page.html, number
        assert page.html.count("<bdi>") >= 4, number


async def test_g5_names_that_cannot_be_seen_or_do_not_end_are_not_taken(play: Play) -> None:
    browser = await play.browser(play.ada)
    before = await play.rows(tables.clients)
    for name in ("\u202egnikaerb", "a\u200bb", "a" * 10_000, "\u2066x", "  "):
        await browser.get("/settings/clients/new")
        page = await browser.fill_and_submit(
            "Create API client", name=name, redirect_uris=CALLBACK, kind="confidential"
        )
        assert page.status == 422, name[:20]
    assert await play.rows(tables.clients) == before


@pytest.mark.parametrize(
    ("name", "is_flagged"),
    [("Ledger Sync 2", False), ("Keybearer Security", True), ("Lеdger Sync", True)],  # noqa: RUF001 - a Cyrillic letter
)
async def test_g5_a_name_that_could_be_anothers_is_flagged(play: Play, name: str, is_flagged: bool) -> None:
    page = await play.ask(await play.scene.app(name, play.acme, play.ada, CALLBACK))
    assert ("Names can mislead." in page.text) is is_flagged
    assert "your browser then goes to app.example.com" in page.text


async def test_e12_no_token_can_approve_a_consent(play: Play) -> None:
    pair = await play.pair()
    personal = await play.scene.personal_token(play.ada, play.acme)
    fields = fields_of(await play.ask())
    before = await play.held()
    for token in (pair["access_token"], personal):
        answer = await play.house.api(token).post("/oauth/authorize", data=dict(fields))
        assert answer.status_code == 403
        answer = await play.house.api(token).get(play.link(play.app))
        assert answer.headers["location"].startswith("/login?")
    assert await play.held() == before
