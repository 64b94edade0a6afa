"""A picture of a page's first screen: `python docs/screenshot.py PAGE OUT.png [light|dark] [#VIEW]`.

The view is what stands in a link to the page; a playground is given the time to reach the step that it names.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1180, 1120


def main(report: Path, out: Path, scheme: str = "light", view: str = "") -> None:
    """Opens the page in an installed Chromium and saves what a reader sees first."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
        page.goto(report.resolve().as_uri() + view)
        if step := re.search(r"step=(\d+)", view):
            page.wait_for_selector(f"body[data-state=paused][data-step='{step[1]}']", timeout=300_000)
        page.screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
