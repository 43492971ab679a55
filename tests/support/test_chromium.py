"""The browser of the tests is a real one, and shares a loop with the tests that drive it."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.chromium import Camera

PAGE = "data:text/html,<title>A</title><p id=p></p><script>p.textContent = 6 * 7</script>"


@pytest.mark.parametrize("take", [1, 2])
async def test_the_browser_runs_scripts(chromium: Browser, take: int, tmp_path: Path) -> None:
    page = await chromium.new_page()
    await page.goto(PAGE)
    assert await page.inner_text("#p") == "42"
    await Camera(tmp_path / "pictures").look(page, f"answer-{take}")
    assert (tmp_path / f"pictures/answer-{take}.png").read_bytes().startswith(b"\x89PNG")
    await page.close()


async def test_without_a_folder_no_picture_is_taken(chromium: Browser, tmp_path: Path) -> None:
    page = await chromium.new_page()
    await Camera(None).look(page, "nothing")
    assert list(tmp_path.iterdir()) == []
    await page.close()
