"""Every page in a real Chromium, wide and narrow, light and dark: nothing wrong for anybody, nothing in the console."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Literal, NamedTuple

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.support import gallery
from tests.support.chromium import Camera
from tests.support.databases import copy_sqlite
from tests.support.processes import ServerProcess, server_process
from tests.support.views import VIEWS, View


class Look(NamedTuple):
    """How a page is looked at."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    is_checked: bool  # by axe: both widths and both schemes, without paying for all four


LOOKS: Final = (
    Look("desktop-light", 1280, 800, "light", is_checked=True),
    Look("desktop-dark", 1280, 800, "dark", is_checked=False),
    Look("phone-light", 390, 844, "light", is_checked=False),
    Look("phone-dark", 390, 844, "dark", is_checked=True),
)
OTHER_WIDTHS: Final = (1120, 820, 320)  # CSS pixels: around where the layout changes; the last is WCAG 2.2, 1.4.10
STANDARDS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_AXE: Final = Axe()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[ServerProcess]:
    """Run one server with a life behind it."""
    folder = tmp_path_factory.mktemp("gallery")
    server = server_process(folder, copy_sqlite(migrated_sqlite, folder / "keybearer.db"))
    asyncio.run(gallery.fill(server))
    server.start()
    yield server
    server.stop()


class Desks:
    """Who sits at which browser, in which team; everybody signs in once there."""

    def __init__(self, chromium: Browser, town: ServerProcess, lent: AsyncExitStack) -> None:
        self._chromium = chromium
        self._town = town
        self._lent = lent
        self._taken: dict[tuple[str, str], BrowserContext] = {}

    async def of(self, name: str, team: str) -> BrowserContext:
        if (name, team) not in self._taken:
            desk = gallery.at_desk(self._chromium, self._town, name, team)
            self._taken[name, team] = await self._lent.enter_async_context(desk)
        return self._taken[name, team]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desks(chromium: Browser, town: ServerProcess) -> AsyncIterator[Desks]:
    async with AsyncExitStack() as lent:
        yield Desks(chromium, town, lent)


@pytest.mark.parametrize("view", [pytest.param(view, id=view.name) for view in VIEWS])
async def test_a_page_is_fit_for_everybody(view: View, desks: Desks, camera: Camera) -> None:
    page = await (await desks.of(view.who, view.team)).new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.extend(_complaint(message)))
    page.on("pageerror", lambda error: heard.append(str(error)))
    await _go(page, view)
    for look in LOOKS:
        await page.set_viewport_size({"width": look.width, "height": look.height})
        await page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")
        assert await page.evaluate("document.scrollingElement.scrollWidth") <= look.width, look.name
        await page.evaluate("window.scrollTo(0, 0)")
        await camera.look(page, f"{view.name}-{look.name}")
        if look.is_checked:
            found = await _AXE.run(page, options={"runOnly": STANDARDS, "resultTypes": ["violations"]})
            assert found.violations_count == 0, f"{look.name}: {found.generate_report()}"
    for width in OTHER_WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.scrollingElement.scrollWidth") <= width, width
    assert heard == []
    await page.close()


async def _go(page: Page, view: View) -> None:
    await page.set_viewport_size({"width": LOOKS[0].width, "height": LOOKS[0].height})
    await page.goto(view.address)
    if view.then:
        await view.then(page)


def _complaint(message: ConsoleMessage) -> list[str]:
    """Return what the console complains of; that a page came with a status of refusal is what some views are about."""
    is_status = message.text.startswith("Failed to load resource: the server responded with a status of 4")
    is_of_page = message.location["url"] == (message.page.url if message.page else "")
    if message.type not in {"error", "warning"} or (is_status and is_of_page):
        return []
    return [message.text]
