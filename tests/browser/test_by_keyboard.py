"""Where the keyboard's focus is: what is said to somebody who cannot see the page is where the focus goes."""

from playwright.async_api import Page, expect

from tests.support.gallery import Desks
from tests.support.views import asking


async def reach(page: Page, words: str) -> None:
    """Press Tab until what has the focus begins with *words*."""
    for _ in range(60):
        if await page.evaluate("words => document.activeElement.textContent.trim().startsWith(words)", words):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{words!r} is not reached by the keyboard")


async def test_the_first_key_leads_past_the_ways_around(desks: Desks) -> None:
    page = await desks.page_of("Ada", "Sandbox")
    await page.goto("/settings/clients")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.closest('main') !== null")


async def test_a_wrong_form_has_the_focus_on_its_errors_and_each_leads_to_its_field(desks: Desks) -> None:
    page = await desks.page_of("Ada", "Sandbox")
    await page.goto("/settings/clients/new")
    await page.fill("[name=name]", "\u202e")
    await page.fill("[name=redirect_uris]", "http://a.example/cb")
    await page.press("[name=name]", "Enter")
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page).to_have_title("Error: Create API client · Analytical Engines (sandbox) · Keybearer")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    field = page.locator("[name=redirect_uris]")
    await expect(field).to_be_focused()
    await expect(field).to_have_accessible_description(
        "Where users are sent back to: one on each line, or separated by commas. Each starts with https:// and is"
        " matched exactly. Plain http is for http://127.0.0.1 and http://localhost, in the sandbox."
        " http://a.example/cb is not encrypted."
        " Use https://; plain http is for http://127.0.0.1 and http://localhost only."
    )


async def test_what_was_done_has_the_focus_and_the_page_goes_on_from_there(desks: Desks) -> None:
    page = await desks.page_of("Ada", "Sandbox")
    await page.goto("/settings/account")
    await page.press("[name=name]", "Enter")
    notice = page.locator(".banner.good")
    await expect(notice).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.locator("[name=name]")).to_be_focused()


async def test_escape_closes_the_menu_and_gives_the_focus_back(desks: Desks) -> None:
    page = await desks.page_of("Ada", "Sandbox")
    await page.goto("/settings/account")
    summary = page.locator("details.menu summary")
    await summary.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Escape")
    await expect(page.locator(".menu-panel")).to_be_hidden()
    await expect(summary).to_be_focused()


async def test_an_app_is_judged_by_the_keyboard_and_an_early_key_lets_nothing_in(desks: Desks) -> None:
    page = await desks.page_of("Ada", "Sandbox")
    await page.goto(asking())
    allow = page.get_by_role("button", name="Allow")
    await expect(allow).to_be_disabled()
    await expect(allow).to_be_enabled()
    await reach(page, "Use another account")
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    assert await page.evaluate("document.activeElement.checked && document.activeElement.name") == "team"
    await reach(page, "Deny")
    await page.keyboard.press("Tab")
    await expect(allow).to_be_focused()
