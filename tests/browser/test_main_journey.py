"""The main journey in a real Chromium: a token by hand, an app let in, and both cut off again."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx2
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.support.callback import Callback, waiting_app
from tests.support.chromium import Camera
from tests.support.people import PASSWORD, address_of, told
from tests.support.processes import ServerProcess

EMAIL = address_of("ada")
ME = "/api/v2/me"


@pytest.fixture
def place(server: ServerProcess) -> ServerProcess:
    """Have a server with Ada in it, who owns a sandbox team."""
    about = ["user", "add", EMAIL, "--name", "Ada Lovelace", "--password-stdin", "--verified"]
    told(server, *about, stdin=f"{PASSWORD}\n")
    told(server, "team", "add", "Analytical Engines", "--environment", "sandbox", "--owner", EMAIL)
    return server


@pytest.fixture
def callback() -> Iterator[Callback]:
    """Have an app to come back to."""
    with waiting_app() as waiting:
        yield waiting


@asynccontextmanager
async def a_page(chromium: Browser, place: ServerProcess, *, scripts: bool = True) -> AsyncIterator[Page]:
    context = await chromium.new_context(
        base_url=place.url, java_script_enabled=scripts, viewport={"width": 1280, "height": 800}
    )
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=place.url)
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def sign_in(page: Page) -> None:
    await page.goto("/settings/tokens")
    await page.get_by_label("Email").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url("/settings/tokens")


async def called(place: ServerProcess, token: str, path: str = ME) -> tuple[int, str]:
    async with httpx2.AsyncClient(base_url=place.url) as program:
        answer = await program.get(path, headers={"authorization": f"Bearer {token}"})
        return answer.status_code, answer.text


async def test_a_token_is_made_copied_used_and_deleted(chromium: Browser, place: ServerProcess, camera: Camera) -> None:
    async with a_page(chromium, place) as page:
        await sign_in(page)
        await page.goto("/settings/tokens/new")
        await page.get_by_label("Name").fill("Nightly report")
        await page.get_by_role("button", name="Create token").click()
        shown = page.locator('code[data-kb="token"]')
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text(await shown.inner_text())
        await camera.look(page, "token")
        await dialog.get_by_role("button", name="Copy to clipboard").click()
        token = await page.evaluate("navigator.clipboard.readText()")
        assert token == await shown.inner_text()
        status, body = await called(place, token)
        assert (status, json.loads(body)["email"]) == (200, EMAIL)
        await dialog.get_by_text("Close").click()
        await expect(page.get_by_role("row", name="Nightly report")).to_contain_text(token[-4:])
        assert token not in await page.content()
        await page.get_by_role("row", name="Nightly report").get_by_role("button", name="Delete").click()
        await page.get_by_role("button", name="Delete token").click()
        await expect(page.locator(".banner.good")).to_contain_text("Nightly report")
        assert (await called(place, token))[0] == 401


@dataclass(frozen=True, slots=True)
class Registered:
    """What the app's maker copied from the page."""

    client_id: str
    secret: str
    redirect_uri: str

    def link(self, place: ServerProcess) -> str:
        """Return the app's link to the consent page."""
        asked = {"client_id": self.client_id, "redirect_uri": self.redirect_uri, "response_type": "code", "state": "s1"}
        return f"{place.url}/oauth/authorize?{urlencode(asked)}"


async def register(page: Page, redirect_uri: str) -> Registered:
    await page.goto("/settings/clients/new")
    await page.get_by_label("Name").fill("Ledger Sync")
    await page.get_by_label("Redirect URLs").fill(redirect_uri)
    await page.get_by_role("button", name="Create API client").click()
    client_id = await page.locator('code[data-kb="client-id"]').inner_text()
    return Registered(client_id, await page.locator('code[data-kb="client-secret"]').inner_text(), redirect_uri)


async def exchanged(place: ServerProcess, app: Registered, code: str) -> str:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri}
    async with httpx2.AsyncClient(base_url=place.url) as program:
        answer = await program.post("/oauth/token", data=form, auth=(app.client_id, app.secret))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


async def test_an_app_is_registered_denied_let_in_and_cut_off(
    chromium: Browser, place: ServerProcess, callback: Callback, camera: Camera
) -> None:
    async with a_page(chromium, place) as page:
        await sign_in(page)
        app = await register(page, callback.address)
        for button in ("Deny", "Allow"):
            await page.goto(app.link(place))
            await expect(page.get_by_role("button", name=button)).to_be_enabled()
            await camera.look(page, "consent")
            await page.get_by_role("button", name=button).click()
            await expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
        denied, allowed = callback.brought
        assert (denied["error"], denied["state"], denied["iss"]) == ("access_denied", "s1", place.url)
        assert (allowed["state"], allowed["iss"], set(allowed)) == ("s1", place.url, {"code", "state", "iss"})
        token = await exchanged(place, app, allowed["code"])
        assert (await called(place, token))[0] == 200
        await page.goto("/settings/apps")
        await page.get_by_role("row", name="Ledger Sync").get_by_role("button", name="Revoke").click()
        await page.get_by_role("main").get_by_role("button", name="Revoke").click()
        await expect(page.locator(".banner.good")).to_contain_text("Ledger Sync")
        assert (await called(place, token))[0] == 401


async def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until *target* has the focus, as somebody without a mouse does."""
    await expect(target).to_be_visible()
    for _ in range(60):
        if await target.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{target} is not reached by the keyboard")


async def test_signing_in_and_making_a_token_need_no_mouse(chromium: Browser, place: ServerProcess) -> None:
    async with a_page(chromium, place) as page:
        await page.goto("/settings/tokens")
        await tab_to(page, page.get_by_label("Email"))
        await page.keyboard.type(EMAIL)
        await tab_to(page, page.get_by_label("Password"))
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url("/settings/tokens")
        await tab_to(page, page.get_by_role("main").get_by_role("link", name="Create token").first)
        await page.keyboard.press("Enter")
        await tab_to(page, page.get_by_label("Name"))
        await page.keyboard.type("Without a mouse")
        await tab_to(page, page.get_by_role("button", name="Create token"))
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        assert await dialog.evaluate("dialog => dialog.contains(document.activeElement)")
        await tab_to(page, dialog.get_by_role("button", name="Copy to clipboard"))
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-announcer]")).to_contain_text("copied")
        token = await page.evaluate("navigator.clipboard.readText()")
        assert (await called(place, token))[0] == 200
        await tab_to(page, dialog.get_by_text("Close", exact=True))
        await page.keyboard.press("Enter")
        await expect(dialog).to_be_hidden()
        await expect(page.get_by_role("row", name="Without a mouse")).to_be_visible()


async def test_tokens_are_made_and_deleted_without_scripts(chromium: Browser, place: ServerProcess) -> None:
    async with a_page(chromium, place, scripts=False) as page:
        await sign_in(page)
        await page.goto("/settings/tokens/new")
        await page.get_by_label("Name").fill("Plain page")
        await page.get_by_role("button", name="Create token").click()
        token = await page.locator('code[data-kb="token"]').inner_text()
        await expect(page.get_by_role("button", name="Copy to clipboard")).to_be_hidden()
        assert (await called(place, token))[0] == 200
        await page.get_by_text("Close", exact=True).click()
        await page.get_by_role("row", name="Plain page").get_by_role("button", name="Delete").click()
        await page.get_by_role("button", name="Delete token").click()
        assert (await called(place, token))[0] == 401
