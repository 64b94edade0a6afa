import datetime
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from gatework.errors import DataError, UsageError
from gatework.training import Progress, Run, train

SMALL = {"epochs": 1, "hidden": 4, "threads": 1, "horizon": 3, "blend": False, "progress": Progress()}
FIRST = datetime.date(2023, 1, 1)


def sales(count: int, first: int = 0, level: float = 100.0, form: str = "%d/%m/%Y") -> pl.DataFrame:
    """A wave of a week about a level, by days that a spreadsheet wrote."""
    days = [(FIRST + datetime.timedelta(k)).strftime(form) for k in range(first, first + count)]
    values = [round(level + 10 * math.sin(2 * math.pi * k / 7) + math.sin(k), 3) for k in range(first, first + count)]
    return pl.DataFrame({"day": days, "y": values})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("history") / "run"
    return train("forecast", sales(150), out=out, time="day", target="y", **SMALL)


def answered(run: Run, source: Any = None, **options: Any) -> pl.DataFrame:
    return pl.DataFrame(run.predict(source, **options))


def test_newer_rows_alone_go_on_from_the_kept_history(run: Run) -> None:
    whole, alone = answered(run, sales(170)), answered(run, sales(20, first=150))
    assert whole["day"].to_list() == alone["day"].to_list()
    np.testing.assert_allclose(whole["forecast"], alone["forecast"], rtol=1e-6)
    three = answered(run, sales(3, first=150))
    assert abs(three["forecast"][0] - sales(1, first=153)["y"][0]) < 5


def test_newer_rows_are_measured_without_the_rows_that_were_learnt_from(run: Run) -> None:
    steps = run.predictor.task.read_known(sales(20, first=150), run.recipe).inputs
    starts = np.array([series.start for series in steps.table.series])
    assert int(steps.index[:, 2].min()) + int(starts[0]) >= 150


@pytest.mark.parametrize(("count", "has_target", "steps"), [(2, True, "2 steps"), (20, False, "0 steps")])
def test_newer_rows_with_too_few_values_to_measure_by_say_how_many_there_are(
    run: Run, count: int, has_target: bool, steps: str
) -> None:
    newer = sales(count, first=150)
    with pytest.raises(DataError, match=f"the longest series has {steps} with values of y, expected at least 3"):
        run.evaluate(newer if has_target else newer.select("day"))


def test_a_table_is_read_as_the_training_table_was(run: Run) -> None:
    # Every day here may be a month as well; the training table had days above 12.
    august = sales(10, first=212)
    assert answered(run, august)["day"][0].startswith("2023-08-11")
    with pytest.raises(DataError, match=r"expected the format \"%d/%m/%Y\", which the training table decided"):
        run.predict(sales(30, first=212, form="%m/%d/%Y"))
    months_first = answered(run, sales(30, first=212, form="%m/%d/%Y"), time_format="%m/%d/%Y")
    assert months_first["day"][0].startswith("2023-08-31")
    with pytest.raises(UsageError, match="separator"):
        run.predict(august, separator="three")


def test_rows_of_the_future_need_no_target(run: Run) -> None:
    following = answered(run)
    future = sales(3, first=150)
    empty = (future.with_columns(y=pl.lit(None, pl.Float64)), future.with_columns(y=pl.lit("")))
    for table in (future.select("day"), *empty):
        assert answered(run, table)["forecast"].to_list() == following["forecast"].to_list()


def test_a_step_of_the_future_is_told_once(tmp_path: Path) -> None:
    table = sales(100).with_columns(promo=pl.Series([k % 5 == 0 for k in range(100)]))
    run = train("forecast", table, out=tmp_path / "r", time="day", target="y", known="promo", **SMALL)
    future = sales(3, first=100).select("day", promo=pl.Series([False, False, False]))
    twice = pl.concat([future, future[:1].with_columns(promo=pl.lit(True))])
    with pytest.raises(DataError, match=r"row 0 .* and row 3 .* are both of 2023-04-11 and differ"):
        run.predict(twice)
    far = pl.concat([future, pl.DataFrame({"day": ["01/01/9901"], "promo": [False]})])
    with pytest.raises(DataError, match="mend that time"):
        run.predict(far)


def test_a_level_of_a_billion_hides_nothing(tmp_path: Path) -> None:
    at_a_hundred, at_a_billion = (
        train("forecast", sales(150, level=level), out=tmp_path / f"{level:g}", time="day", target="y", **SMALL)
        for level in (100.0, 1e9)
    )
    low, high = (answered(run)["forecast"].to_numpy() for run in (at_a_hundred, at_a_billion))
    assert high.dtype == np.float64
    assert np.abs(high - 1e9 - (low - 100)).max() < 1
    first, second = (run.summary["metrics"]["test_mae"] for run in (at_a_hundred, at_a_billion))
    assert second < 1.5 * first


@pytest.mark.parametrize(
    ("names", "value"), [(("spread",), 0.0), (("spread",), [[1.0], [1.0]]), (("linear", "weights"), [[1e300]])]
)
def test_a_state_that_does_not_fit_its_series_is_refused(run: Run, names: tuple[str, ...], value: Any) -> None:
    state = run.task.state()
    inner = state["features"]
    for name in names[:-1]:
        inner[name] = inner = {**(inner[name] or {})}
    inner[names[-1]] = value
    with pytest.raises(ValueError, match=r"shape|beyond"):
        type(run.task).from_state(state)
