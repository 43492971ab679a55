"""What axe-core finds wrong with the page in a browser, for people who do not see, point or read as others do."""

from typing import Final

from axe_playwright_python.async_playwright import Axe
from axe_playwright_python.base import AxeResults
from playwright.async_api import Page

_STANDARDS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Style sheets and media need not be fetched once more: only rules about sound and about turned screens would read them.
_HOW: Final = {"runOnly": _STANDARDS, "resultTypes": ["violations"], "preload": False}
_PROGRAM: Final = f"{Axe().axe_script};0"  # 0: axe itself is not an answer worth sending back


async def complaints_of_axe(page: Page) -> str:
    """Return a report of what is wrong with the page as it stands now; '' if nothing is."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_PROGRAM)
    found = AxeResults(await page.evaluate("how => axe.run(how).then(({ violations }) => ({ violations }))", _HOW))
    return str(found.generate_report()) if found.violations_count else ""
