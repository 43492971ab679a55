"""API clients on their pages: registered, listed, changed and deleted, by those who may."""

import asyncio

import pytest
from sqlalchemy import select

from keybearer.server import secrets
from keybearer.server.clock import HOUR
from keybearer.server.store import clients
from keybearer.server.store.tables import client_secrets
from keybearer.server.store.tables import clients as clients_table
from tests.support.api import Stage
from tests.support.client_pages import (
    NOBODYS,
    at_the_desk,
    count,
    fed_of,
    has_been,
    path_of,
    token_endpoint_blames,
    told_of,
)
from tests.support.clock import HandClock
from tests.support.people import CALLBACK, Person
from tests.support.scenes import App


@pytest.fixture
async def ada(stage: Stage) -> Person:
    """Have Ada signed in; she owns Acme (sandbox) and is a member of Works (live)."""
    return await at_the_desk(stage, "Ada")


async def test_an_app_is_registered_and_its_page_tells_all_about_it(ada: Person) -> None:
    page = await ada.browser.get("/settings/clients")
    assert "No API clients yet" in page.text
    await ada.browser.follow("Create API client")
    places = (CALLBACK, "https://b.example/cb", "http://localhost:1/cb")
    typed = f"{places[0]}, {places[1]}\n\n {places[2]} ,"
    page = await ada.browser.fill_and_submit("Create API client", name=" Ledger Sync ", redirect_uris=typed)
    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    client_id = page.shown["client-id"]
    assert page.shown["client-secret"].startswith("kb_ocs_test_")
    page = await ada.browser.get("/settings/clients")
    assert page.shown == {"client-id": client_id}
    assert [each for each in ("Ledger Sync", *places) if each not in page.text] == []
    page = await ada.browser.follow("Ledger Sync")
    assert page.shown == {"client-id": client_id}
    said = (*places, "just now by Ada", "0 users", "Confidential", "We advise PKCE")
    assert [each for each in said if each not in page.text] == []


