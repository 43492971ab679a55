"""
Class F on the pages: no page shows or changes a team for whoever is not in it.

The routes come from the application itself, so a new page is in the matrix without anybody thinking of it.
"""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from starlette.routing import Route

from keybearer.server.actions.set_operator import set_operator
from keybearer.server.activities import Actor
from tests.support.browser import Browser
from tests.support.house import House
from tests.support.page import Page
from tests.support.standings import CANARY, NO_TEAM, OTHER, OUTSIDE, OWN, READ_ONLY, Scenery, never, set_scenery

pytestmark = pytest.mark.timeout(300)

# They act on the session alone, which the matrix needs.
OF_THE_SESSION: Final = frozenset({"/login", "/logout"})
UNKNOWN: Final = re.compile("This form has no field “(.*?)”")
# What makes some form do something, and what must never be taken from a form.
FIELDS: Final = (
    ("confirm", "yes"),
    ("name", "Taken over"),
    ("email", "bob@example.com"),
    ("contact", "taken@example.com"),
    ("role", "owner"),
    ("redirect_uris", "https://taken.example.com/cb"),
    ("kind", "confidential"),
    ("decision", "allow"),
    ("user_id", "1"),
    ("owner", "yes"),
    ("environment", "live"),
    ("is_admin", "true"),
    ("verified_at", "1"),
)


@pytest.fixture
async def scenery(house: House) -> Scenery:
    return await set_scenery(house)


def pages(house: House) -> Iterator[tuple[str, str]]:
    """Return method and path of every page's door."""
    for route in house.app.routes:
        if not isinstance(route, Route):  # the shortcut to the routes behind it
            continue
        module = route.endpoint.__module__
        is_page = module.startswith("keybearer.server.pages.") and not module.endswith((".static", ".docs"))
        if is_page and route.path not in OF_THE_SESSION:
            yield from ((method, route.path) for method in sorted((route.methods or set()) - {"HEAD"}))


def tries(scenery: Scenery) -> Iterator[tuple[str, str, str, list[tuple[str, str]]]]:
    """Return each page's method, path filled with each foreign id, the same with nobody's id, and what is posted."""
    team = ("team", scenery.ids["team"])
    for method, path in pages(scenery.house):
        kinds = scenery.ids if "{" in path else {"": ""}
        for kind, one in kinds.items():
            found, missing = [re.sub(r"\{\w+\}", each, path) for each in (one, never(kind, one) if kind else "")]
            if method == "GET":
                yield method, f"{found}?team={team[1]}&id={one}&page=1", f"{missing}?team={team[1]}&id={one}&page=1", []
            else:
                yield method, found, missing, list(FIELDS)
                yield method, found, missing, [*FIELDS, team]


async def opened(browser: Browser, method: str, address: str, fields: list[tuple[str, str]]) -> Page:
    """Open a page, or post to it; a form that says which fields it does not have is posted again without them."""
    if method == "GET":
        return await browser.get(address)
    page = await browser.post(address, fields)
    others = set(UNKNOWN.findall(page.text))
    if not others:
        return page
    assert page.status == 422, (address, page.status)
    return await browser.post(address, [(name, value) for name, value in fields if name not in others])


def seen(page: Page) -> str:
    """Return what the page says, without ids and what differs from one request to the next."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", page.text)


@pytest.mark.parametrize("standing", [*OUTSIDE, READ_ONLY])
async def test_f1_f2_f9_no_page_shows_or_changes_a_team_for_whoever_is_not_in_it(
    scenery: Scenery, standing: str
) -> None:
    browser = await scenery.stage.at_browser(scenery.mallory)
    await scenery.stand(standing)
    before = await scenery.rows()
    for method, address, _, fields in tries(scenery):
        page = await opened(browser, method, address, fields)
        assert page.status < 500, (method, address, page.text)
        if standing in OUTSIDE:
            assert CANARY.lower() not in page.html.lower(), (method, address)
        if standing == READ_ONLY and address == "/team/leave":
            await scenery.stand(standing)
    assert await scenery.rows() == before
    place = await scenery.stage.place_of(scenery.target, scenery.mallory)
    assert place.role == {OTHER: None, NO_TEAM: None, READ_ONLY: "read-only"}.get(standing, "owner")


async def test_f1_on_every_page_anothers_id_is_answered_like_nobodys(scenery: Scenery) -> None:
    browser = await scenery.stage.at_browser(scenery.mallory)
    await scenery.stand(OTHER)
    compared = 0
    for method, address, missing_address, fields in tries(scenery):
        if address == missing_address:
            continue
        found = await opened(browser, method, address, fields)
        missing = await opened(browser, method, missing_address, fields)
        assert (found.status, seen(found)) == (missing.status, seen(missing)), (method, address)
        assert found.status in {404, 409}, (method, address, found.status)
        compared += 1
    assert compared > 50


async def test_f9_no_form_passes_over_a_field_that_it_does_not_have(scenery: Scenery) -> None:
    node = scenery.house.node
    olga = scenery.stage.ada  # who owns all of it
    await node.act(set_operator, Actor("a test", "127.0.0.1"), olga.user_id, node.now(), is_operator=True)
    browser = await scenery.stage.at_browser(olga)
    doors = {path for method, path in pages(scenery.house) if method == "POST"}
    assert len(doors) > 30
    before = await scenery.rows()
    for path in [*sorted(doors), *OF_THE_SESSION]:
        told = set()
        for one in scenery.ids.values() if "{" in path else [""]:
            page = await browser.post(re.sub(r"\{\w+\}", one, path), [("is_admin", "true"), ("user_id", "1")])
            told |= {page.status, *UNKNOWN.findall(page.text)}
        assert {422, "is_admin", "user_id"} <= told <= {404, 422, "is_admin", "user_id"}, (path, told)
    assert await scenery.rows() == before


async def test_the_matrix_would_notice_for_an_admin_sees_and_changes_all_of_it(scenery: Scenery) -> None:
    browser = await scenery.stage.at_browser(scenery.mallory)
    await scenery.stand(OWN)
    before = await scenery.rows()
    shown = set()
    for method, address, _, fields in tries(scenery):
        if address != "/team/leave":
            page = await opened(browser, method, address, fields)
            shown |= {address.split("?")[0]} if CANARY in page.html and page.status == 200 else set()
    assert {"/team", "/team/members", "/settings/clients"} <= shown
    after = await scenery.rows()
    assert {name for name in before if before[name] != after[name]} >= {"teams", "memberships", "clients", "grants"}
