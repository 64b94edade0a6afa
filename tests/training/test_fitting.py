"""From data and changes to the recipe of a run."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

from gatework.errors import UsageError
from gatework.training.fitting import prepare


@pytest.mark.parametrize(
    ("changes", "task"),
    [
        ({}, "forecast"),
        ({"scorer": "reconstruction"}, "detect"),
        ({"label": "is_bad"}, "detect"),
    ],
)
def test_a_table_with_a_time_column_is_forecast_unless_a_detector_is_described(changes, task):
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=k) for k in range(200)]
    frame = pl.DataFrame({"day": days, "sold": [k % 7 for k in range(200)], "is_bad": [k % 5 == 0 for k in range(200)]})
    _, recipe = prepare(frame, None, None, {"time": "day", "target": "sold"} | changes)
    assert recipe.task == task


def test_a_data_set_brings_its_own_task_and_recipe():
    dataset, recipe = prepare("waves", None, None, {"epochs": 3})
    assert (recipe.task, recipe.data.dataset, recipe.training.epochs) == ("regress", "waves", 3)
    assert dataset.name == "waves"


def test_an_unknown_field_names_the_nearest():
    with pytest.raises(UsageError, match='"epochs"'):
        prepare("waves", None, None, {"epoch": 3})
