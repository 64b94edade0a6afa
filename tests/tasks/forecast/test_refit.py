"""A network that is trained again along the test part, as it would be in use."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gatework import tasks
from gatework.errors import UsageError
from gatework.recipe import Recipe
from gatework.tasks.forecast.data import ForecastDataset, forecast_dataset
from gatework.training.run import Run
from support.daily_tables import daily, small, trained


def walks(recipe: Recipe) -> ForecastDataset:
    random = np.random.default_rng(0)
    parts = [daily(random.normal(size=n).cumsum(), s=[name] * n) for name, n in (("a", 90), ("b", 70), ("c", 9))]
    return forecast_dataset(pl.concat(parts).with_columns(z=pl.col("y") * 10), recipe)


TWO = {"target": "y,z", "series": "s", "test_steps": 20, "validation_steps": 8}


def test_every_training_ends_before_what_it_answers() -> None:
    whole, again = walks(small(**TWO)), walks(small(**TWO, refit=5))
    np.testing.assert_array_equal(whole.test.targets, again.test.targets)
    assert len(again.trainings) == 4
    seen = []
    for part in again.trainings:
        first = {tuple(i[:2]): i[2] for i in part.test.inputs.index[::-1]}  # type: ignore[union-attr]
        for held in (part.train.inputs, part.validation.inputs):
            assert all(i[2] + held.horizon <= first[tuple(i[:2])] for i in held.index)  # type: ignore[union-attr]
        seen.append(part.test.inputs.index)  # type: ignore[union-attr]
    assert [len(index) for index in seen] == [20, 20, 20, 8]
    np.testing.assert_array_equal(again.gathered(seen), again.test.inputs.index)  # type: ignore[union-attr]


def test_every_later_training_learns_from_more() -> None:
    sizes = [len(part.train) for part in walks(small(**TWO, refit=5)).trainings]
    assert sizes == sorted(set(sizes))


def test_simple_methods_answer_in_the_order_of_the_test_part() -> None:
    whole, again = walks(small(**TWO)), walks(small(**TWO, refit=7))
    task = tasks.get("forecast").fit(whole, small().data)
    names = ("naive", "seasonal naive", "linear on lags")
    fixed, refitted = (
        {b.name: b.answers["quantiles"].to_numpy() for b in task.baselines(d) if b.name in names}
        for d in (whole, again)
    )
    # What learns nothing answers the same; what is fitted answers the same until it is fitted again.
    np.testing.assert_array_equal(fixed["naive"][..., 3], refitted["naive"][..., 3])
    is_first = again.gathered([np.full(len(p.test), k) for k, p in enumerate(again.trainings)]) == 0
    np.testing.assert_array_equal(fixed["linear on lags"][is_first], refitted["linear on lags"][is_first])
    assert (fixed["linear on lags"][~is_first] != refitted["linear on lags"][~is_first]).any()


def test_a_run_forecasts_with_the_latest_training_and_keeps_the_earlier_ones(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=100).cumsum()
    once = trained(daily(values), tmp_path / "once", epochs=2, test_steps=12)
    again = trained(daily(values), tmp_path / "again", epochs=2, test_steps=12, refit=4)
    fixed, moved = (pl.read_parquet(run.path / "answers.parquet")["quantiles"].to_numpy() for run in (once, again))
    # Batches of another size are summed in another order: a few roundings of float32.
    np.testing.assert_allclose(fixed[:4], moved[:4], rtol=16 * np.finfo(np.float32).eps)
    assert (fixed[4:, :, 3] != moved[4:, :, 3]).all()
    first, second = (Run.open(again.path / "earlier" / str(k)) for k in (1, 2))
    assert first.summary["metrics"] != second.summary["metrics"]
    np.testing.assert_array_equal(first.network.place.detach(), once.network.place.detach())  # type: ignore[arg-type]
    assert len(again.predict()) == 4
    assert again.summary["seconds"] > first.summary["seconds"] + second.summary["seconds"]


def test_an_interrupted_run_goes_on_among_its_trainings(tmp_path: Path) -> None:
    from gatework import training
    from gatework.training.progress import Progress

    class Stop(Progress):
        def epoch_done(self, label: str, record: dict) -> None:
            if "training 2" in label:
                raise KeyboardInterrupt

    frame, recipe = daily(np.random.default_rng(2).normal(size=100).cumsum()), small(epochs=2, test_steps=12, refit=4)
    with pytest.raises(KeyboardInterrupt):
        training.train("forecast", frame, out=tmp_path / "run", recipe=recipe, threads=1, progress=Stop())
    resumed = training.resume(tmp_path / "run", forecast_dataset(frame, recipe))
    straight = training.train("forecast", frame, out=tmp_path / "other", recipe=recipe, threads=1)
    assert resumed.summary["metrics"] == straight.summary["metrics"]


def test_a_refit_below_zero_is_refused() -> None:
    with pytest.raises(UsageError, match="refit is -1"):
        small(refit=-1)
