"""What tests of every part share: a real browser, which is told what a page may not do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gatework.cells import BUILT_IN, REGISTRY

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
def only_built_in_cells(monkeypatch):
    """No cell of a person's own is known, whatever the tests before have made."""
    for name in set(REGISTRY) - set(BUILT_IN):
        monkeypatch.delitem(REGISTRY, name)


@pytest.fixture(scope="session")
def browser():
    """An installed Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def show(browser):
    """Opens a page, and fails at the end if it asked for anything outside its file or reported an error."""
    opened, troubles = [], []

    def open_page(path: Path, scheme: str = "light", width: int = 1200, view: str = "", **options):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, **options)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        own = path.as_uri()
        page.on(
            "request",
            lambda r: None if r.url.split("#")[0] == own or r.url[:5] in ("data:", "blob:") else troubles.append(r.url),
        )
        page.goto(own + view)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert troubles == []