async def test_the_secret_is_shown_once_and_only_its_digest_is_kept(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    kept = await stage.house.node.database.many(select(client_secrets))
    assert [(row["digest"], row["last4"]) for row in kept] == [(secrets.digest(app.secret), app.secret[-4:])]
    page = await ada.browser.get(path_of(app))
    assert app.secret not in page.html
    assert f"…{app.secret[-4:]}" in page.text
    assert await token_endpoint_blames(stage, app, app.secret) == "invalid_grant"
    assert await token_endpoint_blames(stage, app, app.secret[:-1] + "!") == "invalid_client"


async def test_a_program_that_posts_name_and_redirect_urls_gets_a_confidential_app(stage: Stage, ada: Person) -> None:
    fields = [("name", "Script"), ("redirect_uris", CALLBACK), ("redirect_uris", "https://b.example/cb")]
    page = await ada.browser.post("/settings/clients/new", fields)
    client = await stage.house.node.view(clients.by_client_id, page.shown["client-id"])
    assert client is not None
    assert (client.kind, client.pkce, client.team_id) == ("confidential", "optional", stage.acme.team_id)
    kept = await stage.house.node.view(clients.redirect_uris, client.client_id)
    assert kept == (CALLBACK, "https://b.example/cb")


async def test_a_public_app_gets_no_secret_and_always_uses_pkce(stage: Stage, ada: Person) -> None:
    await ada.browser.get("/settings/clients/new")
    page = await ada.browser.fill_and_submit(
        "Create API client", name="Pocket", redirect_uris="com.example.pocket:/cb", kind="public", pkce="optional"
    )
    assert "client-secret" not in page.shown
    client = await stage.house.node.view(clients.by_client_id, page.shown["client-id"])
    assert client is not None
    assert (client.kind, client.pkce) == ("public", "required")
    assert await count(stage, client_secrets) == [0]
    page = await ada.browser.follow("Done")
    assert "rotate" not in page.html
    assert "We advise" not in page.text


async def test_changes_are_saved_and_what_is_not_posted_stays(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    await ada.browser.get(path_of(app))
    page = await ada.browser.fill_and_submit("Save changes", name="Ledger", pkce="required")
    assert "The changes to Ledger are saved." in page.text
    assert "We advise PKCE" not in page.text
    page = await ada.browser.post(path_of(app), [("name", "Ledger 2"), ("redirect_uris", "https://c.example/cb")])
    assert page.status == 200
    client = await stage.house.node.view(clients.by_client_id, app.client_id)
    assert client is not None
    assert (client.name, client.pkce, client.kind) == ("Ledger 2", "required", "confidential")
    assert await stage.house.node.view(clients.redirect_uris, app.client_id) == ("https://c.example/cb",)
    assert await token_endpoint_blames(stage, app, app.secret) == "invalid_grant"
    assert await told_of(stage, f"client:{app.client_id}") == ["client.created", "client.changed", "client.changed"]


async def test_deleting_asks_first_and_cuts_everybody_off_at_the_next_call(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    client = await stage.house.node.view(clients.by_client_id, app.client_id)
    assert client is not None
    calls = [
        await stage.app_access(App(client, app.secret), user, stage.acme) for user in (stage.ada, stage.ada, stage.cleo)
    ]
    await ada.browser.get("/settings/clients")
    page = await ada.browser.fill_and_submit("Delete", row="Ledger Sync")
    assert "2 users are cut off" in page.text
    assert [(await api.get("/api/v2/me")).status_code for api in calls] == [200, 200, 200]
    page = await ada.browser.fill_and_submit("Delete API client")
    assert "Ledger Sync is deleted." in page.text
    assert [(await api.get("/api/v2/me")).status_code for api in calls] == [401, 401, 401]
    assert await token_endpoint_blames(stage, app, app.secret) == "invalid_client"
    assert (await ada.browser.get(path_of(app))).status == 404
    assert await told_of(stage, f"client:{app.client_id}") == ["client.created", "client.deleted"]
    assert await fed_of(stage, f"client:{app.client_id}") == ["client.changed"]
    assert await has_been(stage, "grant.ended") == 0  # one row and one event, however many had let it in


async def test_the_name_of_a_deleted_app_is_free_again(ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    await ada.browser.post(f"{path_of(app)}/delete", [("confirm", "yes")])
    assert (await ada.register("ledger sync")).client_id != app.client_id


async def test_of_two_registrations_of_one_name_at_once_one_is_kept(stage: Stage, ada: Person) -> None:
    other = await at_the_desk(stage, "Ada")
    fields = [("name", "Twice"), ("redirect_uris", CALLBACK)]
    pages = await asyncio.gather(*(one.browser.post("/settings/clients/new", fields) for one in (ada, other)))
    assert sorted(page.status for page in pages) == [200, 422]
    assert await count(stage, clients_table) == [1]


async def test_who_may_only_read_sees_the_pages_without_buttons(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    cleo = await at_the_desk(stage, "Cleo")
    page = await cleo.browser.get("/settings/clients")
    assert "Ledger Sync" in page.text
    assert not [button for form in page.forms for button in form.buttons if button.label != "Sign out"]
    assert "Create API client" not in page.text
    page = await cleo.browser.get(path_of(app))
    assert not [button for form in page.forms for button in form.buttons if button.label != "Sign out"]
    assert "lets you see this API client, not change it" in page.text
    before = await told_of(stage, f"client:{app.client_id}")
    for path in ("/settings/clients/new", f"{path_of(app)}/delete", f"{path_of(app)}/go-live"):
        assert (await cleo.browser.get(path)).status == 403
    for path in ("/settings/clients/new", *(path_of(app) + end for end in ("", "/rotate", "/delete", "/go-live"))):
        fields = [("name", "x"), ("redirect_uris", CALLBACK), ("confirm", "yes"), ("overlap", "now")]
        assert (await cleo.browser.post(path, fields)).status == 403
    assert await told_of(stage, f"client:{app.client_id}") == before
    assert await count(stage, clients_table) == [1]


@pytest.mark.parametrize(
    ("end", "fields"),
    [
        pytest.param("", [("name", "x"), ("redirect_uris", CALLBACK)], id="change"),
        pytest.param("/rotate", [("overlap", "now")], id="rotate"),
        pytest.param("/delete", [("confirm", "yes")], id="delete"),
        pytest.param("/go-live", [("live_team", "1")], id="go live"),
    ],
)
async def test_another_teams_app_is_answered_like_one_that_does_not_exist(
    stage: Stage, end: str, fields: list[tuple[str, str]]
) -> None:
    theirs = await stage.scene.app("Theirs", stage.acme, stage.ada, CALLBACK)
    bob = await at_the_desk(stage, "Bob")  # in Works only
    answers = []
    for client_id in (theirs.client.client_id, NOBODYS, "x", "a%00b", "%F0%9F%94%91"):
        for page in (
            await bob.browser.get(f"/settings/clients/{client_id}{end}"),
            await bob.browser.post(f"/settings/clients/{client_id}{end}", fields),
        ):
            said = page.text.split("Request id")[0]
            answers.append((page.status, said))
    assert set(answers) == {answers[0]}
    assert answers[0][0] == 404
    assert await told_of(stage, f"client:{theirs.client.client_id}") == []


async def test_a_sign_in_of_four_hours_ago_shows_the_pages_and_changes_nothing(
    stage: Stage, ada: Person, clock: HandClock
) -> None:
    app = await ada.register("Ledger Sync")
    clock.advance(seconds=4 * HOUR / 1_000_000)
    assert (await ada.browser.get(path_of(app))).status == 200
    before = await told_of(stage, f"client:{app.client_id}")
    for path in ("/settings/clients/new", *(path_of(app) + end for end in ("", "/rotate", "/delete", "/go-live"))):
        fields = [("name", "x"), ("redirect_uris", CALLBACK), ("confirm", "yes"), ("overlap", "now")]
        page = await ada.browser.post(path, fields)
        assert page.title.startswith("Confirm it is you"), path
    assert await told_of(stage, f"client:{app.client_id}") == before
    assert await count(stage, clients_table) == [1]


async def test_a_form_of_another_team_changes_nothing(stage: Stage, ada: Person) -> None:
    await ada.browser.get("/settings/clients/new")
    shown = ada.browser.page
    await ada.browser.post("/switch-team", [("team", str(stage.works.team_id))])
    ada.browser.page = shown
    page = await ada.browser.fill_and_submit("Create API client", name="x", redirect_uris=CALLBACK)
    assert page.status == 409
    assert await count(stage, clients_table) == [0]


async def test_another_site_cannot_register_or_delete(stage: Stage, ada: Person) -> None:
    app = await ada.register("Ledger Sync")
    fields = [("name", "x"), ("redirect_uris", CALLBACK), ("confirm", "yes")]
    for path in ("/settings/clients/new", path_of(app), f"{path_of(app)}/delete"):
        assert (await ada.browser.post(path, fields, site="cross-site")).status == 403
    assert await token_endpoint_blames(stage, app, app.secret) == "invalid_grant"
    assert await count(stage, clients_table) == [1]
