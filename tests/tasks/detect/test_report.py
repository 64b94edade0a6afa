"""A detector's report: the answers of every row, its spans, and what is kept when there are too many rows to draw."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gatework.errors import RunError
from gatework.reports import report
from gatework.tasks.detect.report.detections import _kept
from gatework.training import train
from support.sensors import SETTINGS, spiked


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    frame = spiked(variables=2)
    run = train("detect", frame, out=tmp_path_factory.mktemp("report") / "run", target="value,other", **SETTINGS)
    return run.path


def page_data(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S).group(1))


def test_the_page_draws_every_row_with_its_band_and_lists_the_spans(folder):
    page = report(folder)
    found = page_data(page)["sections"]["detections"]
    answers = pl.read_parquet(folder / "detections.parquet")
    assert found["rows"] == len(answers) == 800
    assert found["variables"] == ["value", "other"]
    drawn = found["series"][0]
    assert len(drawn["time"]) == len(drawn["score"]) == 800
    assert all(set(part) == {"actual", "expected", "low", "high"} for part in drawn["variables"])
    spans = drawn["spans"]
    assert found["spans"] == len(spans) > 0
    spike = max(spans, key=lambda span: span["score"])
    assert spike["why"].startswith("other is ")
    assert spike["kind"] == "spike"
    assert "what stands out is" not in spike["why"]
    assert 'id="detection-plot"' in page.read_text(encoding="utf-8")


def test_leaving_rows_out_keeps_spans_and_extremes():
    rows = 10_000
    values = np.sin(np.arange(rows) / 50)
    values[1234], values[7777] = 9.0, -9.0
    span = np.where((np.arange(rows) >= 5000) & (np.arange(rows) < 5010), 1, 0)
    frame = pl.DataFrame({"value": values, "span": [int(s) or None for s in span]})
    kept = _kept(frame, ["value"], 500)
    assert {0, rows - 1, 1234, 7777, *range(5000, 5010)} <= set(kept.tolist())
    assert len(kept) <= 500 + 12


def test_a_run_says_first_how_many_spans_it_flagged_in_how_many_rows(folder):
    text = report(folder).read_text(encoding="utf-8")
    spans = pl.read_parquet(folder / "detections.parquet")["span"].drop_nulls().n_unique()
    assert f'<p class="verdict">{spans} spans in 800 rows.</p>' in text


def test_a_corrupt_file_of_answers_is_named(folder, tmp_path):
    copy = Path(shutil.copytree(folder, tmp_path / "run"))
    (copy / "detections.parquet").write_bytes(b"no parquet")
    with pytest.raises(RunError, match=r"detections\.parquet cannot be read"):
        report(copy)
    pl.read_parquet(folder / "detections.parquet").drop("span").write_parquet(copy / "detections.parquet")
    with pytest.raises(RunError, match=r"detections\.parquet and task\.json do not fit each other"):
        report(copy)
