"""``/settings/security``: changing the password, and ending sign-ins."""

from typing import Final

import pytest
from sqlalchemy import func, select, update

from keybearer.server.actions.replace_password import replace_password
from keybearer.server.activities import Actor
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_records
from tests.support.api import Stage
from tests.support.browser import Browser
from tests.support.clock import HandClock
from tests.support.elements import read_html
from tests.support.mailbox import Mailbox
from tests.support.page import Page
from tests.support.people import PASSWORD, Person
from tests.support.residents import at_home, sign_in

SECURITY: Final = "/settings/security"
CHOSEN: Final = "seven green lamps hum"


@pytest.fixture
async def ada(stage: Stage) -> Person:
    return await at_home(stage.house, stage.ada)


async def change(browser: Browser, current: str = PASSWORD, chosen: str = CHOSEN, **more: str) -> Page:
    await browser.get(SECURITY)
    fields = {"current_password": current, "password": chosen, "password_again": chosen} | more
    return await browser.fill_and_submit("Change password", **fields)


async def is_signed_in(browser: Browser) -> bool:
    return (await browser.get(SECURITY)).title.startswith("Security")


async def test_a_changed_password_opens_and_the_old_one_does_not(stage: Stage, ada: Person) -> None:
    page = await change(ada.browser)
    assert page.status == 200
    assert "Your password is changed" in page.text
    stranger = stage.house.browser()
    await stranger.get("/login")
    assert (await stranger.fill_and_submit("Sign in", email=ada.email, password=PASSWORD)).status == 401
    await sign_in(Person("Ada", stranger), CHOSEN)


async def test_a_changed_password_ends_every_other_session_and_this_one_goes_on_under_a_new_id(
    stage: Stage, ada: Person
) -> None:
    other = await at_home(stage.house, stage.ada)
    before = dict(ada.browser.client.cookies)
    await change(ada.browser)
    assert await is_signed_in(ada.browser)
    assert not await is_signed_in(other.browser)
    assert ada.browser.client.cookies["__Host-kb_session"] != before["__Host-kb_session"]
    thief = stage.house.browser()
    thief.client.cookies.update(before)
    assert not await is_signed_in(thief)


async def test_tokens_and_apps_go_on_working_unless_their_end_is_asked_for(stage: Stage, ada: Person) -> None:
    app = await stage.scene.app("App", stage.acme, stage.ada, "https://app.example.com/cb")
    programs = [
        await stage.personal(stage.ada, stage.acme),
        await stage.personal(stage.ada, stage.works),
        await stage.app_access(app, stage.ada, stage.acme),
    ]
    bobs = await stage.personal(stage.bob, stage.works)
    page = await change(ada.browser)
    assert "Tokens and apps go on working." in page.text
    assert [(await one.get("/api/v2/status")).status_code for one in programs] == [204, 204, 204]
    page = await change(ada.browser, CHOSEN, PASSWORD, revoke="yes")
    assert "3 tokens and apps were cut off." in page.text
    assert [(await one.get("/api/v2/status")).status_code for one in programs] == [401, 401, 401]
    assert (await bobs.get("/api/v2/status")).status_code == 204


async def test_a_changed_password_ends_the_links_that_were_mailed(stage: Stage, ada: Person) -> None:
    await ada.browser.get("/settings/account")
    await ada.browser.fill_and_submit("Change address", email="thief@example.org")
    link = Mailbox(stage.house.settings.data_dir / "mail").link_to(ada.email)
    await change(ada.browser)
    assert (await ada.browser.post(link, [])).status == 404
    assert "thief@example.org" not in (await ada.browser.get("/settings/account")).text


async def test_somebody_who_lost_their_password_is_given_another_and_all_that_the_old_one_opened_is_closed(
    stage: Stage, ada: Person
) -> None:
    node, program = stage.house.node, await stage.personal(stage.ada, stage.acme)
    known, stranger = ada.browser, stage.house.browser()
    await known.get("/logout")
    await known.fill_and_submit("Sign out")
    signed_in = await at_home(stage.house, stage.ada)
    for browser in (known, stranger):  # each waits: too many wrong ones were typed there
        await browser.get("/login")
        statuses = [
            (await browser.fill_and_submit("Sign in", email=ada.email, password=f"{CHOSEN}?")).status for _ in range(6)
        ]
        assert statuses == [401] * 5 + [429]
    hashed = await node.passwords.hash(CHOSEN)
    await node.act(replace_password, Actor("", "command line"), stage.ada.user_id, hashed, node.now())
    assert not await is_signed_in(signed_in.browser)
    assert (await program.get("/api/v2/status")).status_code == 204
    assert (await stranger.fill_and_submit("Sign in", email=ada.email, password=PASSWORD)).status == 401
    for browser in (known, stranger):
        await sign_in(Person("Ada", browser), CHOSEN)


