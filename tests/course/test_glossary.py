"""The glossary's links: one from each lesson to each of its terms."""

from __future__ import annotations

import re

from gatework.course import glossary
from gatework.course.lessons import lessons
from gatework.course.markdown import to_html


def test_every_term_has_a_place_of_its_own_in_the_page():
    page = glossary.anchored(to_html(glossary.text()))
    places = re.findall(r'<tr id="([^"]+)">', page)
    assert [place for place in places if place.startswith("term-")] == [glossary.anchor(t) for t in glossary.terms()]
    symbols = [glossary.symbol_anchor(symbol) for symbol in glossary.symbols()]
    assert set(symbols) <= {place for place in places if place.startswith("symbol-")}
    assert len({place.lower() for place in places}) == len(places) > 50


def test_only_the_first_bold_use_of_a_term_is_a_link_and_other_words_are_none():
    body = "<p><strong>Gate</strong> <strong>gates</strong> <strong>door</strong> gate <strong>gate</strong></p>"
    linked = glossary.linked(body)
    assert linked.startswith('<p><a class="term" href="glossary.html#term-gate"><strong>Gate</strong></a> <strong>')
    assert linked.count("<a ") == 1


def test_every_symbol_that_a_lesson_brings_leads_to_the_glossary_once():
    for lesson in (each for each in lessons() if each.number in glossary.symbols().values()):
        body = glossary.linked(to_html(lesson.text), lesson.number)
        brought = [glossary.symbol_anchor(s) for s, number in glossary.symbols().items() if number == lesson.number]
        assert sorted(re.findall(r'href="glossary.html#(symbol-[^"]+)"', body)) == sorted(brought)
        # A formula is no name of a link to every screen reader.
        assert len(re.findall(r'<a [^>]*symbol-[^>]* aria-label="\w+[^,]*, [\w ]+">', body)) == len(brought)
    assert "symbol-" not in glossary.linked(to_html(lessons()[9].text), 10), "another h, of a decoder"
