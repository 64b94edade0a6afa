"""The live page of detectors in a real browser: it says what Python says, and follows a point that is dragged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from gatework.inside.page import write_page
from gatework.tasks.detect.detector import Detector, read_rows
from gatework.tasks.detect.kinds import KINDS
from gatework.tasks.detect.live.carried import carried
from gatework.tasks.detect.value_rules import Extent, RangeRule
from gatework.training import Run
from support.sensors import SPIKE, payments, resting, spiked

ANSWERED = """(change) => gatework.detectors[0].windows.map((window) => {
  const values = window.values.map((row) => row.map((v) => v ?? NaN));
  if (change) values[change[0]][0] = change[1];
  return { ...gatework.detectors[0].answer(values, window), stamps: window.stamps, traces: null, judged: null };
})"""
# The page is in double precision from weights of 24 bits, Python in single precision over a recurrence.
NEAR = {"rtol": 2e-4, "atol": 2e-5}


def rows_of(run):
    """Rows with a spike and a sensor that is stuck, and a value that is missing; for labels, payments."""
    if run.task.scorer == "label":
        return payments(accounts=2, seed=5)
    frame = spiked(variables=len(run.task.variables))
    if run.task.extents.pooled.rest[0] == 0:
        # Slightly below its rest, and later at another value for long.
        frame = resting(frame)
        values = frame["value"].to_numpy().copy()
        values[SPIKE - 100], values[SPIKE - 35 : SPIKE - 2] = -0.1, 0.5
        frame = frame.with_columns(value=pl.Series(values))
    values = frame["value"].to_numpy().copy()
    values[SPIKE - 60 : SPIKE - 40] = values[SPIKE - 60]
    values[SPIKE + 10] = np.nan
    return frame.with_columns(value=pl.Series(values).fill_nan(None))


def assert_same(page, at, answers):
    """Asserts that a stretch of a page is answered as Python answers these rows from `at` on."""
    rows = slice(at, at + len(page["scores"]))
    for name in ("scores", "expected", "low", "high"):
        np.testing.assert_allclose(np.array(page[name], np.float64), getattr(answers, name)[rows], **NEAR)
    assert page["kinds"] == answers.kinds[rows].tolist()
    assert page["causes"] == answers.causes[rows].tolist()


@pytest.fixture
def adaptive_run(forecast_run):
    """The same network, judged by another threshold."""
    run = Run.open(forecast_run.path)
    vars(run)["task"] = replace(run.task, settings=replace(run.task.settings, threshold="adaptive"))
    return run


@pytest.mark.browser
@pytest.mark.parametrize(
    "name", ["forecast_run", "adaptive_run", "related_run", "resting_run", "restoring_run", "labelled_run"]
)
def test_the_page_answers_as_python_does_and_follows_a_changed_point(name, request, show, tmp_path):
    run = request.getfixturevalue(name)
    frame = rows_of(run)
    series = read_rows(frame, run.recipe, run.task).series
    detector = Detector.of(run)
    page = show(write_page([run], tmp_path / "inspect.html", frame), motion="reduce")
    page.wait_for_selector("body[data-said]")
    stretches = page.evaluate(ANSWERED, None)
    rows = series[0]
    at = int(np.flatnonzero(rows.stamps == stretches[0]["stamps"][0])[0])
    assert_same(stretches[0], at, detector.answers(rows))

    step = 5
    rows.values[at + step, 0] *= 1.7
    assert_same(page.evaluate(ANSWERED, [step, rows.values[at + step, 0]])[0], at, detector.answers(rows))
    before = page.inner_text("#point")
    page.locator(".detect-chart").press("PageUp")
    assert "was" in page.inner_text("#point")
    assert page.inner_text("#point") != before


@pytest.mark.browser
def test_the_pages_range_is_left_and_learnt_as_pythons(forecast_run, show, tmp_path):
    page = show(write_page([forecast_run], tmp_path / "inspect.html", rows_of(forecast_run)))
    page.wait_for_selector("body[data-said]")
    random = np.random.default_rng(0)
    rule = RangeRule(Extent.fit([random.normal(size=(200, 2))]), np.ones(2))
    values = random.normal(size=(2400, 2))
    values[100::130] *= 3
    values[2000:, 1] += 6
    rule.run(values[:900])
    said = page.evaluate(
        "([carried, values]) => new RangeRule(carried).run(values).ratios", [carried(rule), values[900:].tolist()]
    )
    np.testing.assert_allclose(said, rule.run(values[900:]), rtol=1e-9)


@pytest.mark.browser
def test_a_page_of_a_run_begins_where_most_stands_out_and_says_why(forecast_run, show, tmp_path):
    page = show(write_page([forecast_run], tmp_path / "inspect.html", rows_of(forecast_run)), width=390)
    page.wait_for_selector("body[data-said]")
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert page.inner_text("#said").startswith(f"Anomalous: {KINDS[0]}, score ")
    assert "single row" in page.inner_text("#reasons tr.above >> nth=0")
    page.evaluate("gatework.step -= 45; gatework.show()")
    assert page.inner_text("#said").startswith("Anomalous: stuck")
    assert "more than 5 repeats stand out" in page.inner_text("#reasons tr.above")
