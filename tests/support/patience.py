"""How long a test waits for what must come: never so short that a busy machine decides."""

from __future__ import annotations

import time
from typing import Any

SECONDS = 300.0


def until(page: Any, expression: str) -> None:
    """Waits until an expression is true in a page, whose policy forbids what playwright does of its own for this."""
    end = time.monotonic() + SECONDS
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"{expression}: {page.inner_text('body')[:2000]}"
        page.wait_for_timeout(20)
