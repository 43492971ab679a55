"""The consent page, as somebody without JavaScript sees it: what it says, what its buttons do, who is asked first."""

import pytest

from keybearer.server.store import tables
from keybearer.server.store.authorizations import MOST_OF_SESSION
from tests.support.clock import HandClock
from tests.support.oauth import CALLBACK, Play, brought
from tests.support.scenes import PASSWORD

ISSUER = "https://keybearer.test"


async def test_the_page_says_who_asks_for_what_where_and_for_how_long(play: Play, clock: HandClock) -> None:
    clock.advance(minutes=3)
    page = await play.ask(scope="clients:write team:read")
    for said in (
        "Ledger Sync asks to act as you",
        "published by the team Acme and was registered 3 minutes ago by Ada",
        "Unverified: Keybearer has not checked who they are",
        "Signed in as Ada (ada@example.com) Use another account",
        "Sandbox: nothing here touches live data",
        "Create, change and delete the team's client records",
        "It will never be able to see your password",
        "(/settings/apps)",
        "ends on 23 Nov 2028, or after 365 days without use",
        "your browser then goes to app.example.com",
    ):
        assert said in page.text
    assert page.title == "Let Ledger Sync in? · Keybearer"


async def test_each_team_shows_what_the_app_could_do_there(play: Play) -> None:
    page = await play.ask(scope="clients:write team:read")
    acme, birch = page.text.index("Acme Sandbox"), page.text.index("Birch Sandbox")
    for_acme, for_birch = page.text[acme:birch], page.text[birch:]
    assert "Your role: Admin It will be able to change things Create, change and delete the team's client" in for_acme
    assert "It will not be able to" in for_acme
    assert "Change roles and remove people from the team" in for_acme.partition("It will not be able to")[2]
    assert "Your role: Read only It will be able to look See the team's name" in for_birch
    assert "your role does not allow Create, change and delete the team's client records" in for_birch
    assert "Works" not in page.text


async def test_without_a_scope_the_page_says_that_the_role_is_followed(play: Play) -> None:
    page = await play.ask(scope="")
    assert "That is everything your role there (Admin) allows. It changes when your role does." in page.text
    assert "It will not be able to" not in page.text


async def test_what_changes_things_stands_before_what_only_reads(play: Play) -> None:
    page = await play.ask(scope="team:read team:manage")
    assert page.text.index("Change the team's contact details") < page.text.index("See the team's name")


async def test_a_second_consent_marks_what_is_new(play: Play) -> None:
    await play.pair(scope="team:read")
    page = await play.ask(scope="team:read members:read")
    assert "You let this app into this team just now. What would be new is marked." in page.text
    assert "with names, email addresses and roles New" in page.text
    assert "contact details New" not in page.text
    again = await play.ask(scope="team:read")
    assert "Nothing would be new." in again.text


async def test_the_active_team_is_chosen_and_another_can_be(play: Play) -> None:
    browser = await play.browser(play.ada)
    await browser.get("/switch-team")
    await browser.fill_and_submit(f"team={play.birch.team_id}")
    page = await play.ask()
    form, _ = page.button("decision=allow")
    assert ("team", str(play.birch.team_id)) in form.values
    pair = await play.pair(team=play.acme)
    shown = (await play.house.api(pair["access_token"]).get("/api/v2/token")).json()
    assert shown["team"]["id"] == play.acme.team_id


async def test_allow_and_deny_are_two_buttons_of_one_form_with_equal_weight(play: Play) -> None:
    page = await play.ask()
    deciding = [form for form in page.forms if any(button.name == "decision" for button in form.buttons)]
    assert [(button.label, button.value) for button in deciding[0].buttons] == [("Deny", "deny"), ("Allow", "allow")]
    assert (len(deciding), deciding[0].method, deciding[0].action) == (1, "POST", "/oauth/authorize")
    assert page.html.count('class="button" type="submit" name="decision"') == 2


async def test_somebody_without_a_fitting_team_can_only_go_back(play: Play) -> None:
    solo = await play.scene.person("Solo")
    await play.scene.member(play.works, solo, "member")
    page = await play.ask(user=solo)
    assert "This app works with sandbox teams only, and you are in none." in page.text
    assert [button.label for form in page.forms for button in form.buttons] == ["Go back"]
    assert brought(await play.decide("deny", solo))["error"] == "access_denied"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://127.0.0.1/cb", "goes to 127.0.0.1 An app on this device"),
        ("com.example.pocket:/cb", "goes to com.example.pocket: An app on this device"),
        ("https://pocket.example.com:8443/cb", "goes to pocket.example.com:8443 Deny"),
        ("https://127.0.0.1.example.com/cb", "goes to 127.0.0.1.example.com Deny"),
    ],
)
async def test_the_page_names_the_place_to_return_to(play: Play, uri: str, said: str) -> None:
    app = await play.scene.app("Elsewhere", play.acme, play.ada, uri, kind="public")
    assert said in (await play.ask(app, redirect_uri=uri)).text


async def test_forms_may_lead_only_here_and_to_the_app(play: Play) -> None:
    page = await play.ask()
    assert "form-action 'self' https://app.example.com;" in page.headers["content-security-policy"]


