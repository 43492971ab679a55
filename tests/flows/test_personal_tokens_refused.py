"""Personal tokens on their pages: what is wrong, stale, forged or somebody else's comes to nothing."""

import asyncio

import pytest

from keybearer.server.records import Team
from keybearer.server.store import memberships
from tests.support.clock import HandClock
from tests.support.house import House
from tests.support.page import Page
from tests.support.people import Person
from tests.support.token_pages import LIST, NEW, TokenDesk, at_the_tokens

TOO_LONG = "n" * 61


@pytest.fixture
async def desk(house: House) -> TokenDesk:
    return await at_the_tokens(house)


WRONG = [
    pytest.param({"name": ""}, "name", "Enter a name.", id="empty name"),
    pytest.param({"name": "   "}, "name", "Enter a name.", id="blank name"),
    pytest.param({"name": TOO_LONG}, "name", "too long", id="over-long name"),
    pytest.param({"name": "a\u202eb"}, "name", "cannot be seen", id="invisible characters"),
    pytest.param({"name": "a\x00b"}, "name", "cannot be seen", id="a NUL in the name"),
    pytest.param({"name": "TAKEN "}, "name", "already have a token", id="the same name in other letters"),
    pytest.param({"lifetime": "3650"}, "lifetime", "Choose one of the lifetimes.", id="too long a lifetime"),
    pytest.param({"lifetime": "custom"}, "expires_on", "YYYY-MM-DD", id="no day"),
    pytest.param({"lifetime": "custom", "expires_on": "soon"}, "expires_on", "YYYY-MM-DD", id="no such day"),
    pytest.param({"lifetime": "custom", "expires_on": "2026-11-24"}, "expires_on", "from 2026-11-25", id="today"),
    pytest.param({"lifetime": "custom", "expires_on": "2027-11-25"}, "expires_on", "to 2027-11-24", id="a day late"),
    pytest.param({"narrowing": "scope"}, "permissions", "Tick at least one", id="nothing ticked"),
    pytest.param({"narrowing": "all"}, "narrowing", "Choose what", id="no such narrowing"),
    pytest.param({"permissions": "team:read"}, "narrowing", "You ticked permissions", id="ticked and not narrowed"),
    pytest.param(
        {"narrowing": "scope", "permissions": "team:own"}, "permissions", "does not allow", id="no such permission"
    ),
]


@pytest.mark.parametrize(("fields", "field", "said"), WRONG)
async def test_a_wrong_form_comes_back_as_it_was_typed_and_nothing_is_made(
    desk: TokenDesk, fields: dict[str, str], field: str, said: str
) -> None:
    await desk.create(name="Taken")
    before = await desk.kept()
    sent = {"name": "Fine", "lifetime": "30", **fields}
    page = await desk.browser.post(NEW, list(sent.items()))
    assert page.status == 422
    error = page.html.partition(f'id="error-{field}"')[2].partition("</p>")[0]
    assert said in error
    assert f'href="#field-{field}"' in page.html
    assert await desk.kept() == before
    form, _ = page.button("Create token")
    values = dict(form.values)
    assert values["name"] == sent["name"]
    if sent["lifetime"] != "3650":  # not one that the form has
        assert values["lifetime"] == sent["lifetime"]
    assert values["expires_on"] == sent.get("expires_on", "")


async def test_everything_wrong_is_said_at_once(desk: TokenDesk) -> None:
    page = await desk.browser.post(NEW, [("name", ""), ("lifetime", "9"), ("narrowing", "scope")])
    assert page.status == 422
    assert all(f'id="error-{field}"' in page.html for field in ("name", "lifetime", "permissions"))


async def test_permissions_beyond_the_role_are_refused(desk: TokenDesk) -> None:
    await desk.ada.switch_team(desk.stage.works.team_id)
    fields = [("name", "Beyond"), ("narrowing", "scope"), ("permissions", "team:read"), ("permissions", "team:manage")]
    page = await desk.browser.post(NEW, fields)
    assert page.status == 422
    assert await desk.kept() == []
    assert 'value="team:read" aria-describedby="may-team:read" checked' in page.html


async def test_a_user_has_a_hundred_tokens_in_a_team_at_most_and_as_many_in_the_next(desk: TokenDesk) -> None:
    stage = desk.stage
    for _ in range(100):
        await stage.scene.personal_token(stage.ada, stage.acme)
    page = await desk.create(name="One more")
    assert (page.status, "100 tokens in this team, and no more fit. Delete one first" in page.text) == (422, True)
    assert len(await desk.kept()) == 100
    (row, *_) = await desk.kept()
    await desk.browser.post(f"{LIST}/{row['grant_id']}/delete", [("confirm", "yes")])
    assert (await desk.create(name="One more")).status == 200
    await desk.ada.switch_team(stage.works.team_id)
    assert (await desk.create(name="One more")).status == 200


