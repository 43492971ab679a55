"""A real Chromium, the system's own, driven by Playwright; and pictures of what it shows."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TALLEST = 12_000  # CSS pixels; beyond, a picture takes longer than a test may
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


def chromium_program() -> str:
    """Find the system's Chromium."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise RuntimeError("Chromium is not installed: apt-get install chromium")
    return found


@asynccontextmanager
async def running_chromium(*settings: str) -> AsyncIterator[Browser]:
    """Run Chromium without a window while the block lasts; *settings* are further flags of its command line."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_program(), args=[*FLAGS, *settings])
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True, slots=True)
class Camera:
    """Takes pictures when the run was given `--pictures FOLDER`; else it does nothing."""

    folder: Path | None

    async def look(self, page: Page, name: str) -> None:
        """Keep a picture of the whole page as *name*.png; of a very long one, of what is seen first."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        await page.evaluate("scrollTo(0, 0)")  # what sticks to the top of the window belongs to the top of the picture
        is_whole = await page.evaluate("document.documentElement.scrollHeight") <= TALLEST
        await page.screenshot(path=self.folder / f"{name}.png", full_page=is_whole, animations="disabled")
