"""Runs that answer with the network, simple methods, or their weighted mean."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gatework
from gatework._files import read_json
from gatework.errors import RunError
from gatework.reports import write_run_report
from gatework.tasks._blend import MEAN, NETWORK, Blend
from gatework.tasks.forecast.baselines import fitted
from gatework.tasks.forecast.blend import before_validation, candidates, offering
from gatework.tasks.forecast.data import forecast_dataset
from gatework.tasks.forecast.methods import PastQuantiles
from gatework.tasks.forecast.metrics import LEVELS
from gatework.tasks.forecast.shares import ANSWER, mean
from gatework.tasks.forecast.statistical import STATISTICAL
from gatework.tasks.forecast.windows import origins_of
from gatework.training.run import Run
from support.command_line import run_here
from support.daily_tables import daily, small, trained

WEEK = np.array([0.0, 8.0, 3.0, -2.0, -6.0, 1.0, 5.0])


def weekly(steps: int, seed: int = 0) -> np.ndarray:
    """A trend with a week that never changes, which exponential smoothing is made for."""
    noise = np.random.default_rng(seed).normal(size=steps)
    return 50 + 0.3 * np.arange(steps) + np.resize(WEEK, steps) + noise


pytestmark = pytest.mark.usefixtures("without_arima")


OPTIONS = {"blend": True, "epochs": 2, "horizon": 7, "test_steps": 21, "validation_steps": 21, "hidden": 8}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(daily(weekly(150)), tmp_path_factory.mktemp("blend") / "run", **OPTIONS)


def test_the_answer_is_no_worse_than_the_best_simple_method_and_the_network_stands_beside(run: Run) -> None:
    summary = run.summary
    assert "AutoETS" in summary["answer"]["weights"]
    assert run.task.extras == ("forecast",)
    assert {NETWORK, "naive", "drift", "seasonal naive", "linear on lags"} <= set(summary["answer"]["validation"])
    assert summary["metrics"]["test_mase"] < summary["network"]["test_mase"]
    answers, alone = (pl.read_parquet(run.path / f"{name}.parquet") for name in ("answers", "network"))
    assert run.task.metrics(answers)["mase"] == summary["metrics"]["test_mase"]
    assert run.task.metrics(alone)["mase"] == summary["network"]["test_mase"]
    quantiles = answers["quantiles"].to_numpy()
    assert (np.diff(quantiles, axis=-1) >= 0).all()


def test_the_network_is_trained_as_without_a_blend(run: Run, tmp_path: Path) -> None:
    alone = trained(daily(weekly(150)), tmp_path / "run", **{**OPTIONS, "blend": False})
    assert alone.summary["metrics"] == run.summary["network"]
    assert (alone.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()
    assert "answer" not in alone.summary
    assert run.predict()["network"].to_list() == alone.predict()["forecast"].to_list()


def test_predictions_say_who_answers(run: Run) -> None:
    rows = run.predict()
    assert rows["method"].unique().to_list() == [run.summary["answer"]["name"]]
    # Of a line with a season, all that is unknown of the next week is the noise, of spread 1.
    np.testing.assert_allclose(rows["forecast"], (50 + 0.3 * np.arange(157) + np.resize(WEEK, 157))[150:], atol=2.5)


def test_an_opened_run_answers_newer_rows_as_the_whole_table(run: Run) -> None:
    opened = Run.open(run.path)
    whole = opened.predict(daily(weekly(160)))
    alone = opened.predict(daily(weekly(160)[150:], start="2020-05-30"))
    np.testing.assert_allclose(whole["forecast"], alone["forecast"], rtol=1e-6)
    assert whole["method"].to_list() == alone["method"].to_list()
    scores = opened.evaluate(daily(weekly(190)))
    assert scores.metrics["mase"] < scores.baselines["network alone"]["mase"]


def test_intervals_learn_from_simple_methods_before_the_validation_part_where_the_network_cannot_answer() -> None:
    dataset = forecast_dataset(daily(weekly(150)), small(horizon=7, window=14, test_steps=21, validation_steps=21))
    weights = {"AutoETS": 0.4, "linear on lags": 0.2, NETWORK: 0.4}
    said, origins = before_validation(Blend(weights, {}), dataset)
    # Four times the validation part, of which a window and a horizon stand before each origin.
    end = 150 - 21 - 21
    assert origins.index[:, 2].tolist() == list(range(end - 4 * 21, end - 7 + 1))
    methods = {fit.method.name: fit.method.quantiles(origins) for fit in fitted(dataset, "validation")}
    np.testing.assert_allclose(said[ANSWER], (2 * methods["AutoETS"] + methods["linear on lags"]) / 3)
    assert np.isnan(said[NETWORK]).all()
    assert len(before_validation(Blend({NETWORK: 1.0}, {}), dataset)[1]) == 0
    plan = dataclasses.replace(dataset.plan, window=98)
    none, _ = before_validation(Blend(weights, {}), dataclasses.replace(dataset, plan=plan))
    assert {len(quantiles) for quantiles in none.values()} == {0}


def test_a_short_validation_part_in_stormy_days_does_not_widen_intervals_for_long(tmp_path: Path) -> None:
    spread, random = np.ones(200), np.random.default_rng(2)
    spread[-56:-35] = 4
    values = 50 + 0.3 * np.arange(200) + np.resize(WEEK, 200) + spread * random.normal(size=200)
    run = trained(daily(values), tmp_path / "run", **{**OPTIONS, "test_steps": 35})
    # By the validation part alone they are 3.9 times as wide as noise of spread 1 asks for.
    assert run.summary["metrics"]["test_width_95"] < 3.3 * 2 * 1.96


def test_along_the_test_part_a_run_turns_to_whoever_does_better(tmp_path: Path) -> None:
    values = weekly(170)
    # The week and the trend end where the test part begins.
    values[-42:] = values[-42] + np.cumsum(np.random.default_rng(3).normal(size=42))
    table = daily(values)
    run = trained(table, tmp_path / "run", **{**OPTIONS, "test_steps": 42})
    dataset = forecast_dataset(table, small(**{**OPTIONS, "test_steps": 42}))
    said = {fit.method.name: fit.quantiles for fit in fitted(dataset, "test")}
    said[NETWORK] = run.task.outputs(run.network, run.task.encode(dataset.test))[0]
    as_chosen = mean(run.summary["answer"]["weights"], said)
    before = run.task.metrics(run.task.answers(as_chosen, dataset.test))["mase"]
    assert run.summary["metrics"]["test_mase"] < 0.95 * before
    assert run.predict()["method"][0] != run.summary["answer"]["name"]


def test_a_series_that_was_never_seen_is_answered_without_the_methods_that_need_its_past(tmp_path: Path) -> None:
    parts = [daily(weekly(90, seed), s=[name] * 90) for seed, name in enumerate("ab")]
    run = trained(pl.concat(parts), tmp_path / "run", series="s", **OPTIONS)
    rows = run.predict(daily(weekly(90, 5), s=["new"] * 90))
    weights = run.summary["answer"]["weights"]
    assert set(weights) & set(STATISTICAL)
    assert np.isfinite(rows["forecast"].to_numpy()).all()
    np.testing.assert_allclose(rows["forecast"], weekly(97, 5)[90:], atol=8)


def test_of_rare_counts_the_quantiles_of_the_past_answer_and_newer_rows_go_on_from_them(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    sold = (random.random(160) < 0.3) * (1 + random.poisson(4, 160))
    run = trained(daily(sold[:150]), tmp_path / "run", **{**OPTIONS, "epochs": 1})
    assert PastQuantiles.label in run.summary["answer"]["weights"]
    opened = Run.open(run.path)
    whole, alone = opened.predict(daily(sold)), opened.predict(daily(sold[150:], start="2020-05-30"))
    np.testing.assert_allclose(whole["forecast"], alone["forecast"], rtol=1e-6)
    origins = origins_of(forecast_dataset(daily(sold), small()).test)
    said, step = PastQuantiles(100).quantiles(origins), int(origins.index[0, 2])
    # The least value that a share of the last hundred does not exceed.
    ordered = np.sort(sold[step - 100 : step])
    assert said[0, -1].tolist() == [ordered[int(np.ceil(round(100 * level, 6))) - 1] for level in LEVELS]


def test_a_method_trained_again_along_the_test_part_goes_on_from_its_last_fit(tmp_path: Path) -> None:
    run = trained(daily(weekly(150)), tmp_path / "run", refit=7, **OPTIONS)
    assert run.predict()["method"][0] == run.summary["answer"]["name"]
    assert run.summary["metrics"]["test_mase"] < run.summary["network"]["test_mase"]
    assert not (run.path / "earlier" / "1" / "answer.json").exists()


def test_an_interrupted_choice_is_made_again(run: Run, tmp_path: Path) -> None:
    whole = trained(daily(weekly(150)), tmp_path / "run", **OPTIONS)
    (whole.path / "summary.json").unlink()
    again = gatework.resume(whole.path, daily(weekly(150)))
    assert again.summary["answer"] == run.summary["answer"]
    assert again.summary["network"] == run.summary["network"]


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda state: state["blend"]["weights"].clear(),
        lambda state: state["methods"][0].update(name="a pickle"),
        lambda state: state["methods"][0].update(name=PastQuantiles.label, steps=0),
        lambda state: state["past"].append([]),
        lambda state: state["bands"]["calibration"]["counts"]["places"].__setitem__(0, 10**9),
        lambda state: state["bands"]["scores"].pop(),
        lambda state: state.pop("methods"),
    ],
)
def test_a_spoilt_answer_is_one_sentence(run: Run, spoilt) -> None:
    file = run.path / "answer.json"
    before = file.read_text(encoding="utf-8")
    state = json.loads(before)
    spoilt(state)
    try:
        file.write_text(json.dumps(state), encoding="utf-8")
        with pytest.raises(RunError, match=r"answer\.json is corrupt"):
            _ = Run.open(run.path).task
    finally:
        file.write_text(before, encoding="utf-8")


def test_a_report_shows_what_answers_beside_the_network_alone(run: Run) -> None:
    page = write_run_report(run.path).read_text(encoding="utf-8")
    assert 'id="answer-title"' in page
    assert "; the network alone " in page
    data = json.loads(page.partition('<script type="application/json" id="data">')[2].partition("</script>")[0])
    assert data["sections"]["forecasts"]["methods"] == ["the answer", "lstm alone"]
    assert data["sections"]["future"]["name"] == "the answer"


def test_the_commands_show_both(run: Run, tmp_path: Path) -> None:
    shown = run_here("evaluate", run.path, cwd=tmp_path).stdout
    assert "network alone" in shown.splitlines()[0]
    assert f"answer: {run.summary['answer']['name']}" in shown
    done = run_here("predict", run.path, "--out", "next.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run.summary["answer"]["name"] in done.stdout


def test_a_comparison_has_the_network_alone_and_with_simple_methods(tmp_path: Path) -> None:
    recipe = small(**OPTIONS)
    gatework.compare(daily(weekly(150)), recipe=recipe, task="forecast", out=tmp_path / "out", cells=("lstm",), seeds=1)
    content = read_json(tmp_path / "out" / "comparison.json")
    kinds = {entry["name"]: entry["kind"] for entry in content["entries"]}
    assert kinds["lstm"] == "network"
    assert kinds["lstm, blended"] == "blend"
    summary = read_json(tmp_path / "out" / "runs" / "lstm-seed0" / "summary.json")
    means = {entry["name"]: entry["metrics"]["test_mase"]["mean"] for entry in content["entries"]}
    assert means["lstm"] == summary["network"]["test_mase"]
    assert means["lstm, blended"] == summary["metrics"]["test_mase"]
    assert "network and simple methods together (lstm, blended) come to a test MASE of" in content["verdict"]
    assert "lstm, blended" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_who_may_come_to_have_a_share_in_the_median_and_who_offers_bands() -> None:
    ets, theta = "AutoETS", "AutoTheta"
    errors = {ets: 0.7, NETWORK: 0.8, "naive": 0.9, theta: 1.5}
    mixed = Blend({ets: 0.6, "naive": 0.4}, errors | {MEAN: 0.68})
    assert candidates(mixed) == [ets, NETWORK, "naive", theta]
    assert candidates(Blend({ets: 1.0}, errors)) == [ets, NETWORK, theta]
    # Preferred to a mean that was measured, or far ahead of all else: it stays alone.
    assert candidates(Blend({ets: 1.0}, errors | {MEAN: 0.9})) == [ets]
    assert candidates(Blend({NETWORK: 1.0}, {NETWORK: 0.1, ets: 0.7})) == [NETWORK]
    assert offering(mixed, {NETWORK, ets, "naive"}) == [ANSWER, NETWORK, ets]
    assert offering(Blend({ets: 1.0}, errors), {NETWORK, ets}) == [ANSWER, NETWORK]
