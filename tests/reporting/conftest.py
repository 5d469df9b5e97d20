"""A headless browser, where one is installed."""

import shutil
from collections.abc import Iterator

import pytest


@pytest.fixture
def browser() -> Iterator[object]:
    """Chromium without a window; it lives for one test, since its event loop shuts out other ones."""
    program = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if program is None:
        pytest.skip("no Chromium is installed, so the pages can't be opened as a reader would")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
    arguments = [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
    ]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()
