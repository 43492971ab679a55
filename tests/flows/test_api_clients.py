"""API clients on their pages: registered, listed, changed and deleted."""

import pytest

from tests.support.api import Stage, set_stage
from tests.support.client_pages import at_the_desk
from tests.support.house import House
from tests.support.people import CALLBACK, Person


@pytest.fixture
async def stage(house: House) -> Stage:
    return await set_stage(house)


@pytest.fixture
async def ada(stage: Stage) -> Person:
    """Have Ada signed in; she owns Acme (sandbox) and is a member of Works (live)."""
    return await at_the_desk(stage, "Ada")


async def test_an_app_is_registered_and_its_page_tells_all_about_it(ada: Person) -> None:
    page = await ada.browser.get("/settings/clients")
    assert "No API clients yet" in page.text
    await ada.browser.follow("Create API client")
    page = await ada.browser.fill_and_submit(
        "Create API client",
        name="Ledger Sync",
        redirect_uris=f"{CALLBACK}, https://b.example/cb\nhttp://localhost:1/cb",
    )
    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    client_id = page.shown["client-id"]
    assert page.shown["client-secret"].startswith("kb_ocs_test_")
    places = (CALLBACK, "https://b.example/cb", "http://localhost:1/cb")
    page = await ada.browser.get("/settings/clients")
    assert [said in page.text for said in ("Ledger Sync", client_id, *places)] == [True] * 5
    page = await ada.browser.follow("Ledger Sync")
    assert page.shown == {"client-id": client_id}
    said = (*places, "just now by Ada", "0 users", "Confidential", "We advise PKCE")
    assert [each for each in said if each not in page.text] == []
