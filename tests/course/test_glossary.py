"""The glossary's links: one from each lesson to each of its terms."""

from __future__ import annotations

import re

from gatework.course import glossary
from gatework.course.markdown import to_html


def test_every_term_has_a_place_of_its_own_in_the_page():
    page = glossary.anchored(to_html(glossary.text()))
    places = re.findall(r'<tr id="([^"]+)">', page)
    assert places == [glossary.anchor(term) for term in glossary.terms()]
    assert len(set(places)) == len(places) > 30


def test_only_the_first_bold_use_of_a_term_is_a_link_and_other_words_are_none():
    body = "<p><strong>Gate</strong> <strong>gates</strong> <strong>door</strong> gate <strong>gate</strong></p>"
    linked = glossary.linked(body)
    assert linked.startswith('<p><a class="term" href="glossary.html#term-gate"><strong>Gate</strong></a> <strong>')
    assert linked.count("<a ") == 1
