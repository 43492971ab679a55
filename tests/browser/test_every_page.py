"""Every page in a real Chromium, wide and narrow, light and dark: nothing wrong for anybody, nothing in the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, NamedTuple

import pytest
from playwright.async_api import ConsoleMessage, Error, Page

from tests.support.chromium import Camera, running_chromium
from tests.support.gallery import Desks, at_desk
from tests.support.inspection import complaints_of_axe
from tests.support.processes import ServerProcess
from tests.support.views import VIEWS, View


class Look(NamedTuple):
    """How a page is looked at."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    is_inspected: bool  # by axe: both widths and both schemes, without paying for all four


LOOKS: Final = (
    Look("desktop-light", 1280, 800, "light", is_inspected=True),
    Look("desktop-dark", 1280, 800, "dark", is_inspected=False),
    Look("phone-dark", 390, 844, "dark", is_inspected=True),
    Look("phone-light", 390, 844, "light", is_inspected=False),
)
WIDTHS: Final = (1280, 1201, 1200, 801, 390, 320)  # CSS pixels: where the layout changes; the last: WCAG 2.2, 1.4.10
_OVERFLOWING: Final = """[document.scrollingElement, ...document.querySelectorAll(".table-wrap, .card")]
    .filter((box) => box.scrollWidth > box.clientWidth)
    .map((box) => `${box.className || box.tagName}: ${box.scrollWidth} > ${box.clientWidth}`)
    .concat([...document.querySelectorAll(".example > .button")]
        .filter((button) => button.getClientRects()[0]?.left
            < button.closest(".examples").querySelector("label:last-of-type").getBoundingClientRect().right)
        .map(() => "a language lies under the button"))"""
_MARK: Final = """(chosen) => { const { borderBottomWidth, outlineStyle } = getComputedStyle(chosen);
    return `${borderBottomWidth} ${outlineStyle}` }"""


@pytest.mark.parametrize("view", [pytest.param(view, id=view.name) for view in VIEWS])
async def test_a_page_is_fit_for_everybody(view: View, desks: Desks, camera: Camera) -> None:
    page = await desks.page_of(view.who, view.team)
    with listening(page) as heard:
        await go(page, view)
        assert await mistitled(page) == []
        for look in LOOKS:
            await see_as(page, look)
            await camera.look(page, f"{view.name}-{look.name}")
            if look.is_inspected:
                wrong = await complaints_of_axe(page)
                assert not wrong, f"{look.name}: {wrong}"
        assert await too_wide(page) == []
        assert heard == []


@pytest.mark.parametrize(
    ("address", "chosen", "other"),
    [
        ("/settings/tokens", ".tabs [aria-current]", ".tabs a:not([aria-current])"),
        ("/settings/tokens", ".side [aria-current]", ".side a:not([aria-current])"),
        ("/docs/oauth", ".examples :checked + label", ".examples :not(:checked) + label"),
    ],
)
async def test_what_is_chosen_is_marked_where_the_reader_picks_the_colours(
    address: str, chosen: str, other: str, desks: Desks
) -> None:
    page = await desks.page_of("Ada", "Sandbox")
    await page.goto(address)
    await page.emulate_media(forced_colors="active")
    marks = [await page.locator(which).first.evaluate(_MARK) for which in (chosen, other)]
    await page.emulate_media(forced_colors="none")
    assert marks[0] != marks[1]


async def test_whoever_has_letters_twice_as_large_scrolls_nothing_sideways(town: ServerProcess) -> None:
    async with running_chromium("--blink-settings=defaultFontSize=32") as browser:
        page = await browser.new_page(base_url=town.url, viewport={"width": 1280, "height": 800})
        await page.goto("/docs/errors")
        assert await page.evaluate(_OVERFLOWING) == []
        async with at_desk(browser, town, "Ada", "Sandbox") as phone:
            await phone.set_viewport_size({"width": 360, "height": 800})
            for address in ("/team/webhooks/new", "/switch-team"):
                await phone.goto(address)
                assert await phone.evaluate(_OVERFLOWING) == [], address


async def go(page: Page, view: View) -> None:
    """Open the page as somebody with a wide window does, and do there what the view is about."""
    await see_as(page, LOOKS[0])
    await page.mouse.move(0, 0)
    await page.goto(view.address)
    if view.then:
        await view.then(page)


async def see_as(page: Page, look: Look) -> None:
    """Turn the page as it stands into another look of it."""
    await page.set_viewport_size({"width": look.width, "height": look.height})
    await page.emulate_media(color_scheme=look.scheme)


async def mistitled(page: Page) -> list[str]:
    """Return the title if it does not say which team the page is about, and where, or says twice that it is wrong."""
    title = await page.title()
    teams = await page.locator(".switcher:has(.badge) .switcher-name").all_text_contents()
    return [title for team in teams if f" · {team} (" not in title or title.count("Error: ") > 1]


async def too_wide(page: Page) -> list[str]:
    """Return the widths at which one would have to scroll sideways, or a table leaves its frame."""
    found = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        found += [f"{box} at {width}" for box in await page.evaluate(_OVERFLOWING)]
    return found


@contextmanager
def listening(page: Page) -> Iterator[list[str]]:
    """Hear what the console complains of while the block lasts."""
    heard: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        heard.extend(_complaint(message))

    def hear_error(error: Error) -> None:
        heard.append(str(error))

    page.on("console", hear)
    page.on("pageerror", hear_error)
    try:
        yield heard
    finally:
        page.remove_listener("console", hear)
        page.remove_listener("pageerror", hear_error)


def _complaint(message: ConsoleMessage) -> list[str]:
    """Return what the console complains of; that a page came with a status of refusal is what some views are about."""
    is_status = message.text.startswith("Failed to load resource: the server responded with a status of 4")
    is_of_page = message.location["url"] == (message.page.url if message.page else "")
    if message.type not in {"error", "warning"} or (is_status and is_of_page):
        return []
    return [message.text]
