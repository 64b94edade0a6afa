"""What the site's search looks through."""

from __future__ import annotations

import json

from gatework.course.search import search_script


def entries_of(script):
    return json.loads(script.partition("const ENTRIES = ")[2].partition(";\nconst MOST")[0])


def test_every_part_and_every_term_is_an_entry_of_plain_text():
    body = (
        '<h1>Waves</h1><p>All &amp; more.</p><h2 id="data">The <em>data</em></h2><pre><code>x &lt; 3</code></pre>'
        '<script type="application/json">{"secret": 1}</script><h2 id="end">End</h2>'
    )
    glossary = '<tr id="term-gate">\n<td>gate</td>\n<td>a number <code>f</code></td>'
    assert entries_of(search_script({"05-waves.html": ("Waves", body)}, glossary)) == [
        {"page": "05-waves.html", "title": "Waves", "of": "", "text": "Waves All & more."},
        {"page": "05-waves.html#data", "title": "The data", "of": "Waves", "text": "x < 3"},
        {"page": "05-waves.html#end", "title": "End", "of": "Waves", "text": ""},
        {"page": "glossary.html#term-gate", "title": "gate", "of": "Symbols and terms", "text": "a number f"},
    ]
