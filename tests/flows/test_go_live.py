"""Going live: a sandbox app's twin in one of the user's live teams, and nothing else that crosses over."""

import asyncio

import pytest

from keybearer.server.store import clients as client_rows
from keybearer.server.store.faults import Conflict
from keybearer.server.store.tables import client_secrets, clients
from tests.support.api import Stage
from tests.support.client_pages import NOBODYS, at_the_desk, count, path_of, token_endpoint_blames, told_of
from tests.support.page import Page
from tests.support.people import CALLBACK, Person, RegisteredApp
from tests.support.scenes import App


@pytest.fixture
async def ada(stage: Stage) -> Person:
    """Have Ada signed in; she owns Acme (sandbox) and is a member of Works (live)."""
    return await at_the_desk(stage, "Ada")


async def launched(ada: Person, app: RegisteredApp, **chosen: str) -> Page:
    """Go live from the app's page."""
    await ada.browser.get(path_of(app))
    await ada.browser.follow("Go live")
    return await ada.browser.fill_and_submit("Go live", **chosen)


async def test_the_twin_has_credentials_of_its_own_and_the_page_says_what_else_to_change(
    stage: Stage, ada: Person
) -> None:
    app = await ada.register("Ledger Sync")
    page = await launched(ada, app, live_team=str(stage.works.team_id))
    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    twin = RegisteredApp(page.shown["client-id"], page.shown["client-secret"], CALLBACK)
    assert twin.client_id != app.client_id
    assert twin.secret.startswith("kb_ocs_live_")
    said = ("Base URL", "https://keybearer.test", app.client_id, CALLBACK, "kb_oat_live_", "kb_ort_live_")
    assert [each for each in said if each not in page.text] == []
    assert await token_endpoint_blames(stage, twin, twin.secret) == "invalid_grant"
    assert await token_endpoint_blames(stage, app, app.secret) == "invalid_grant"
    assert await token_endpoint_blames(stage, twin, app.secret) == "invalid_client"
    assert await token_endpoint_blames(stage, app, twin.secret) == "invalid_client"
    kept = await stage.house.node.view(client_rows.by_client_id, twin.client_id)
    assert kept is not None
    assert (kept.name, kept.team_id, kept.environment) == ("Ledger Sync", stage.works.team_id, "live")
    assert (kept.twin_of, kept.created_by) == (app.client_id, stage.ada.user_id)
    assert await stage.house.node.view(client_rows.redirect_uris, twin.client_id) == (CALLBACK,)
    assert await told_of(stage, f"client:{twin.client_id}") == ["client.created"]
    page = await ada.browser.get(path_of(app))
    assert f"As Ledger Sync in Works: {twin.client_id}" in page.text
    await ada.browser.post("/switch-team", [("team", str(stage.works.team_id))])
    page = await ada.browser.get(path_of(twin))
    assert page.status == 200
    assert "Go live" not in page.text


