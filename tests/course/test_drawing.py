"""The drawing of the cell shows the values of a real run."""

from __future__ import annotations

import html
import json
import re

import pytest
import torch

from gatework.course import CellDrawing
from gatework.errors import UsageError
from gatework.nn import GRU, LSTM


@pytest.fixture
def trace():
    torch.manual_seed(0)
    with torch.no_grad():
        return LSTM(2, 3, num_layers=2).trace(torch.randn(5, 4, 2))


def steps_in(page):
    return json.loads(html.unescape(re.search(r'data-steps="([^"]*)"', page)[1]))


def test_every_step_of_the_chosen_unit_is_in_the_page(trace):
    steps = steps_in(CellDrawing(trace, unit=2, layer=1, sequence=3)._repr_html_())
    assert len(steps) == 5
    for name in ("i", "f", "g", "o", "c", "h"):
        assert [step[name] for step in steps] == pytest.approx(trace[name][1, 0, :, 3, 2].tolist(), abs=5e-5)
    assert steps[0]["c_before"] == 0
    assert [step["c_before"] for step in steps[1:]] == [step["c"] for step in steps[:-1]]


def test_the_first_view_needs_no_script(trace):
    drawing = CellDrawing(trace, inputs=[0.1, 0.2, 0.3, 0.4, 0.5], step=2)
    page = drawing._repr_html_()
    shown = {
        name: float(value.replace("−", "-"))
        for name, value in re.findall(r'data-name="(\w+)".*?class="value">([^<]+)<', page)
    }
    expected = {name: round(value, 2) for name, value in drawing.steps[2].items()}
    assert shown == pytest.approx(expected)
    assert not re.search(r"\{\w+(:\w+)?\}", page)


def test_a_gate_is_lit_by_its_value_and_a_negative_value_has_another_colour(trace):
    drawing = CellDrawing(trace)
    page = drawing._repr_html_()
    for name in ("i", "f", "g", "o"):
        sign, light = re.search(rf'class="gate (\w+)" style="--v:([\d.]+)" data-name="{name}"', page).groups()
        assert float(light) == pytest.approx(abs(drawing.steps[0][name]), abs=1e-3)
        assert sign == ("negative" if drawing.steps[0][name] < 0 else "positive")


def test_two_drawings_in_a_page_do_not_share_a_name(trace):
    drawing = CellDrawing(trace)
    names = {re.search(r'id="(cell-drawing-\d+)"', drawing._repr_html_())[1] for _ in range(2)}
    assert len(names) == 2


def test_a_word_stands_beside_the_step_that_it_was_given_for(trace):
    page = CellDrawing(trace, step=1, notes=["", "write <it>", "", "", ""])._repr_html_()
    assert ">2 of 5: write &lt;it&gt;</output>" in page
    assert [step["note"] for step in steps_in(page)] == ["", ": write <it>", "", "", ""]


def test_what_cannot_be_drawn_is_said_in_a_sentence(trace):
    with torch.no_grad():
        of_a_gru = GRU(2, 3).trace(torch.randn(5, 1, 2))
    with pytest.raises(UsageError, match="this trace has no f, i"):
        CellDrawing(of_a_gru)
    with pytest.raises(UsageError, match="no layer 0, sequence 0, unit 3"):
        CellDrawing(trace, unit=3)
    with pytest.raises(UsageError, match="5 steps, and there are 2 notes"):
        CellDrawing(trace, notes=["a", "b"])
    with pytest.raises(UsageError, match="5 steps, and no step 5"):
        CellDrawing(trace, step=5)