async def test_many_tokens_made_at_once_are_no_more_than_fit(desk: TokenDesk) -> None:
    stage = desk.stage
    for _ in range(98):
        await stage.scene.personal_token(stage.ada, stage.acme)
    browsers = [await stage.at_browser(stage.ada) for _ in range(8)]
    pages = await asyncio.gather(*(one.post(NEW, [("name", f"no {n}")]) for n, one in enumerate(browsers)))
    assert sorted(page.status for page in pages) == [200] * 2 + [422] * 6
    assert len(await desk.kept()) == 100


def _told(page: Page) -> tuple[int, str, str]:
    return page.status, page.title, page.text.replace(page.headers["x-request-id"], "")


@pytest.mark.parametrize("confirm", [[], [("confirm", "yes")]], ids=["asking", "confirmed"])
async def test_another_users_token_is_answered_as_one_that_does_not_exist(
    desk: TokenDesk, confirm: list[tuple[str, str]]
) -> None:
    text = await desk.stage.scene.personal_token(desk.stage.cleo, desk.stage.acme)  # in the team that Ada manages
    (row,) = await desk.kept()
    told = _told(await desk.browser.post(f"{LIST}/{row['grant_id']}/delete", confirm))
    for nobodys in ("00000000-0000-7000-8000-000000000000", "x", "%00", "%2e", "a" * 900):
        assert _told(await desk.browser.post(f"{LIST}/{nobodys}/delete", confirm)) == told
    assert told[0] == 404
    assert (await desk.call(text)).status_code == 200


async def test_an_apps_access_is_not_deleted_as_a_token(desk: TokenDesk) -> None:
    app = await desk.stage.scene.app("Importer", desk.stage.acme, desk.stage.ada, "https://app.example.com/cb")
    text = await desk.stage.access_text(app, desk.stage.ada, desk.stage.acme)
    (row,) = await desk.kept()
    page = await desk.browser.post(f"{LIST}/{row['grant_id']}/delete", [("confirm", "yes")])
    assert (page.status, (await desk.call(text)).status_code) == (404, 200)


async def test_a_form_of_another_team_makes_nothing(desk: TokenDesk) -> None:
    form_of_acme = await desk.browser.get(NEW)
    fields = dict(form_of_acme.button("Create token")[0].values) | {"name": "Wrong tab"}
    await desk.ada.switch_team(desk.stage.works.team_id)
    page = await desk.browser.post(NEW, list(fields.items()))
    assert page.status == 409
    assert "Your active team is now Works" in page.text
    assert await desk.kept() == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_sites_post_does_nothing(desk: TokenDesk, site: str) -> None:
    text = (await desk.create(name="Kept")).shown["token"]
    (row,) = await desk.kept()
    for address, fields in ((NEW, [("name", "Forged")]), (f"{LIST}/{row['grant_id']}/delete", [("confirm", "yes")])):
        assert (await desk.browser.post(address, fields, site)).status == 403
    assert len(await desk.kept()) == 1
    assert (await desk.call(text)).status_code == 200


async def test_nobody_signed_in_is_sent_to_sign_in_and_nothing_is_made(desk: TokenDesk) -> None:
    stranger = desk.house.browser()
    for address in (LIST, NEW):
        page = await stranger.get(address)
        assert (page.title.startswith("Sign in"), page.url.partition("?")[0]) == (True, "https://keybearer.test/login")
        assert "nothing was done" not in page.text
    for address in (NEW, f"{LIST}/00000000-0000-7000-8000-000000000000/delete"):
        page = await stranger.post(address, [("name", "Nobody's")])
        assert (page.title.startswith("Sign in"), "nothing was done" in page.text) == (True, True)
    assert await desk.kept() == []


