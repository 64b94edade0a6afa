"""What a report shows of forecasts: of a run alone as of a comparison, with figures that agree with the answers."""

import json
import re
import shutil

import numpy as np
import polars as pl
import pytest

from gatework.errors import RunError
from gatework.reports import report
from support.forecast_reports import figures, write_forecasts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_forecasts(tmp_path_factory.mktemp("forecasts") / "out")


def section(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', text)[1])["sections"]["forecasts"]


def test_networks_and_the_best_baseline_are_drawn_at_first_and_all_methods_can_be(folder):
    data = section(report(folder))
    assert data["methods"][:2] == ["lstm", "rnn"]
    assert len(data["methods"]) == 9
    assert data["checked"] == ["lstm", "rnn", data["methods"][2]]


def test_the_drawn_forecast_is_that_of_the_answers_and_begins_where_the_past_ends(folder):
    run = folder / "runs" / "rnn-seed0"
    data = section(report(run))
    answers, test = pl.read_parquet(run / "answers.parquet"), pl.read_parquet(folder / "test.parquet")
    assert len(data["origins"]) == len(test) == 40
    for k in (0, 39):
        origin = data["origins"][k]
        quantiles = answers["quantiles"].to_numpy()[k]
        assert pytest.approx(quantiles, rel=1e-4) == np.array(origin["said"]["rnn"]).T
        assert [origin["before"]["x"][-1], *origin["x"]] == test["time"][k].to_list()[-13:]
        assert origin["before"]["y"][-1] == pytest.approx(test["input"][k].to_list()[-1], rel=1e-4)


def test_figures_by_step_and_by_series_are_means_of_the_same_errors(folder):
    run = folder / "runs" / "lstm-seed0"
    page = report(run)
    data = section(page)
    answers = pl.read_parquet(run / "answers.parquet")
    actual = answers["actual"].to_numpy()
    seen = (~np.isnan(actual)).sum(axis=0)
    mase = figures(answers)["mase"]
    assert np.average(data["by_step"]["lstm"], weights=seen) == pytest.approx(mase, rel=1e-4)
    held = figures(answers)["coverage_80"]
    assert np.average(data["coverage"]["lstm"], weights=seen) == pytest.approx(held, rel=1e-4)
    text = page.read_text(encoding="utf-8")
    for number, name in enumerate(("Bath", "Ulm")):
        own = figures(answers.filter(pl.col("series") == number))
        row = re.search(rf"<bdi>{name}</bdi></th>(.*?)</tr>", text, re.S)[1]
        assert f"<td>{own['mase']:.3f}</td>" in row
        assert f"<td>{100 * own['coverage_80']:.0f} %</td>" in row


def test_a_run_says_first_what_its_intervals_held(folder):
    text = report(folder / "runs" / "lstm-seed0").read_text(encoding="utf-8")
    held = figures(pl.read_parquet(folder / "runs" / "lstm-seed0" / "answers.parquet"))["coverage_80"]
    assert f'"verdict">Forecasts 12 steps ahead; the 80 % interval held {100 * held:.0f} % of the test values.<' in text


def test_the_recipe_shows_what_the_table_decided_and_no_option_of_texts(folder):
    text = report(folder / "runs" / "lstm-seed0").read_text(encoding="utf-8")
    recipe = re.search(r"<h3>Recipe</h3>(.*?)</dl>", text, re.S)[1]
    assert "<dt>window</dt><dd><bdi>24</bdi></dd>" in re.sub(r"\s+<", "<", recipe)
    assert "vocabulary" not in recipe


def test_forecasts_with_other_quantiles_are_refused(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    file = copy / "runs" / "lstm-seed0" / "answers.parquet"
    answers = pl.read_parquet(file)
    five = answers["quantiles"].to_numpy()[..., :5]
    answers.with_columns(quantiles=pl.Series(np.ascontiguousarray(five))).write_parquet(file)
    with pytest.raises(RunError, match=r'the forecasts of "lstm" have shape \(40, 12, 5\), expected \(40, 12, 7\)'):
        report(copy)
