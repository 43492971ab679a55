"""A1 to A4 where apps are registered: an unfit redirect URI is refused, named, shown harmlessly, and nowhere kept."""

import pytest

from keybearer.server.store import clients as client_rows
from keybearer.server.store.tables import (
    activity_records,
    client_redirect_uris,
    client_secrets,
    clients,
    feed,
    feed_pending,
)
from tests.attacks.redirect_uris import UNFIT
from tests.support.api import Stage
from tests.support.client_pages import at_the_desk, count
from tests.support.elements import read_html
from tests.support.page import Page
from tests.support.people import CALLBACK, Person

CHANGED = (clients, client_redirect_uris, client_secrets, activity_records, feed, feed_pending)


@pytest.fixture
async def ada(stage: Stage) -> Person:
    """Have Ada signed in; Acme, which she owns, is in the sandbox."""
    return await at_the_desk(stage, "Ada")


def is_harmless(page: Page) -> bool:
    """Tell whether nothing on the page leads to, or runs, what was typed: it is text, and only text."""
    top = read_html(page.html)
    addresses = [one.get(name) for one in top.every("a", "form", "img", "link") for name in ("href", "action", "src")]
    return all(address == "" or (address.startswith(("/", "#")) and "evil" not in address) for address in addresses)


@pytest.mark.parametrize("kind", ["confidential", "public"])
@pytest.mark.parametrize("attack", UNFIT)
async def test_it_is_refused_at_registration(stage: Stage, ada: Person, attack: str, kind: str) -> None:
    before = await count(stage, *CHANGED)
    for uri in UNFIT[attack]:
        fields = [("name", "Ledger Sync"), ("redirect_uris", uri), ("kind", kind)]
        page = await ada.browser.post("/settings/clients/new", fields)
        assert page.status == 422, uri
        assert 'id="error-redirect_uris"' in page.html, uri
        assert is_harmless(page), uri
        assert page.shown == {}, uri
    assert await count(stage, *CHANGED) == before


@pytest.mark.parametrize("attack", UNFIT)
async def test_it_is_refused_beside_good_ones_where_an_app_is_changed(stage: Stage, ada: Person, attack: str) -> None:
    app = await ada.register("Ledger Sync")
    before = await count(stage, *CHANGED)
    for uri in UNFIT[attack]:
        fields = [("name", "Ledger Sync"), ("redirect_uris", f"{CALLBACK}\n{uri}\nhttps://b.example/cb")]
        page = await ada.browser.post(f"/settings/clients/{app.client_id}", fields)
        assert page.status == 422, uri
        assert is_harmless(page), uri
    assert await count(stage, *CHANGED) == before
    assert await stage.house.node.view(client_rows.redirect_uris, app.client_id) == (CALLBACK,)


async def test_g5_markup_and_template_text_in_a_name_is_text(stage: Stage, ada: Person) -> None:
    name = "<img src=x onerror=alert(1)>{{7*7}}"
    app = await ada.register(name)
    for path in (
        "/settings/clients",
        f"/settings/clients/{app.client_id}",
        f"/settings/clients/{app.client_id}/delete",
    ):
        page = await ada.browser.get(path)
        assert name in page.text
        assert [img for img in read_html(page.html).every("img") if img.get("src") == "x"] == []
    page = await ada.browser.post(f"/settings/clients/{app.client_id}/delete", [("confirm", "yes")])
    assert f"{name} is deleted." in page.text
    assert await count(stage, client_secrets) == [1]
