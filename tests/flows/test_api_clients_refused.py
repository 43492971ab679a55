"""What is wrong on the forms of API clients is named beside its field, kept as typed, and changes nothing."""

import pytest

from keybearer.server.store import clients as client_rows
from keybearer.server.store.tables import client_redirect_uris, clients
from tests.support.api import Stage
from tests.support.client_pages import at_the_desk, count, path_of, told_of
from tests.support.elements import read_html
from tests.support.page import Page
from tests.support.people import CALLBACK, Person


@pytest.fixture
async def ada(stage: Stage) -> Person:
    """Have Ada signed in; she owns Acme (sandbox) and is a member of Works (live)."""
    return await at_the_desk(stage, "Ada")


def said_beside(page: Page, field: str) -> str:
    """Return the error beside a field, if the field leads to it."""
    top = read_html(page.html)
    (box,) = [one for one in top.every("input", "textarea", "fieldset", "select") if one.get("id") == f"field-{field}"]
    assert f"error-{field}" in box.get("aria-describedby").split()
    (error,) = [one for one in top.every("p") if one.get("id") == f"error-{field}"]
    assert f"#field-{field}" in {link.get("href") for link in top.every("a")}
    return error.text


def kept_in(page: Page, button: str) -> dict[str, str]:
    """Return what the form with this button would send as it stands."""
    form, _ = page.button(button)
    return dict(form.values)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("", "Enter a name.", id="empty"),
        pytest.param(" \t ", "Enter a name.", id="blank"),
        pytest.param("x" * 61, "At most 60 characters", id="61 characters"),
        pytest.param("LEDGER  sync", "already has an API client of this name", id="taken, in other letters"),
        pytest.param("ＬＥＤＧＥＲ sync", "already has an API client of this name", id="taken, in wide letters"),  # noqa: RUF001
        pytest.param("Led\u200bger", "cannot be seen", id="zero-width space"),
        pytest.param("\u202eregdeL", "cannot be seen", id="turned round"),
        pytest.param("a\x00b", "cannot be seen", id="NUL"),
        pytest.param("\u200d", "Enter a name.", id="a joiner alone"),
    ],
)
async def test_a_bad_name_is_refused_beside_its_field(stage: Stage, ada: Person, name: str, said: str) -> None:
    await stage.scene.app("Ledger Sync", stage.acme, stage.ada, CALLBACK)
    other = await stage.scene.app("Other", stage.acme, stage.ada, CALLBACK)
    await ada.browser.get("/settings/clients/new")
    page = await ada.browser.fill_and_submit("Create API client", name=name, redirect_uris=CALLBACK)
    assert page.status == 422
    assert said in said_beside(page, "name")
    kept = kept_in(page, "Create API client")
    assert (kept["name"], kept["redirect_uris"]) == (name, CALLBACK)
    path = f"/settings/clients/{other.client.client_id}"
    await ada.browser.get(path)
    page = await ada.browser.fill_and_submit("Save changes", name=name)
    assert page.status == 422
    assert said in said_beside(page, "name")
    assert kept_in(page, "Save changes")["name"] == name
    assert await count(stage, clients, client_redirect_uris) == [2, 2]
    assert await stage.house.node.view(client_rows.by_client_id, other.client.client_id) == other.client
    assert await told_of(stage, f"client:{other.client.client_id}") == []


