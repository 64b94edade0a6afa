"""Series that begin with zeros: they are learnt from the first other value on, unless chance made the zeros."""

import datetime

import numpy as np
import polars as pl
import pytest

from gatework.data.panel import read_panel
from gatework.data.tables import Table
from gatework.options import TimeOptions
from gatework.recipe import Recipe
from gatework.tasks.forecast.beginnings import without_leading_zeros
from gatework.tasks.forecast.data import forecast_dataset
from gatework.tasks.forecast.stored import stored_forecast_dataset
from gatework.tasks.forecast.windows import origins_of
from gatework.training import train

MONDAY = datetime.date(2023, 1, 2)


def table(**stores) -> pl.DataFrame:
    rows = [(MONDAY + datetime.timedelta(k), name, v) for name, values in stores.items() for k, v in enumerate(values)]
    return pl.DataFrame(rows, schema=["time", "store", "y"], orient="row")


def read(frame: pl.DataFrame, targets=("y",), **columns):
    return read_panel(Table.of(frame), TimeOptions(time="time", series="store", **columns), list(targets))


def begun(values, end: int | None = None):
    panel = read(table(a=values))
    return without_leading_zeros(panel, np.array([len(values) if end is None else end]))


SALES = [4, 7, 0, 5, 9, 3, 6, 8, 0, 0, 5, 4] * 5


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([0] * 20 + SALES, 20),
        ([0] * 8 + SALES, 8),
        ([0] * 7 + SALES, 0),  # a week proves little
        (SALES, 0),
        ([0] * 20 + [5, 4, *[0] * 11, 5, 4] * 3, 0),  # rare demand has such gaps anyway
        ([0] * 20 + [*SALES, -1], 0),  # 0 is a value like any other
        ([0] * 40, 0),
    ],
)
def test_a_series_begins_at_its_first_value_above_zero_unless_chance_may_have_made_the_zeros(values, first) -> None:
    after = begun(values)
    assert after.series[0].values[:, 0].tolist() == values[first:]
    assert after.series[0].start == read(table(a=values)).series[0].start + first
    assert after.rows[:, 1].tolist() == list(range(-first, len(values) - first))
    assert any("nothing but 0" in note for note in after.notes) == bool(first)


def test_what_is_not_certainly_learnt_from_has_no_say() -> None:
    assert len(begun([0] * 20 + SALES, end=15).series[0]) == 20 + len(SALES)
    # A long gap in the test part tells nothing of the beginning.
    assert len(begun([0] * 20 + SALES + [0] * 15, end=50).series[0]) == len(SALES) + 15


def test_only_the_series_that_begin_with_zeros_are_cut_with_all_that_is_known_of_them() -> None:
    frame = table(a=[0] * 30 + SALES, b=SALES).with_columns(promo=pl.int_range(pl.len()), seen=pl.int_range(pl.len()))
    panel = read(frame, known="promo", past="seen")
    after = without_leading_zeros(panel, np.array([len(s) for s in panel.series]))
    assert [len(s) for s in after.series] == [60, 60]
    assert after.series[0].known[:, 0].tolist() == after.series[0].past[:, 0].tolist() == list(range(30, 90))
    assert after.series[0].observed.shape == (60, 1)
    assert after.series[1].start == 0
    assert np.array_equal(after.series[1].values, panel.series[1].values)
    assert after.notes[-1].startswith("1 of 2 series begin with nothing but 0 for up to 30 steps")
    two = table(a=[0] * 30 + SALES).with_columns(z=pl.lit(1))
    assert len(without_leading_zeros(read(two, ("y", "z")), np.array([90])).series[0]) == 90


def dataset(source, of=forecast_dataset, **changes):
    recipe = Recipe(task="forecast").changed(time="time", target="y", series="store", horizon=4, **changes)
    return of(source, recipe)


def test_a_table_with_rows_from_before_the_beginning_is_the_table_without_them() -> None:
    values = (20 + 5 * np.random.default_rng(0).normal(size=120)).clip(1).round().tolist()
    late = dataset(table(a=[0] * 60 + values))
    alone = dataset(table(a=values))
    assert late.plan == alone.plan
    for part in ("train", "validation", "test"):
        one, other = (origins_of(getattr(each, part)) for each in (late, alone))
        assert np.array_equal(one.index, other.index)
        assert np.array_equal(one.scale, other.scale)
    assert any("begins with nothing but 0 for up to 60 steps" in note for note in late.provenance.notes)
    assert len(dataset(table(a=[0] * 60 + values), non_negative=False).table.series[0]) == 180


def test_a_store_leaves_them_out_as_a_table_in_memory_does(tmp_path) -> None:
    frame = table(a=[0] * 60 + SALES * 3, b=SALES * 4, c=[0] * 30 + SALES * 3).sort("time", "store")
    frame.write_csv(tmp_path / "table.csv")
    in_memory = dataset(frame)
    stored = {"of": stored_forecast_dataset, "store": str(tmp_path / "store")}
    on_disk = dataset(str(tmp_path / "table.csv"), **stored)
    for one, other in zip(in_memory.table.series, on_disk.table.series, strict=True):
        assert (one.id, one.start) == (other.id, other.start)
        assert np.array_equal(one.values, other.values)
    learnt = on_disk.train.inputs[np.arange(len(on_disk.train))]
    assert np.array_equal(learnt.times(), in_memory.train.inputs.times())
    assert np.array_equal(learnt.actuals()["value"], in_memory.train.inputs.actuals()["value"])
    said = [note for note in on_disk.provenance.notes if "nothing but 0" in note]
    assert said == [note for note in in_memory.provenance.notes if "nothing but 0" in note]
    assert said[0].startswith("2 of 3 series begin with nothing but 0 for up to 60 steps")
    kept = dataset(
        str(tmp_path / "table.csv"), of=stored_forecast_dataset, store=str(tmp_path / "store"), non_negative=False
    )
    assert len(kept.table.series[0]) == 60 + 3 * len(SALES)


def test_sums_go_back_as_far_as_their_series(tmp_path) -> None:
    both = dataset(table(a=[0] * 60 + SALES * 2, b=SALES * 3), totals=True)
    assert [len(series) for series in both.table.series] == [180, 180, 180]


def test_a_run_forecasts_a_shop_that_opened_late_as_one_that_always_was(tmp_path) -> None:
    week = np.array([30, 25, 40, 35, 60, 50, 0])
    random = np.random.default_rng(0)
    sales = np.where(week > 0, random.poisson(np.tile(week, (30, 1))) + 1, 0).ravel()
    frame = table(a=[0] * 140 + sales.tolist())
    run = train("forecast", frame, out=tmp_path / "run", time="time", target="y", series="store", horizon=7, epochs=3)
    rows = run.predict()
    widths = (rows["q0.975"] - rows["q0.025"]).to_numpy()
    assert widths.max() < 100
    # Sundays are counted from the opening: before it every day was one.
    assert (rows.filter(pl.col("time").str.to_date().dt.weekday() == 7)["forecast"] == 0).all()
