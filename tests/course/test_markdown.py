"""Formulas, code and tables of the static site."""

from __future__ import annotations

import pytest

from gatework.course.lessons import lessons
from gatework.course.markdown import mathml, to_html
from gatework.errors import DataError


def test_a_formula_becomes_mathml_inline_and_on_its_own_line():
    page = to_html("Here $h_t$ stands.\n\n$$ c_t = f_t \\odot c_{t-1} $$\n")
    assert page.count("<math") == 2
    assert 'display="inline"' in page
    assert 'display="block"' in page
    assert "$" not in page


def test_aligned_equations_become_one_table_with_a_row_each():
    assert mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}", is_display=True).count("<mtr>") == 2


def test_no_formula_of_the_course_is_left_half_converted():
    for lesson in lessons():
        page = to_html(lesson.text)
        assert "\\" not in "".join(part.split("</math>")[0] for part in page.split("<math")[1:]), lesson.name


def test_a_broken_formula_is_named():
    with pytest.raises(DataError, match="cannot be converted to MathML"):
        mathml(r"\frac{1}{")


def test_code_is_coloured_and_escaped():
    page = to_html("```python\nx = 1 < 2  # less\n```\n")
    assert '<span class="c1"># less</span>' in page
    assert "&lt;" in page


def test_no_line_ends_between_a_formula_and_the_mark_after_it():
    page = to_html("First $h_t$, then $c_t$ (of $x_t$). $f$ alone")
    assert page.count('<span class="whole">') == 2
    assert page.count("</math></span>,</span>") == page.count("</math></span>).</span>") == 1


def test_a_table_scrolls_by_itself_where_it_is_too_wide():
    page = to_html("| a | b |\n| --- | --- |\n| 1 | 2 |\n")
    assert page.startswith('<div class="table"><table>')
    assert page.rstrip().endswith("</table></div>")
