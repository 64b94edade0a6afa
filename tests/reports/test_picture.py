"""Pictures of predictions: a page, or an image of one of three kinds."""

import json
import re

import numpy as np
import pytest

from gatework.errors import UsageError
from gatework.reports import plot
from gatework.tasks import Band, Chart, Curve
from gatework.tasks._chart import histogram

TIMES = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]
SERIES = Chart(
    "sales <b>of</b> Bath",
    TIMES,
    [Curve("past", [1.0, 2.0, None, None]), Curve("forecast", [None, 2.0, 3.0, 4.0], "said")],
    [Band("80 % interval", [None, 2.0, 2.5, 3.0], [None, 2.0, 3.5, 5.0])],
    [("2024-01-02", "2024-01-03")],
    unit="sold",
)
BARS = Chart("Predicted classes", ["spam", "ham"], bars=[3, 5])


def test_a_page_holds_every_chart_with_its_values(tmp_path):
    text = plot([SERIES, BARS], tmp_path / "out.html", "Two <i>charts</i>").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text)[1])
    assert [chart["title"] for chart in data["charts"]] == ["sales <b>of</b> Bath", "Predicted classes"]
    assert data["charts"][0]["curves"][1]["values"] == [None, 2.0, 3.0, 4.0]
    assert 'id="chart-1"' in text
    assert "<b>of" not in text
    assert "<i>charts" not in text


@pytest.mark.parametrize(("ending", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_an_image_is_written_by_the_ending_of_its_name(tmp_path, ending, start):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    file = plot([SERIES, BARS], tmp_path / f"out{ending}")
    assert file.read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_another_ending_or_nothing_to_draw_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match=r'ends with ".gif", expected .html, .png, .svg, .pdf'):
        plot([SERIES], tmp_path / "out.gif")
    with pytest.raises(UsageError, match="there is nothing to draw"):
        plot([], tmp_path / "out.html")


def test_many_charts_are_cut_and_the_page_says_so(tmp_path):
    text = plot([SERIES] * 30, tmp_path / "out.html").read_text(encoding="utf-8")
    assert "The first 24 of 30 are drawn." in text
    assert 'id="chart-23"' in text
    assert 'id="chart-24"' not in text


def test_a_histogram_counts_every_finite_value():
    values = np.random.default_rng(0).normal(size=500)
    chart = histogram("values", [*values, float("nan")], "examples", bins=12)
    assert sum(chart.bars) == 500
    assert len(chart.bars) == len(chart.positions) == 12
