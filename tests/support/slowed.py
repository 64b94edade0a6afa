"""A pytest plugin that slows parts of every page down, so that a test which waits for too little is found.

    SLOW=timers,streams PYTHONPATH=tests python -m pytest -p support.slowed -m browser

SLOW names what is late: `workers` (messages to and from them), `timers`, `frames` (of animations), `streams` (what a
page unpacks) and `pages` (every address), each by SLOW_MS milliseconds, and `processor`, which is 15 times slower.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext

_DELAY = int(os.environ.get("SLOW_MS", "900"))
_TIMES_SLOWER = 15
_SCRIPTS = {
    "workers": """
        const later = setTimeout.bind(window), Real = Worker;
        window.Worker = class {
          constructor(...given) {
            this.real = new Real(...given);
            this.real.onmessage = (event) => later(() => this.onmessage?.(event), DELAY);
            this.real.onerror = (event) => this.onerror?.(event);
          }
          postMessage(...given) { later(() => this.real.postMessage(...given), DELAY); }
          terminate() { this.real.terminate(); }
        };""",
    "timers": """
        const real = setTimeout.bind(window);
        window.setTimeout = (call, wait, ...given) => real(call, (wait || 0) + DELAY, ...given);""",
    "frames": """
        const later = setTimeout.bind(window);
        window.requestAnimationFrame = (call) => later(() => call(performance.now()), DELAY);
        window.cancelAnimationFrame = (number) => clearTimeout(number);""",
    "streams": """
        const later = setTimeout.bind(window), real = Response.prototype.arrayBuffer;
        Response.prototype.arrayBuffer = async function () {
          await new Promise((go) => later(go, DELAY));
          return real.call(this);
        };""",
}
_KINDS = {*_SCRIPTS, "pages", "processor"}
SLOW = {kind for kind in os.environ.get("SLOW", "").split(",") if kind}
if not SLOW or SLOW - _KINDS:
    raise SystemExit(f"SLOW is {','.join(sorted(SLOW))!r}, expected some of {', '.join(sorted(_KINDS))}")


def _late(page: Any) -> Any:
    for kind in sorted(SLOW & set(_SCRIPTS)):
        page.add_init_script(f"{{{_SCRIPTS[kind].replace('DELAY', str(_DELAY))}}}")
    if "processor" in SLOW:
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": _TIMES_SLOWER})
    if "pages" in SLOW:
        page.route("file://**/*.html*", _go_on_late)
    return page


def _go_on_late(route: Any) -> None:
    time.sleep(_DELAY / 1000)
    route.continue_()


def _slowed(new_page: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *given, **options: _late(new_page(self, *given, **options))


for _opens in (Browser, BrowserContext):
    _opens.new_page = _slowed(_opens.new_page)  # type: ignore[method-assign]
