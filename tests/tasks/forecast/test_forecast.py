import dataclasses
import datetime
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gatework import tasks
from gatework.errors import DataError, GateworkError, UsageError
from gatework.tasks.forecast.data import forecast_dataset
from gatework.tasks.forecast.linear import Linear
from gatework.tasks.forecast.metrics import LEVELS, coverage, mase, metrics, weighted_quantile_loss
from gatework.tasks.forecast.windows import Origins
from gatework.training.fitting import prepare
from gatework.training.run import Run
from support.daily_tables import daily, small, trained


def forecasts(run: Run, source: pl.DataFrame | None = None, horizon: int | None = None) -> np.ndarray:
    rows = run.predict(source, horizon=horizon).to_dicts()
    return np.array([row["forecast"] for row in rows])


def test_one_two_three_goes_on(tmp_path: Path) -> None:
    run = trained(daily(np.arange(1.0, 121.0)), tmp_path / "run", skip="last", test_steps=8, validation_steps=8)
    np.testing.assert_allclose(forecasts(run), [121, 122, 123, 124], atol=0.5)
    rows = run.predict().to_dicts()
    assert [row["day"] for row in rows] == ["2020-04-30", "2020-05-01", "2020-05-02", "2020-05-03"]


@pytest.mark.parametrize("decoder", ["direct", "recursive"])
@pytest.mark.parametrize("segment", [1, 3, 4])
def test_a_pure_season_is_continued_in_phase(tmp_path: Path, decoder: str, segment: int) -> None:
    season = np.array([0.0, 5.0, -3.0, 1.0, 8.0, 2.0, -6.0])
    frame = daily(np.tile(season, 20))
    options = {"skip": "seasonal", "decoder": decoder, "segment": segment, "horizon": 9, "window": 14, "epochs": 4}
    run = trained(frame, tmp_path / "run", **options)
    assert run.task.plan.season == 7  # type: ignore[attr-defined]
    # The skip alone is exact; what the network adds must have been learnt to be small beside the spread of 4.5.
    np.testing.assert_allclose(forecasts(run), np.resize(season, 9), atol=1.0)


def test_the_season_is_learnt_where_the_skip_does_not_hold_it(tmp_path: Path) -> None:
    season = np.array([0.0, 5.0, -3.0, 1.0])
    run = trained(daily(np.tile(season, 40)), tmp_path / "run", skip="mean", season=4, segment=4, epochs=60)
    np.testing.assert_allclose(forecasts(run), season, atol=0.5)


def test_a_known_column_that_equals_the_target_is_used_at_its_own_step(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=300).cumsum()
    frame = daily(values, twin=values)
    ahead = np.array([3.0, -2.0, 1.0, 4.0]) + values[-1]
    run = trained(frame, tmp_path / "run", known="twin", skip="last", epochs=40)
    future = daily(ahead, start="2020-10-27", twin=ahead).drop("y")
    assert frame["day"][-1] + datetime.timedelta(1) == future["day"][0]
    error = np.abs(forecasts(run, future) - ahead)
    # A forecast that were off by one step would be wrong by about 4.
    assert error.max() < 1.0


def test_what_is_known_later_does_not_change_a_forecast_before_it(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=200).cumsum()
    run = trained(daily(values, k=np.roll(values, 1)), tmp_path / "run", known="k", segment=2, epochs=2)
    future = daily(np.zeros(4), start="2020-07-19", k=[1.0, 2.0, 3.0, 4.0]).drop("y")
    shuffled = future.with_columns(k=pl.Series([1.0, 2.0, 40.0, -30.0]))
    before, after = forecasts(run, future), forecasts(run, shuffled)
    np.testing.assert_array_equal(before[:2], after[:2])
    assert (before[2:] != after[2:]).all()


