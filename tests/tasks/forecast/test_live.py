"""The live page of forecasts in a real browser: it says what Python says, and follows a point that is dragged."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from gatework.inside.page import write_page
from gatework.tasks.forecast.metrics import LEVELS
from support.daily_tables import daily, trained

STEPS = np.arange(90)
WAVE = 50 + 10 * np.sin(STEPS / 2) + np.random.default_rng(0).normal(size=90)
CHANGES = [
    {"skip": "last", "segment": 2},
    {"skip": "linear", "cell": "gru", "layers": 2, "distribution": "student", "networks": 2},
    {"skip": "last", "segment": 2, "distribution": "negative-binomial", "decoder": "recursive", "networks": 2},
    {"skip": "mean", "segment": 2, "distribution": "auto", "log_scale": True},
    {"skip": "seasonal", "season": 7, "decoder": "recursive", "known": "promo", "calendar": True, "log_scale": True},
]
COUNTS = np.random.default_rng(1).poisson(np.exp(1 + np.sin(STEPS / 2)))
SAID = "() => gatework.forecasters.map((f) => f.windows.map((w) => f.answer(w.values, w).quantiles))"
CHANGED = """(value) => { const f = gatework.forecasters[0], w = f.windows[0], values = [...w.values];
  values[values.length - 2] = value; return f.answer(values, w).quantiles; }"""
ANSWERED = "(values) => gatework.forecasters[0].answer(values, gatework.forecasters[0].windows[0]).quantiles"


@pytest.mark.browser
@pytest.mark.parametrize("changes", CHANGES, ids=lambda c: c.get("distribution", c["skip"]))
def test_the_page_forecasts_as_python_does_and_follows_a_changed_point(show, tmp_path, changes):
    values = COUNTS if changes.get("distribution") in ("auto", "negative-binomial") else WAVE
    if "known" in changes:
        values = values * 1.2 ** (STEPS % 5)
    table = daily(values, promo=STEPS % 5)
    run = trained(table, tmp_path / "run", epochs=2, **changes)
    ahead = daily(np.full(4, np.nan), "2020-03-31", promo=np.arange(4) % 5)
    future = ahead.with_columns(y=pl.lit(None, pl.Float64))
    given = run.task.read(future, run.recipe) if "known" in changes else None
    page = show(write_page([run], tmp_path / "inspect.html", given), motion="reduce")
    page.wait_for_selector("body[data-said]")
    rows = run.predict(future if "known" in changes else None)
    names = ["forecast" if level == 0.5 else f"q{level}" for level in LEVELS]
    expected = rows.select(names).to_numpy()
    np.testing.assert_allclose(page.evaluate(SAID)[0][0], expected, rtol=2e-5)
    if "known" in changes:
        # Without a future to look at, the table's last steps are forecast, from all of the window that stands before.
        about = run.task.live(run.network, None, None).about
        window, horizon = run.task.plan.window, run.task.plan.horizon
        assert about["missingAhead"] == ["promo"]
        np.testing.assert_allclose(about["windows"][0]["values"], values[-window - horizon : -horizon])
        return
    moved = table.with_columns(y=pl.Series([*values[:-2], 80.0, values[-1]], dtype=pl.Float64))
    changed = run.predict(moved)["forecast"]
    np.testing.assert_allclose([row[LEVELS.index(0.5)] for row in page.evaluate(CHANGED, 80.0)], changed, rtol=2e-5)
    before = page.inner_text("#said")
    page.locator(".forecast-chart").press("PageUp")
    # A count may stay what it was.
    assert values is COUNTS or page.inner_text("#said") != before
    assert "was" in page.inner_text("#point")


@pytest.mark.browser
@pytest.mark.parametrize("window", [14, 7], ids=["whole", "short"])
def test_a_closed_day_is_zero_on_the_page_until_a_point_there_is_lifted(show, tmp_path, window):
    random = np.random.default_rng(2)
    values = np.where(np.arange(420) % 7 == 6, 0, random.poisson(30, 420) + 1)
    table = daily(values)
    run = trained(table, tmp_path / "run", epochs=2, skip="last", window=window, segment=7, horizon=9, season=7)
    page = show(write_page([run], tmp_path / "inspect.html", None), motion="reduce")
    page.wait_for_selector("body[data-said]")
    names = ["forecast" if level == 0.5 else f"q{level}" for level in LEVELS]
    expected = run.predict().select(names).to_numpy()
    assert np.flatnonzero(expected[:, LEVELS.index(0.5)] == 0).tolist() == [6]
    np.testing.assert_allclose(page.evaluate(SAID)[0][0], expected, rtol=2e-5)
    assert "always 0 are forecast as 0" in page.inner_text("#answered")
    once, twice = np.array([*values[:-1], 40.0]), values.astype(np.float64)
    twice[[-8, -1]] = 40.0
    for lifted in (once, twice):
        changed = run.predict(table.with_columns(y=pl.Series(lifted))).select(names).to_numpy()
        assert (changed[:, LEVELS.index(0.5)] > 0).all()
        # Two open days in a row say that it is open now.
        assert (changed[6, LEVELS.index(0.5)] == 40) == (lifted is twice)
        if lifted is once or window == 14:
            said = page.evaluate(ANSWERED, lifted[-window:].tolist())
            np.testing.assert_allclose(said, changed, rtol=2e-5)
