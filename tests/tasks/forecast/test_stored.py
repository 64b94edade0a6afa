"""A long table on disk gives the very forecaster of one in memory; of a large one a sample is held in memory."""

import numpy as np
import polars as pl
import pytest

from gatework import tasks, training
from gatework.data.store import files, sorting
from gatework.data.store.shuffle import ShuffledOrder
from gatework.errors import UsageError
from gatework.recipe import find_recipe
from gatework.tasks._in_training import InTraining
from gatework.tasks.forecast import stored
from support.task_battery import CutOff, CutsOff


def table(is_gappy):
    random = np.random.default_rng(0)
    parts = []
    for shop in range(4):
        count = 90 + 10 * shop
        steps = np.arange(count)
        parts.append(
            pl.DataFrame(
                {
                    "day": np.datetime64("2020-01-01") + steps,
                    "shop": [f"shop {shop}"] * count,
                    "sold": 10 * (shop + 1) + 3 * np.sin(steps * 2 * np.pi / 7) + random.normal(size=count),
                    "promoted": random.integers(0, 2, count),
                    "warmth": random.normal(size=count),
                    "kind": ["large" if shop % 2 else "small"] * count,
                }
            )
        )
    frame = pl.concat(parts)
    if is_gappy:
        frame = frame.filter(pl.Series(random.random(len(frame)) > 0.1))
    # As a table that is written day by day: every part holds rows of every series.
    return frame.sort("day")


def recipe_of(**changes):
    small = {"horizon": 7, "window": 14, "season": 7, "skip": "linear", "hidden": 6, "epochs": 2, "blend": False}
    columns = {"time": "day", "series": "shop", "target": "sold"}
    return find_recipe("forecast").changed(**columns | small | {"checkpoint_seconds": 0.0} | changes)


def test_a_forecaster_learnt_from_a_store_is_the_one_learnt_in_memory_and_goes_on_within_an_epoch(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("gatework.tasks.forecast.statistical.is_installed", lambda: False)
    monkeypatch.setattr(sorting, "RUN", 100)
    monkeypatch.setattr("gatework.data.store.sources.ROWS", 60)
    recipe = recipe_of(known="promoted", past="warmth", static="kind", log_scale=True)
    source, frame = tmp_path / "table", table(is_gappy=True)
    for month in (1, 2):
        (source / f"month={month}").mkdir(parents=True)
    frame[:200].write_parquet(source / "month=1" / "part.parquet")
    frame[200:].write_parquet(source / "month=2" / "part.parquet")
    on_disk = recipe.changed(store=str(tmp_path / "store [1]"))
    run = training.train("forecast", source, out=tmp_path / "stored", recipe=on_disk, threads=1)
    assert len(list((tmp_path / "store [1]").glob("*.tmp"))) == 0

    with pytest.raises(CutOff):
        training.train("forecast", source, out=tmp_path / "cut", recipe=on_disk, threads=1, progress=CutsOff(run))
    again = training.resume(tmp_path / "cut")
    assert (again.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()

    monkeypatch.setattr(
        InTraining, "order", lambda self, e, config, epoch: ShuffledOrder(len(e), config.batch_size, config.seed, epoch)
    )
    alone = training.train("forecast", source, out=tmp_path / "memory", recipe=recipe, threads=1)
    for name in ("model.safetensors", "answers.parquet", "task.json"):
        assert (alone.path / name).read_bytes() == (run.path / name).read_bytes()


def test_of_many_series_some_are_held_and_the_windows_of_all_are_learnt_from(tmp_path, monkeypatch):
    frame = table(is_gappy=False)
    frame.write_csv(tmp_path / "table.csv")
    monkeypatch.setattr(stored, "SAMPLE", 160)
    monkeypatch.setattr(stored, "_FEWEST_SERIES", 2)
    monkeypatch.setattr(files, "_MAPPED", 0)
    recipe = recipe_of(store=str(tmp_path / "store [1]"), test_steps=14, validation_steps=14)
    dataset = tasks.get("forecast").load(tmp_path / "table.csv", recipe)
    whole = tasks.get("forecast").load(frame, recipe.changed(store=None))
    # The steps of four series less what is held back of each, the horizon and the window.
    assert len(dataset.train) == len(whole.train) == sum(90 + 10 * k - 28 - 7 + 1 - 14 for k in range(4))
    assert [series.name for series in dataset.table.series] == ["shop 0", "shop 2"]
    assert {len(series) for series in dataset.table.series} == {80}
    fitted = tasks.get("forecast").fit(dataset, recipe.data)
    index = np.arange(len(whole.train))
    read, held = fitted.encode(dataset.train).batch(index), fitted.encode(whole.train).batch(index)
    for name in ("targets", "seen", "level", "ahead"):
        assert np.array_equal(getattr(read, name), getattr(held, name))
    # A series that is not held is measured by the end of its own training part.
    spread = {name: values[:-28][-52:].std() for name, values in series_of(frame).items()}
    examples = fitted.encode(dataset.train)
    assert examples.spread[[1, 3], 0].tolist() == [spread["shop 1"], spread["shop 3"]]
    assert np.array_equal(
        dataset.train.take(index[5:7]).targets["value"], whole.train.take(index[5:7]).targets["value"]
    )
    notes = " ".join(dataset.provenance.notes)
    assert "the last steps of 2 series, 160 in all" in notes
    few = tasks.get("forecast").load(tmp_path / "table.csv", recipe.changed(max_windows=20))
    fewer = tasks.get("forecast").load(frame, recipe.changed(store=None, max_windows=20))
    assert np.array_equal(few.train.inputs.at(np.arange(20)), fewer.train.inputs.index)
    assert "Each epoch learns from 20 of" in " ".join(few.provenance.notes)


def series_of(frame):
    return {name: part["sold"].to_numpy() for (name,), part in frame.group_by("shop", maintain_order=True)}


def test_what_a_store_cannot_do_is_a_sentence(tmp_path):
    table(is_gappy=False).write_csv(tmp_path / "table.csv")
    learnt = tasks.get("forecast")
    for source, changes, message in (
        (table(is_gappy=False), {}, "of a table on disk"),
        (tmp_path / "table.csv", {"refit": 7}, "--refit needs every series in memory"),
        (tmp_path / "table.csv", {"totals": True}, "--totals needs every series in memory"),
    ):
        with pytest.raises(UsageError, match=message):
            learnt.load(source, recipe_of(store=str(tmp_path / "store [1]"), **changes))