@pytest.mark.parametrize(
    ("current", "typed", "field", "said"),
    [
        pytest.param("wrong wrong wrong", (CHOSEN, CHOSEN), "current_password", "not your current", id="wrong"),
        pytest.param("", (CHOSEN, CHOSEN), "current_password", "Enter your current", id="missing"),
        pytest.param(PASSWORD, ("14 characters!",) * 2, "password", "too short", id="14 characters"),
        pytest.param(PASSWORD, ("x" * 257,) * 2, "password", "too long", id="257 characters"),
        pytest.param(PASSWORD, ("x" * 30_000,) * 2, "password", "too long", id="30,000 characters"),
        pytest.param(PASSWORD, ("ada@example.com1",) * 2, "password", "easy to guess", id="one's address"),
        pytest.param(PASSWORD, (CHOSEN, f"{CHOSEN} "), "password_again", "not the same", id="typed in two ways"),
        pytest.param(PASSWORD, (PASSWORD, PASSWORD), "password", "your current password", id="the same as before"),
    ],
)
async def test_a_password_that_cannot_be_changed_is_refused_beside_its_field(
    ada: Person, current: str, typed: tuple[str, str], field: str, said: str
) -> None:
    chosen, again = typed
    page = await ada.browser.post(
        f"{SECURITY}/password",
        [("current_password", current), ("password", chosen), ("password_again", again), ("revoke", "yes")],
    )
    assert page.status == 422
    assert f'id="error-{field}"' in page.html
    assert said in page.text
    assert not current or current not in page.html
    assert chosen not in page.html
    assert ("revoke", "yes") in page.button("Change password")[0].values, "what was ticked stays ticked"
    await ada.browser.get("/logout")
    await ada.browser.fill_and_submit("Sign out")
    await sign_in(ada)