async def test_a_twin_is_shown_to_members_of_its_team_only(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    twin = (await launched(ada, app)).shown["client-id"]
    cleo = await at_the_desk(stage, "Cleo")  # in Acme, not in Works
    page = await cleo.browser.get(path_of(app))
    assert page.status == 200
    assert twin not in page.html
    assert "Works" not in page.text


async def test_each_redirect_url_that_is_unfit_for_production_is_named(stage: Stage, ada: Person) -> None:
    typed = "http://localhost:3000/cb, https://app.localhost/cb, http://127.0.0.1/cb, " + CALLBACK
    app = await ada.register("Ledger Sync", typed)
    page = await launched(ada, app)
    assert page.status == 422
    for unfit in ("http://localhost:3000/cb is not", "https://app.localhost/cb leads to", "http://127.0.0.1/cb is not"):
        assert unfit in page.text
    assert f"{CALLBACK} is" not in page.text
    assert await count(stage, clients, client_secrets) == [1, 1]
    assert await told_of(stage, f"client:{app.client_id}") == ["client.created"]
    await ada.browser.post(path_of(app), [("name", "Ledger Sync"), ("redirect_uris", CALLBACK)])
    assert (await launched(ada, app)).status == 200


async def test_an_app_without_a_secret_goes_live_without_one(ada: Person) -> None:
    app = await ada.register("Pocket", "com.example.pocket:/cb, http://127.0.0.1/cb", "public")
    page = await launched(ada, app)
    assert page.status == 200
    assert set(page.shown) == {"client-id"}


async def test_a_second_twin_in_the_same_team_is_refused(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    await launched(ada, app)
    page = await launched(ada, app)
    assert page.status == 422
    assert "Works has this app already, as Ledger Sync." in page.text
    assert await count(stage, clients) == [2]


async def test_of_two_launches_at_once_one_makes_the_twin(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    other = await at_the_desk(stage, "Ada")
    fields = [("live_team", str(stage.works.team_id))]
    pages = await asyncio.gather(*(one.browser.post(f"{path_of(app)}/go-live", fields) for one in (ada, other)))
    assert sorted(page.status for page in pages) == [200, 422]
    assert await count(stage, clients) == [2]


async def test_a_name_that_the_live_team_has_already_is_told(stage: Stage, ada: Person) -> None:
    await stage.scene.app("ledger sync", stage.works, stage.bob, CALLBACK)
    app = await ada.register("Ledger Sync")
    page = await launched(ada, app)
    assert page.status == 422
    assert "Works already has another API client named Ledger Sync. Rename one of the two first." in page.text


async def test_a_live_team_that_is_full_is_told(stage: Stage, ada: Person) -> None:
    for number in range(50):
        await stage.scene.app(f"App {number}", stage.works, stage.bob, CALLBACK)
    page = await launched(ada, await ada.register("Ledger Sync"))
    assert page.status == 422
    assert "Works has as many API clients as fit." in page.text


async def test_only_a_live_team_of_ones_own_where_ones_role_allows_it_is_taken(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    foreign = await stage.scene.team("Foreign", "live", owner=stage.bob)
    reading = await stage.scene.team("Reading", "live", owner=stage.bob, read_only=stage.ada)
    await ada.browser.get(f"{path_of(app)}/go-live")
    assert "Foreign" not in ada.browser.page.text
    assert "Reading" not in ada.browser.page.text
    said = {}
    for wrong in (str(foreign.team_id), "999999", str(stage.acme.team_id), "", "x", "1 OR 1=1", "9" * 30):
        page = await ada.browser.post(f"{path_of(app)}/go-live", [("live_team", wrong)])
        assert page.status == 422, wrong
        said[wrong] = page.text.split("There is a problem")[1][:40]
    assert len(set(said.values())) == 1, said
    page = await ada.browser.post(f"{path_of(app)}/go-live", [("live_team", str(reading.team_id))])
    assert page.status == 422
    assert "Your role in Reading does not allow" in page.text
    assert await count(stage, clients) == [1]


async def test_who_is_in_no_live_team_is_told_whom_to_ask(stage: Stage) -> None:
    await stage.scene.member(stage.acme, stage.cleo, "member")
    cleo = await at_the_desk(stage, "Cleo")
    app = await cleo.register("Ledger Sync")
    page = await cleo.browser.get(f"{path_of(app)}/go-live")
    assert "You are in no live team" in page.text


async def test_a_live_app_has_no_way_to_go_live_again(stage: Stage, ada: Person) -> None:
    await ada.browser.post("/switch-team", [("team", str(stage.works.team_id))])
    app = await ada.register("Ledger Sync")
    fields = [("live_team", str(stage.works.team_id))]
    page = await ada.browser.post(f"{path_of(app)}/go-live", fields)
    nobodys = await ada.browser.post(f"/settings/clients/{NOBODYS}/go-live", fields)
    assert (page.status, page.title) == (nobodys.status, nobodys.title)
    assert page.status == 404
    assert await count(stage, clients) == [1]


async def test_a_sandbox_app_can_be_let_into_no_live_team_whatever_the_code_does(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    client = await stage.house.node.view(client_rows.by_client_id, app.client_id)
    assert client is not None
    with pytest.raises(Conflict):
        await stage.access_text(App(client, app.secret), stage.ada, stage.works)
