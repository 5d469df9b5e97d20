"""What all tests share: compiled programs, and a reader with a browser, where one is installed."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests take minutes: at the end one worker would be left alone with them."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
def compiled_programs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One cache of compiled programs for the processes of all tests, new for each call of pytest."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    os.environ.setdefault("SIXTEEN_CACHE", str(folder / "programs"))


@pytest.fixture
def chromium() -> Iterator[Any]:
    """A Chromium, driven by playwright. It lives for one test, since its event loop shuts out other ones."""
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
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def read_page(chromium: Any) -> Callable[[Path], int]:
    """Opens a page as a reader would and returns how many images it shows.

    Fails on any console message, error, request but for the page itself, broken image, or link that leads
    nowhere.
    """
    return lambda path: _read(chromium.new_page(), path)


def _read(page: Any, path: Path) -> int:
    address = path.resolve().as_uri()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on(
        "request",
        lambda request: (
            request.url.startswith((address, "data:")) or complaints.append(request.url)
        ),
    )
    page.goto(address)
    links = page.evaluate("Array.from(document.links, a => a.href)")
    widths = page.evaluate("Array.from(document.images, image => image.naturalWidth)")
    page.close()
    assert complaints == []
    assert all(widths), "an image is broken"
    for link in links:
        assert Path(link.removeprefix("file://").partition("#")[0]).exists(), link
    return len(widths)