async def test_sixty_characters_are_a_name(ada: Person) -> None:
    await ada.register("é" * 60)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param("", ["Enter at least one"], id="none"),
        pytest.param(" ,\n, ", ["Enter at least one"], id="only separators"),
        pytest.param("http://a.example/cb", ["is not encrypted"], id="no https"),
        pytest.param("https://a.example/cb#x", ["has a fragment"], id="fragment"),
        pytest.param("javascript:alert(1)", ["must start with https://"], id="script"),
        pytest.param("data:text/html;base64", ["must start with https://"], id="data"),
        pytest.param("https://*.a.example/cb", ["has a wildcard"], id="wildcard"),
        pytest.param("https://ada@a.example/cb", ["has a user name"], id="user name"),
        pytest.param("https://a.example/x/../cb", ["has . or .."], id="dot segments"),
        pytest.param("/cb", ["must start with https://"], id="relative"),
        pytest.param("com.example.app:/cb", ["only a public app"], id="a scheme of its own with a secret"),
        pytest.param(f"{CALLBACK}, {CALLBACK}", ["is there twice"], id="twice"),
        pytest.param("\n".join(f"{CALLBACK}/{one}" for one in range(21)), ["at most 20"], id="twenty-one"),
        pytest.param("https://a.example/" + "x" * 1983, ["is too long"], id="2001 characters"),
        pytest.param(f"http://a.example/\n{CALLBACK}\nftp://x", ["http://a.example/ is", "ftp://x must"], id="two bad"),
        pytest.param("https://a.example/\x00", ["characters that a URL cannot have"], id="NUL"),
    ],
)
async def test_a_bad_redirect_url(stage: Stage, ada: Person, typed: str, said: list[str]) -> None:
    await ada.browser.get("/settings/clients/new")
    page = await ada.browser.fill_and_submit("Create API client", name="Ledger Sync", redirect_uris=typed)
    assert page.status == 422
    assert [each for each in said if each not in said_beside(page, "redirect_uris")] == []
    kept = kept_in(page, "Create API client")
    assert (kept["name"], kept["redirect_uris"]) == ("Ledger Sync", typed)
    assert await count(stage, clients, client_redirect_uris) == [0, 0]
    app = await ada.register("Ledger Sync")
    await ada.browser.get(path_of(app))
    page = await ada.browser.fill_and_submit("Save changes", name="Renamed", redirect_uris=typed)
    assert page.status == 422
    assert kept_in(page, "Save changes")["redirect_uris"] == typed
    assert await stage.house.node.view(client_rows.redirect_uris, app.client_id) == (CALLBACK,)
    assert await told_of(stage, f"client:{app.client_id}") == ["client.created"]


async def test_everything_that_is_wrong_is_told_at_once(ada: Person) -> None:
    await ada.browser.get("/settings/clients/new")
    fields = [("name", ""), ("redirect_uris", "x"), ("kind", "secret"), ("pkce", "on")]
    page = await ada.browser.post("/settings/clients/new", fields)
    assert page.status == 422
    for field in ("name", "redirect_uris", "kind", "pkce"):
        assert said_beside(page, field)


async def test_plain_http_to_localhost_is_for_the_sandbox_only(stage: Stage, ada: Person) -> None:
    await ada.register("Here", "http://localhost:3000/cb")
    await ada.browser.post("/switch-team", [("team", str(stage.works.team_id))])
    await ada.browser.get("/settings/clients/new")
    page = await ada.browser.fill_and_submit("Create API client", name="x", redirect_uris="http://localhost:3000/cb")
    assert page.status == 422
    assert "is not encrypted" in said_beside(page, "redirect_uris")


async def test_a_fifty_first_app_does_not_fit(stage: Stage, ada: Person) -> None:
    for number in range(50):
        await stage.scene.app(f"App {number}", stage.acme, stage.ada, CALLBACK)
    await ada.browser.get("/settings/clients/new")
    page = await ada.browser.fill_and_submit("Create API client", name="One more", redirect_uris=CALLBACK)
    assert page.status == 422
    assert "The team has 50 API clients" in page.text
    assert await count(stage, clients) == [50]


@pytest.mark.parametrize("field", ["name", "kind", "pkce", "team"])
async def test_a_field_sent_twice_is_refused(stage: Stage, ada: Person, field: str) -> None:
    fields = [("name", "x"), ("redirect_uris", CALLBACK), ("kind", "public"), ("pkce", "required")]
    fields.append(("team", str(stage.acme.team_id)))
    page = await ada.browser.post("/settings/clients/new", [*fields, (field, "y")])
    assert page.status == 400
    assert await count(stage, clients) == [0]


async def test_f9_fields_that_no_form_has_are_named_and_what_was_typed_is_kept(stage: Stage, ada: Person) -> None:
    smuggled = {
        "client_id": "appmine", "client_secret": "mine", "environment": "live", "env": "live", "owner": "2",
        "team_id": str(stage.works.team_id), "user_id": str(stage.bob.user_id), "created_by": str(stage.bob.user_id),
        "twin_of": "appmine", "deleted_at": "1", "created_at": "1", "role": "owner", "is_admin": "1", "scopes": "*",
    }  # fmt: skip
    typed = {"name": "Ledger Sync", "redirect_uris": CALLBACK}
    page = await ada.browser.post("/settings/clients/new", [*typed.items(), *smuggled.items()])
    assert page.status == 422
    assert all(f"This form has no field “{name}”." in page.text for name in smuggled)
    assert await count(stage, clients) == [0]
    assert kept_in(page, "Create API client").items() >= typed.items()
    page = await ada.browser.fill_and_submit("Create API client")
    made = await stage.house.node.view(client_rows.by_client_id, page.shown["client-id"])
    assert made is not None
    page = await ada.browser.post(f"/settings/clients/{made.client_id}", [("name", "Mine"), ("kind", "public")])
    assert page.status == 422
    assert await stage.house.node.view(client_rows.by_client_id, made.client_id) == made
