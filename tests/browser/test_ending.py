"""The line that says how far an end has come follows by itself, and tells aloud when it is over."""

import pytest
from playwright.async_api import Browser, expect

from tests.server.store.trial import execute
from tests.support.people import PASSWORD, address_of, told
from tests.support.processes import ServerProcess

EMAIL = address_of("ada")
SILENT = """INSERT INTO verifier_nodes (node_id, beat, is_closed, wanted, epoch, seq, reached)
    VALUES ('elsewhere', 0, 0, 0, '', 0, '{"an API": {"a process": 0}}')"""
CONFIRMING = """UPDATE verifier_nodes SET epoch = (SELECT epoch FROM feed_head), seq = wanted,
    reached = '{"an API": {"a process": ' || wanted || '}}' WHERE node_id = 'elsewhere'"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_line_follows_until_it_is_over(chromium: Browser, server: ServerProcess) -> None:
    told(server, "user", "add", EMAIL, "--name", "Ada", "--password-stdin", "--verified", stdin=f"{PASSWORD}\n")
    told(server, "team", "add", "Engines", "--environment", "sandbox", "--owner", EMAIL)
    url = server.environment["KEYBEARER_DATABASE_URL"]
    await execute(url, SILENT)
    page = await chromium.new_page(base_url=server.url)
    try:
        await page.goto("/login?next=/settings/tokens/new")
        await page.get_by_label("Email").fill(EMAIL)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_label("Name").fill("Nightly report")
        await page.get_by_role("button", name="Create token").click()
        await page.goto("/settings/tokens")
        await page.get_by_role("button", name="Delete").click()
        await page.get_by_role("button", name="Delete token").click()
        line = page.locator("[data-ending]")
        await expect(line).to_contain_text("no one accepts it any more. Look again")
        await execute(url, CONFIRMING)
        await expect(line).to_have_text("No one accepts it any more.", timeout=30_000)
        await expect(page.locator("[data-announcer]")).to_have_text("No one accepts it any more.")
    finally:
        await page.context.close()
