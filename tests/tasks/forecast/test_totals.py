import numpy as np
import polars as pl
import pytest

from gatework.errors import DataError, UsageError
from gatework.tasks.forecast.data import forecast_dataset
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN
from gatework.tasks.forecast.totals import coherent
from gatework.training.run import Run
from support.daily_tables import daily, small, trained


def shops(count: int = 120) -> pl.DataFrame:
    random = np.random.default_rng(0)
    parts = []
    for region, shop, size in (("n", "a", 5.0), ("n", "b", 20.0), ("s", "c", 2.0)):
        values = random.poisson(size * (1.5 + np.sin(2 * np.pi * np.arange(count) / 7)))
        parts.append(daily(values, region=[region] * count, shop=[shop] * count))
    return pl.concat(parts)


def test_forecasts_of_series_and_sums_add_up_and_newer_rows_make_sums_of_their_own(tmp_path) -> None:
    options = {"series": ("region", "shop"), "totals": True, "season": 7, "epochs": 3}
    run = trained(shops(), tmp_path / "run", **options)
    newer = shops(130).filter(pl.col("day") >= pl.date(2020, 4, 30))
    for rows in (Run.open(run.path).predict(), run.predict(newer)):
        said = {(row["region"], row["shop"], row["day"]): row["forecast"] for row in rows.to_dicts()}
        days = {day for _, _, day in said}
        assert len(said) == 6 * len(days)  # three shops, two regions, all
        for day in days:
            north, south, whole = (said[key, "total", day] for key in ("n", "s", "total"))
            np.testing.assert_allclose(north, said["n", "a", day] + said["n", "b", day])
            np.testing.assert_allclose(south, said["s", "c", day])
            np.testing.assert_allclose(whole, north + south)
    answers = pl.read_parquet(run.path / "answers.parquet")
    medians = answers["quantiles"].to_numpy()[..., MEDIAN].reshape(6, -1, 4)
    np.testing.assert_allclose(medians[5], medians[:3].sum(axis=0))
    assert len(run.predict(newer.filter(pl.col("shop") != "c"))) == 2 * 4  # no sum of some of the shops


def test_reconciling_is_the_least_squares_answer_and_leaves_what_adds_up_alone() -> None:
    dataset = forecast_dataset(shops(), small(series=("region", "shop"), totals=True, season=7))
    origins = dataset.test.inputs
    random, scale = np.random.default_rng(1), np.array([[1.0], [2.0], [0.5], [2.5], [0.5], [3.0]])
    base = np.zeros((len(origins), 4, len(LEVELS))) + 50 + random.normal(size=(len(origins), 4, 1))
    answer = coherent(base, origins, dataset.table, scale, 0.0)
    sums = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 0, 1], [1, 1, 1.0]])
    at = np.flatnonzero(origins.index[:, 2] == origins.index[0, 2])
    by = 1 / scale
    for step in range(4):
        best = np.linalg.lstsq(by * sums, (by * base[at, step, :1]), rcond=None)[0]
        np.testing.assert_allclose(answer[at, step, MEDIAN], (sums @ best)[:, 0])
    np.testing.assert_allclose(coherent(answer, origins, dataset.table, scale, 0.0), answer)


def test_what_cannot_be_added_up_is_a_sentence() -> None:
    frame = shops()
    with pytest.raises(UsageError, match="needs several series"):
        forecast_dataset(frame.filter(pl.col("shop") == "a"), small(totals=True))
    promoted = frame.with_columns(promo=pl.lit(1.0))
    with pytest.raises(UsageError, match="takes no --known"):
        forecast_dataset(promoted, small(series=("region", "shop"), totals=True, known="promo"))
    named = frame.with_columns(shop=pl.col("shop").replace("a", "total"))
    with pytest.raises(DataError, match='called "total" already'):
        forecast_dataset(named, small(series=("region", "shop"), totals=True))
