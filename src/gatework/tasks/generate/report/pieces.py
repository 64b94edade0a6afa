"""Texts as a page can hold them."""

from __future__ import annotations

import re

# Control characters show as the replacement character; the page's encoding has no other form for them.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def shown(text: str) -> str:
    """A text without what a page cannot show."""
    return _CONTROLS.sub("\ufffd", text)