def test_no_window_sees_its_own_target_or_anything_later(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=120).cumsum()
    recipe = small(past="p", test_steps=20)
    dataset, recipe = prepare(daily(values, p=values), "forecast", recipe, {})
    task = tasks.get("forecast").fit(dataset, recipe.data)
    origins = dataset.test.inputs
    assert isinstance(origins, Origins)
    spoilt = values.copy()
    step = int(origins.index[3, 2])
    spoilt[step:] = 1e6
    other, _ = prepare(daily(spoilt, p=spoilt), "forecast", recipe, {})
    clean, dirty = task.encode(dataset.test).batch(np.array([3])), task.encode(other.test).batch(np.array([3]))
    np.testing.assert_array_equal(clean.inputs, dirty.inputs)
    assert not np.array_equal(clean.targets, dirty.targets)


def test_the_parts_share_no_target_and_every_target_follows_its_origin() -> None:
    dataset, _ = prepare(daily(np.arange(100.0)), "forecast", small(test_steps=20, validation_steps=10), {})
    steps = {}
    for part in ("train", "validation", "test"):
        origins = getattr(dataset, part).inputs
        steps[part] = {int(s) + k for s in origins.index[:, 2] for k in range(origins.horizon)}
        np.testing.assert_array_equal(getattr(dataset, part).targets["value"][:, 0], origins.index[:, 2])
    assert steps["test"] == set(range(80, 100))
    assert steps["validation"] == set(range(70, 80))
    assert max(steps["train"]) == 69


