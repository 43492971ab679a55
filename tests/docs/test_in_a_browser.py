"""What a script adds to the guides: one choice of language for all examples, on this page and the next."""

from playwright.async_api import Browser as Chromium
from playwright.async_api import Page

from tests.docs.conftest import Office


async def shown_languages(page: Page) -> set[str]:
    shown = page.locator(".example:visible")
    return {str(await shown.nth(at).get_attribute("data-language")) for at in range(await shown.count())}


async def test_a_language_is_chosen_once_for_every_example(office: Office, chromium: Chromium) -> None:
    context = await chromium.new_context(base_url=office.server.url)
    page = await context.new_page()
    await page.goto("/docs/first-call")
    assert await shown_languages(page) == {"bash"}
    await page.click("label[for=code-2-tab-python]")
    assert await shown_languages(page) == {"python"}
    await page.goto("/docs/refreshing")
    assert await shown_languages(page) == {"python"}
    await context.close()


async def test_without_a_script_each_example_is_chosen_by_itself(office: Office, chromium: Chromium) -> None:
    context = await chromium.new_context(base_url=office.server.url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/docs/first-call")
    await page.click("label[for=code-2-tab-javascript]")
    assert await shown_languages(page) == {"bash", "javascript"}
    await context.close()