async def test_wrong_present_passwords_are_counted_like_those_at_the_sign_in(ada: Person) -> None:
    statuses = [(await change(ada.browser, "wrong wrong wrong")).status for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    page = await change(ada.browser)
    assert (page.status, page.headers["retry-after"]) == (429, "2")


async def test_a_password_that_the_policy_refuses_is_not_counted_as_a_wrong_one(ada: Person) -> None:
    for _ in range(7):
        assert (await change(ada.browser, chosen="too short")).status == 422
    assert (await change(ada.browser)).status == 200


async def test_signing_in_elsewhere_is_listed_with_browser_address_and_times(
    stage: Stage, ada: Person, clock: HandClock
) -> None:
    clock.advance(minutes=5)
    phone = Person("Ada", stage.house.browser())
    phone.browser.client.headers["user-agent"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Safari/604.1"
    await sign_in(phone)
    page = await ada.browser.get(SECURITY)
    rows = [form.row for form in page.forms if form.action.endswith("/sessions/end")]
    assert len(rows) == 2
    assert rows[0].startswith("python-httpx2/")
    assert "This browser" in rows[0]
    assert rows[1].startswith("Safari on iPhone")
    assert "This browser" not in rows[1]
    assert all("127.0.0.1" in row and "just now" in row for row in rows)
    assert "5 minutes ago" in rows[0]


async def test_one_browser_is_signed_out_and_the_others_are_not(stage: Stage, ada: Person) -> None:
    phone = Person("Ada", stage.house.browser())
    phone.browser.client.headers["user-agent"] = "Mozilla/5.0 (Android 17) Gecko/140.0 Firefox/140.0"
    await sign_in(phone)
    desk = await at_home(stage.house, stage.ada)
    await ada.browser.get(SECURITY)
    page = await ada.browser.fill_and_submit("Sign out Firefox on Android")
    assert "That browser is signed out." in page.text
    rows = [form.row for form in page.forms if form.action.endswith("/sessions/end")]
    assert "Firefox" not in "".join(rows)
    signed_in = [await is_signed_in(browser) for browser in (ada.browser, phone.browser, desk.browser)]
    assert signed_in == [True, False, True]


async def test_sign_out_everywhere_else_leaves_this_browser_alone(stage: Stage, ada: Person) -> None:
    others = [await at_home(stage.house, stage.ada) for _ in range(2)]
    bob = await at_home(stage.house, stage.bob)
    await ada.browser.get(SECURITY)
    page = await ada.browser.fill_and_submit("Sign out everywhere else")
    assert "You are signed out everywhere else." in page.text
    assert "Sign out everywhere else" not in [button.label for form in page.forms for button in form.buttons]
    assert [await is_signed_in(one.browser) for one in (ada, bob, *others)] == [True, True, False, False]


async def test_another_persons_session_cannot_be_ended(stage: Stage, ada: Person) -> None:
    bob = await at_home(stage.house, stage.bob)
    page = await bob.browser.get(SECURITY)
    bobs = dict(page.forms[[form.action for form in page.forms].index(f"{SECURITY}/sessions/end")].values)["session"]
    for session in (bobs, "nobody's", "\x00", "x" * 5_000):
        await ada.browser.post(f"{SECURITY}/sessions/end", [("session", session)])
        assert ada.browser.page.status == 200
    assert await is_signed_in(bob.browser)


async def test_a_session_that_ended_by_itself_is_not_listed(stage: Stage, ada: Person, clock: HandClock) -> None:
    await at_home(stage.house, stage.ada)
    clock.advance(hours=7)
    await ada.browser.get(SECURITY)
    clock.advance(hours=1)
    page = await ada.browser.get(SECURITY)
    assert len([form for form in page.forms if form.action.endswith("/sessions/end")]) == 1


def recent(page: Page) -> list[list[str]]:
    """Return what each row of the latest sign-ins says, but for when."""
    (section,) = [
        one for one in read_html(page.html).every("section") if one.get("aria-labelledby") == "recent-heading"
    ]
    return [[cell.text.strip() for cell in row.every("td")] for row in list(section.every("tr"))[1:]]


async def test_a_person_sees_who_gave_their_password_of_late_and_who_tried_to(
    stage: Stage, ada: Person, clock: HandClock
) -> None:
    await at_home(stage.house, stage.bob)
    thief = stage.house.browser()
    thief.client.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"
    await thief.get("/login")
    for _ in range(12):
        clock.advance(hours=1)
        await thief.fill_and_submit("Sign in", email=ada.email, password="a guess")
    await thief.fill_and_submit("Sign in", email="nobody@example.com", password="a guess")
    clock.advance(hours=1)
    await sign_in(ada)
    await ada.browser.get("/login?confirm=1&next=/settings/security")
    page = await ada.browser.fill_and_submit("Confirm", password=PASSWORD)
    rows = recent(page)
    assert [row[0] for row in rows] == ["Password given again", "Signed in", *["Wrong password"] * 10, "Signed in"]
    assert rows[2][1:] == ["Firefox on Windows", "127.0.0.1"]


@pytest.mark.parametrize(
    "spoilt", [b"{}", b'{"action":"a.b","at":1,"outcome":"done","v":1}'], ids=["no entry", "another"]
)
async def test_a_sign_in_spoilt_in_the_database_hides_no_other(stage: Stage, ada: Person, spoilt: bytes) -> None:
    await sign_in(Person("Ada", stage.house.browser()))
    await stage.house.node.act(_spoil_first, spoilt)
    rows = recent(await ada.browser.get("/settings/security"))
    assert [row[0] for row in rows][:1] == ["Signed in"]
    assert len(rows) == 2
    if spoilt == b"{}":
        assert rows[1] == ["Signed in", "Damaged", "Damaged"]


async def _spoil_first(tx: Transaction, entry: bytes) -> None:
    first = select(func.min(activity_records.c.activity_id)).where(activity_records.c.action == "session.started")
    is_it = activity_records.c.activity_id == first.scalar_subquery()
    await tx.run(update(activity_records).where(is_it).values(entry=entry))
