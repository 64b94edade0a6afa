"""What every page is made of."""

from __future__ import annotations

import re
from pathlib import Path

import gatework

TEMPLATES = sorted(Path(gatework.__file__).parent.rglob("*.html"))


def test_what_scrolls_by_itself_is_reached_from_the_keyboard_and_has_a_name():
    found = [tag for path in TEMPLATES for tag in re.findall(r'<[^>]*class="scroll"[^>]*>', path.read_text("utf-8"))]
    assert len(found) > 8
    assert [tag for tag in found if not re.search(r'tabindex="0" role="region" aria-label="[^"]+"', tag)] == []


def test_no_column_of_a_page_is_without_a_name():
    assert [path.name for path in TEMPLATES if re.search(r"<th[^>]*></th>", path.read_text("utf-8"))] == []