@pytest.mark.parametrize(("hours", "asked", "button"), [(4, "Confirm it is you", "Confirm"), (8, "Sign in", "Sign in")])
async def test_a_form_that_comes_hours_later_is_told_not_to_be_done_and_what_was_typed_is_kept(
    desk: TokenDesk, clock: HandClock, hours: int, asked: str, button: str
) -> None:
    await desk.browser.get(NEW)
    clock.advance(hours=hours)
    page = await desk.browser.fill_and_submit(
        "Create token", name="Late & long", lifetime="30", narrowing="scope", permissions=["team:read"]
    )
    assert (page.title.startswith(asked), "nothing was done" in page.text) == (True, True)
    assert "Late" not in page.url
    assert await desk.kept() == []
    page = await desk.browser.fill_and_submit(button, password="wrong", email="ada@example.com")
    assert "nothing was done" in page.text
    page = await desk.browser.fill_and_submit(button, password="correct horse battery staple", email="ada@example.com")
    values = page.button("Create token")[0].values
    assert {("name", "Late & long"), ("lifetime", "30"), ("narrowing", "scope"), ("permissions", "team:read")} <= set(
        values
    )
    page = await desk.browser.fill_and_submit("Create token")
    assert (await desk.call(page.shown["token"])).json()["permissions"] == ["team:read"]


LINKS = [
    pytest.param("", "longest", "", "none", 0, id="nothing"),
    pytest.param("?name=Ci&expires=30", "30", "", "none", 0, id="days that are offered"),
    pytest.param("?name=Ci&expires=45", "custom", "2027-01-08", "none", 0, id="other days"),
    pytest.param("?name=Ci&expires=36500", "longest", "", "none", 0, id="longer than allowed"),
    pytest.param("?name=Ci&expires=2027-01-01", "custom", "2027-01-01", "none", 0, id="a day"),
    pytest.param("?name=Ci&expires=never", "custom", "", "none", 0, id="what cannot be read"),
    pytest.param("?name=Ci&permissions=team:read,clients:read", "longest", "", "scope", 2, id="permissions"),
    pytest.param("?name=Ci&permissions=team:read&permissions=team:read", "longest", "", "scope", 1, id="twice"),
    pytest.param("?name=Ci&permissions=no:such", "longest", "", "scope", 0, id="no such permission"),
    pytest.param("?name=Ci&permissions=", "longest", "", "scope", 0, id="no permission named"),
    pytest.param(
        "?name=Ci&narrowing=none&team=1&permissions=*", "longest", "", "scope", 0, id="a link that would widen"
    ),
]


@pytest.mark.parametrize(("query", "lifetime", "day", "narrowing", "ticked"), LINKS)
async def test_a_link_fills_the_form_in_and_never_widens_or_sends_it(
    desk: TokenDesk, query: str, lifetime: str, day: str, narrowing: str, ticked: int
) -> None:
    page = await desk.browser.get(NEW + query)
    values = page.button("Create token")[0].values
    chosen = dict(values)
    assert (chosen["lifetime"], chosen["expires_on"], chosen["narrowing"]) == (lifetime, day, narrowing)
    assert chosen["name"] == ("Ci" if query else "")
    assert chosen["team"] == str(desk.stage.acme.team_id)
    assert sum(name == "permissions" for name, _ in values) == ticked
    assert await desk.kept() == []


async def test_a_link_that_asks_for_more_than_the_role_says_what_is_left_out(desk: TokenDesk) -> None:
    await desk.ada.switch_team(desk.stage.works.team_id)
    page = await desk.browser.get(f"{NEW}?permissions=team:read+team:manage")
    assert "They are left out: team:manage." in page.text
    assert ("permissions", "team:read") in page.button("Create token")[0].values


async def test_what_people_type_is_shown_as_text(desk: TokenDesk) -> None:
    name = '<img src=x onerror="alert(1)">'
    for page in (
        await desk.create(name=name),
        await desk.browser.get(LIST),
        await desk.browser.post(NEW, [("name", name)]),
    ):
        assert "<img src=x" not in page.html
        assert name in page.text or name in dict(page.button("Create token")[0].values).values()


async def test_somebody_in_no_team_is_told_so_and_makes_nothing(desk: TokenDesk) -> None:
    await desk.stage.scene.person("Otto")
    otto = Person("Otto", desk.house.browser())
    await otto.sign_in()
    page = await otto.browser.get(NEW)
    assert "You are in no team yet" in page.text
    assert (await otto.browser.post(NEW, [("name", "Nowhere")])).status == 409


async def test_a_person_who_left_the_team_since_makes_nothing_in_it(desk: TokenDesk) -> None:
    other: Team = await desk.stage.scene.team("Third", owner=desk.stage.bob, member=desk.stage.ada)
    await desk.ada.switch_team(other.team_id)
    await desk.browser.get(NEW)
    node = desk.house.node
    await node.act(memberships.leave, other.team_id, desk.stage.ada.user_id, node.now())
    page = await desk.browser.fill_and_submit("Create token", name="Too late")
    assert page.status == 409
    assert await desk.kept() == []