async def test_whoever_is_not_signed_in_signs_in_first_and_comes_back(play: Play) -> None:
    browser = play.house.browser()
    page = await browser.get(play.link(play.app, state="a\\b c&d=é"))
    assert page.url.startswith(f"{ISSUER}/login?next=")
    page = await browser.fill_and_submit("Sign in", email="ada@example.com", password=PASSWORD)
    assert "Ledger Sync asks to act as you" in page.text
    assert brought(await browser.fill_and_submit("decision=allow"))["state"] == "a\\b c&d=é"


async def test_a_raw_backslash_in_the_link_survives_the_sign_in(play: Play) -> None:
    browser = play.house.browser()
    await browser.get(play.link(play.app, state=None) + "&state=a\\b")
    page = await browser.fill_and_submit("Sign in", email="ada@example.com", password=PASSWORD)
    assert "Ledger Sync asks to act as you" in page.text
    assert brought(await browser.fill_and_submit("decision=allow"))["state"] == "a\\b"


async def test_a_wrong_request_is_told_by_a_page_after_the_sign_in(play: Play) -> None:
    """Browsers hold the sign-in form to our own site, its redirects included, so a link leads to the app from there."""
    browser = play.house.browser()
    await browser.get(play.link(play.app, response_type="token"))
    page = await browser.fill_and_submit("Sign in", email="ada@example.com", password=PASSWORD)
    assert (page.status, page.title) == (400, "Ledger Sync cannot be let in · Keybearer")
    assert page.link("Back to app.example.com").startswith(f"{CALLBACK}?error=unsupported_response_type&")


async def test_another_account_can_be_used(play: Play) -> None:
    await play.ask()
    browser = await play.browser(play.ada)
    page = await browser.follow("Use another account")
    assert page.title == "Sign in · Keybearer"
    page = await browser.fill_and_submit("Sign in", email="bob@example.com", password=PASSWORD)
    assert "Signed in as Bob (bob@example.com)" in page.text
    await browser.fill_and_submit("decision=allow")
    assert [row["user_id"] for row in (await play.held())["grants"]] == [play.bob.user_id]


async def test_a_page_whose_session_has_expired_decides_nothing(play: Play, clock: HandClock) -> None:
    await play.ask()
    clock.advance(hours=9)
    before = await play.held()
    page = await play.decide("allow")
    assert page.status == 403
    assert "You are no longer signed in, so nothing was decided." in page.text
    assert await play.held() == before


async def test_a_page_works_for_ten_minutes(play: Play, clock: HandClock) -> None:
    await play.ask()
    clock.advance(minutes=10, seconds=-1)
    assert (await play.decide("allow")).status == 303
    await play.ask()
    clock.advance(minutes=10)
    before = await play.held()
    page = await play.decide("allow")
    assert page.status == 403
    assert "too old or was used already" in page.text
    assert await play.held() == before


async def test_of_a_sign_in_that_is_asked_again_and_again_the_newest_fifty_pages_work(
    play: Play, clock: HandClock
) -> None:
    link, pages = play.link(play.app), {}
    for number in range(52):
        browser = play.house.browser()
        browser.client.cookies = (await play.browser(play.ada)).client.cookies
        pages[number] = browser
        await browser.get(link)
        clock.advance(seconds=1)
    await play.ask(user=play.bob)
    assert len(await play.rows(tables.authorizations)) == MOST_OF_SESSION + 1
    assert (await pages[1].fill_and_submit("decision=deny")).status == 403
    for number in (2, 51):
        assert brought(await pages[number].fill_and_submit("decision=deny"))["error"] == "access_denied"


async def test_prompt_login_asks_for_the_password_again_and_comes_back(play: Play, clock: HandClock) -> None:
    await play.browser(play.ada)
    clock.advance(minutes=2)
    page = await play.ask(prompt="login")
    assert page.title == "Confirm it is you · Keybearer"
    browser = await play.browser(play.ada)
    page = await browser.fill_and_submit("Confirm", password=PASSWORD)
    assert "Ledger Sync asks to act as you" in page.text


@pytest.mark.parametrize("prompt", ["consent", "select_account", "consent select_account"])
async def test_these_prompts_are_what_the_page_does_anyway(play: Play, prompt: str) -> None:
    page = await play.ask(prompt=prompt)
    assert "Use another account" in page.text
    assert brought(await play.decide("allow"))["state"] == "s1"


async def test_prompt_none_is_told_that_somebody_has_to_be_asked(play: Play) -> None:
    told = brought(await play.ask(prompt="none"))
    assert (told["error"], told["state"], told["iss"]) == ("consent_required", "s1", ISSUER)


async def test_prompt_none_without_a_sign_in_is_told_only_to_an_app_that_somebody_let_in(play: Play) -> None:
    stranger = play.house.browser()
    page = await stranger.get(play.link(play.app, prompt="none"))
    assert (page.status, page.location) == (400, "")
    await play.pair()
    told = brought(await stranger.get(play.link(play.app, prompt="none")))
    assert (told["error"], told["iss"]) == ("login_required", ISSUER)


async def test_prompt_none_with_another_is_refused(play: Play) -> None:
    assert brought(await play.ask(prompt="none login"))["error"] == "invalid_request"