def test_series_of_unequal_length_and_several_targets_share_one_model(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    parts = [daily(random.normal(size=n).cumsum(), s=[name] * n) for name, n in (("a", 90), ("b", 60), ("c", 12))]
    frame = pl.concat(parts).with_columns(z=pl.col("y") * 10)
    run = trained(frame, tmp_path / "run", target="y,z", series="s", epochs=2)
    rows = run.predict(horizon=2)
    assert rows.shape == (3 * 2 * 2, 4 + 6)
    assert rows["s"].to_list() == [*"aaaabbbbcccc"]
    assert rows["target"].to_list() == ["y", "y", "z", "z"] * 3
    again = Run.open(tmp_path / "run")
    assert run.predict().equals(again.predict())


def test_a_shorter_horizon_is_the_beginning_of_a_longer_one(tmp_path: Path) -> None:
    run = trained(daily(np.sin(np.arange(100.0))), tmp_path / "run", epochs=1)
    np.testing.assert_array_equal(forecasts(run)[:2], forecasts(run, horizon=2))
    with pytest.raises(UsageError, match="expected 1 to 4"):
        forecasts(run, horizon=5)


def test_quantiles_never_cross_and_bands_hold_after_calibration(tmp_path: Path) -> None:
    values = np.random.default_rng(4).normal(size=1500)
    run = trained(daily(values), tmp_path / "run", skip="mean", epochs=3, test_steps=500, validation_steps=300)
    dataset, _ = prepare(daily(values), "forecast", run.recipe, {})
    outputs = run.task.outputs(run.network, run.task.encode(dataset.test))[0]
    assert (np.diff(outputs, axis=-1) >= 0).all()
    found = run.summary["metrics"]
    # 125 disjoint windows of independent draws: the standard error of the 80 % coverage is below 1.8 points, that of
    # the calibration below 2.3; five points are more than 1.7 of both together.
    assert abs(found["test_coverage_80"] - 0.8) < 0.05
    assert abs(found["test_coverage_95"] - 0.95) < 0.05


def test_the_metrics_are_what_their_definitions_say() -> None:
    origins = forecast_dataset(daily(np.arange(60.0)), small(season=1, test_steps=20)).test.inputs
    assert isinstance(origins, Origins)
    actuals = origins.actuals()
    assert (actuals["scale"] == 1).all()
    quantiles = np.repeat(actuals["value"][..., None] + 2, len(LEVELS), axis=-1)
    found = metrics(quantiles, actuals)
    assert found["mase"] == pytest.approx(2)
    assert found["rmse"] == pytest.approx(2)
    # Each quantile is 2 too high, so its loss is 2 (1 - q), and the levels are symmetric about one half.
    assert found["wql"] == pytest.approx(2 / np.abs(actuals["value"]).mean())
    assert found["coverage_80"] == 0
    # An interval without width pays 2 / 0.2 for each of the two units that it misses by.
    assert (found["width_80"], found["msis_80"]) == (0, pytest.approx(20))
    wide = quantiles + 3 * (np.arange(len(LEVELS)) - 3)
    assert metrics(wide, actuals)["width_80"] == metrics(wide, actuals)["msis_80"] == 12
    assert coverage(np.zeros(4), np.ones(4), np.array([0.5, 2.0, np.nan, 1.0])) == pytest.approx(2 / 3)
    assert np.isnan(mase(np.full((2, 4), np.nan), actuals[:2]))
    assert weighted_quantile_loss(np.zeros((1, 1, 7)), np.zeros((1, 1))) == 0


def test_the_linear_regression_continues_what_is_linear() -> None:
    dataset = forecast_dataset(daily(np.sin(0.3 * np.arange(200.0))), small(window=16))
    origins = dataset.test.inputs
    assert isinstance(origins, Origins)
    train = dataset.train.inputs
    assert isinstance(train, Origins)
    spread = np.ones((1, 1))
    fitted = Linear.fit(train, 16, spread)
    # A sine follows a linear recursion exactly; the smallest penalty leaves an error of its own size.
    np.testing.assert_allclose(
        fitted(origins.histories(16), origins.of_series(spread)), origins.actuals()["value"], atol=0.02
    )


def test_every_baseline_answers_every_origin_and_none_looks_ahead() -> None:
    values = 10 + np.random.default_rng(6).normal(size=80).cumsum()
    dataset, recipe = prepare(daily(values), "forecast", small(season=7), {})
    spoilt = values.copy()
    step = int(dataset.test.inputs.index[0, 2])  # type: ignore[union-attr]
    spoilt[step:] = 1e3
    other, _ = prepare(daily(spoilt), "forecast", small(season=7, skip=dataset.plan.skip), {})  # type: ignore[attr-defined]
    task = tasks.get("forecast").fit(dataset, recipe.data)
    names = []
    for clean, dirty in zip(task.baselines(dataset), task.baselines(other), strict=True):
        names.append(clean.name)
        quantiles, others = (baseline.answers["quantiles"].to_numpy() for baseline in (clean, dirty))
        assert quantiles.shape == (len(dataset.test), 4, len(LEVELS))
        assert (np.diff(quantiles, axis=-1) >= -1e-5).all()
        np.testing.assert_allclose(quantiles[0], others[0], rtol=1e-6)
    assert names[:4] == ["naive", "drift", "seasonal naive", "linear on lags"]
    assert {"AutoETS", "AutoTheta", "AutoARIMA"} <= set(names)


MISTYPED = pl.col("day").replace(np.datetime64("2020-03-10", "D"), np.datetime64("2032-03-10", "D"))


@pytest.mark.parametrize(
    ("frame", "changes", "expected"),
    [
        (daily(np.ones(100)), {}, 'column "y" is constant'),
        (daily(np.arange(12.0)), {}, "12 steps are too few for a horizon of 4"),
        (daily(np.arange(100.0)), {"horizon": 90}, "too few for a horizon of 90"),
        (daily(np.arange(100.0)), {"test_steps": 2}, "expected at least the horizon"),
        (daily(np.arange(100.0)), {"time": "days"}, 'did you mean "day"?'),
        (daily(np.arange(100.0)), {"cell": "lstmm"}, "lstm"),
        (daily(np.arange(100.0)).with_columns(MISTYPED), {}, "all before 2032-03-10, have none: is that time right?"),
    ],
)
def test_what_cannot_be_learnt_is_refused_in_one_sentence(
    tmp_path: Path, frame: pl.DataFrame, changes: dict, expected: str
) -> None:
    with pytest.raises(GateworkError) as caught:
        trained(frame, tmp_path / "run", **changes)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_future_without_what_is_known_ahead_is_refused(tmp_path: Path) -> None:
    values = np.arange(100.0) % 9
    run = trained(daily(values, promo=values > 4), tmp_path / "run", known="promo", epochs=1)
    assert run.task.example_input == "FILE.csv", "what is known ahead must be given"
    with pytest.raises(DataError, match='2020-04-10 has no value in the column "promo"'):
        forecasts(run)
    future = daily(np.zeros(4), start="2020-04-10", promo=[True, False, None, True]).drop("y")
    with pytest.raises(DataError, match=r'row 2 \(counted from 0\), 2020-04-12, has no value in the column "promo"'):
        forecasts(run, future)
    with pytest.raises(DataError, match='no column "promo"'):
        forecasts(run, future.drop("promo"))
    assert len(forecasts(run, future, horizon=2)) == 2


def test_a_newer_table_replaces_the_history(tmp_path: Path) -> None:
    run = trained(daily(np.arange(100.0)), tmp_path / "run", skip="last", epochs=1)
    later = daily(np.arange(500.0, 540.0), start="2021-01-01")
    rows = run.predict(later).to_dicts()
    assert rows[0]["day"] == datetime.date(2021, 2, 10)
    assert 530 < rows[0]["forecast"] < 550
    metrics = run.evaluate(later).metrics
    assert metrics["mae"] < 10


def test_the_run_folder_alone_forecasts(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    daily(np.arange(100.0)).write_csv(path)
    run = trained(path, tmp_path / "run", epochs=1)  # type: ignore[arg-type]
    path.unlink()
    rows = Run.open(run.path).predict().to_dicts()
    assert len(rows) == 4
    assert json.loads(json.dumps(rows)) == rows


def test_pandas_polars_and_arrow_frames_and_files_are_one_and_the_same(tmp_path: Path) -> None:
    frame = daily(np.sin(np.arange(80.0)), kind=["a"] * 80)
    frame.write_parquet(tmp_path / "table.parquet")
    frame.write_csv(tmp_path / "table.csv")
    sources = [frame, frame.to_pandas(), frame.to_arrow(), tmp_path / "table.parquet", tmp_path / "table.csv"]
    runs = [trained(source, tmp_path / f"run{k}", epochs=1, series="kind") for k, source in enumerate(sources)]
    later = daily(np.cos(np.arange(30.0)), start="2021-01-01", kind=["a"] * 30)
    newer = [later, later.to_pandas(), later.to_arrow(), later, later]
    for run, source in zip(runs, newer, strict=True):
        assert run.predict().equals(runs[0].predict())
        said = pl.DataFrame(run.predict(source)).with_columns(pl.col("day").cast(pl.Date))
        assert said.equals(runs[0].predict(later))


def test_what_never_changes_in_a_series_tells_series_apart(tmp_path: Path) -> None:
    # Windows hold the same noise; only the region says whether the next steps rise or fall.
    random = np.random.default_rng(7)
    parts = []
    for number in range(12):
        region, slope = (("north", 1.0), ("south", -1.0))[number % 2]
        values = np.concatenate([random.normal(size=60) * 0.1 + slope * 5 * (np.arange(60) % 4 == 3)])
        parts.append(daily(values, s=[f"s{number}"] * 60, region=[region] * 60, size=[float(number)] * 60))
    options = {"series": "s", "static": "region,size", "skip": "last", "window": 4, "segment": 2, "season": 1}
    run = trained(pl.concat(parts), tmp_path / "run", **options, horizon=4, epochs=6)
    features = run.task.features  # type: ignore[attr-defined]
    assert len(features.static.mean) == 3
    batch = run.task.encode(run.task.read(None, run.recipe)).batch(np.arange(12))
    np.testing.assert_array_equal(batch.static[0, :2], batch.static[2, :2])  # type: ignore[attr-defined]
    assert (batch.static[0] != batch.static[1]).any()  # type: ignore[attr-defined]
    outputs = run.network(**batch.tensors())
    swapped = dataclasses.replace(batch, static=batch.static.flip(0))  # type: ignore[attr-defined, type-var]
    assert (outputs != run.network(**swapped.tensors())).any()


def test_hours_go_on_through_a_change_of_clocks(tmp_path: Path) -> None:
    utc = pl.datetime_range(
        datetime.datetime(2024, 10, 13), datetime.datetime(2024, 10, 26, 22), "1h", time_zone="UTC", eager=True
    )
    frame = pl.DataFrame({"day": utc.dt.convert_time_zone("Europe/Berlin"), "y": np.arange(len(utc)) % 24 + 1.0})
    naive = frame.with_columns(day=pl.col("day").dt.replace_time_zone(None))
    for source, zone in ((frame, None), (naive, "Europe/Berlin")):
        run = trained(source, tmp_path / f"run-{zone}", epochs=1, time_zone=zone, season=24, window=24)
        assert run.predict()["day"].to_list() == [
            "2024-10-27T01:00:00+02:00",
            "2024-10-27T02:00:00+02:00",
            "2024-10-27T02:00:00+01:00",
            "2024-10-27T03:00:00+01:00",
        ]


def test_absent_methods_are_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, recipe = prepare(daily(np.sin(np.arange(80.0))), "forecast", small(), {})
    task = tasks.get("forecast").fit(dataset, recipe.data)
    assert task.absent(dataset) == []
    monkeypatch.setattr("gatework.tasks.forecast.statistical.find_spec", lambda name: None)
    (told,) = task.absent(dataset)
    assert told.startswith("AutoETS, AutoTheta, AutoARIMA are not in this table")
    assert 'pip install "gatework[forecast]"' in told
    assert not {"AutoETS", "AutoTheta", "AutoARIMA"} & {baseline.name for baseline in task.baselines(dataset)}
    monkeypatch.undo()
    monkeypatch.setattr("gatework.tasks.forecast.statistical.MOST_SERIES", 0)
    (told,) = task.absent(dataset)
    assert "up to 0 series, and these are 1" in told


def test_the_verdict_says_when_the_test_part_is_too_short_to_judge_intervals() -> None:
    short, recipe = prepare(daily(np.sin(np.arange(100.0))), "forecast", small(test_steps=24), {})
    task = tasks.get("forecast").fit(short, recipe.data)
    measured = {"coverage_80": 0.7, "coverage_95": 0.95}
    told = task.remark(short, measured, {})
    # 1.96 sqrt(0.8 x 0.2 / 24) = 0.160; 1.96 sqrt(0.95 x 0.05 / 24) = 0.087.
    assert told.startswith("Of the test values its 80 % interval held 70 %, its 95 % interval held 95 %.")
    assert "cannot be told from 24 test values" in told
    assert "by 16 and 9 points" in told
    assert "6 forecasts that do not overlap" in told
    long, _ = prepare(daily(np.sin(np.arange(600.0))), "forecast", small(test_steps=300), {})
    assert task.remark(long, measured, {}).endswith("more than 5 points off for the 80 % interval.")
    assert task.remark(long, {"coverage_80": 0.8, "coverage_95": 0.95}, {}).endswith("held 95 %.")


def test_a_run_holds_the_metrics_of_each_series(tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    parts = [daily(size * random.normal(size=60).cumsum(), s=[name] * 60) for name, size in (("a", 1), ("b", 100))]
    run = trained(pl.concat(parts), tmp_path / "run", series="s", epochs=1, test_steps=8)
    table = pl.read_parquet(run.path / "series.parquet")
    assert table["s"].to_list() == ["a", "b"]
    whole = run.summary["metrics"]
    assert table["mase"].mean() == pytest.approx(whole["test_mase"])
    # Both series have as many test values, so that their means are the mean of all.
    assert table["mae"].mean() == pytest.approx(whole["test_mae"])
    assert table["coverage_80"].mean() == pytest.approx(whole["test_coverage_80"])
    assert table["mae"][1] > 10 * table["mae"][0]
