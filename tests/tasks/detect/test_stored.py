"""Rows on disk give the very detector of rows in memory; of many, those held in memory are a sample."""

from functools import partial

import numpy as np
import polars as pl
import pytest

from gatework import tasks, training
from gatework.data.store import files, sorting
from gatework.data.store.shuffle import ShuffledOrder
from gatework.errors import UsageError
from gatework.recipe import find_recipe
from gatework.tasks._in_training import InTraining
from gatework.tasks.detect import stored
from support.task_battery import CutOff, CutsOff


def table():
    random = np.random.default_rng(0)
    parts = []
    for number in range(3):
        count = 220 + 60 * number
        level = np.sin(np.arange(count) / 5)[:, None] + random.normal(0, 0.2, (count, 2)) + number
        level[random.random((count, 2)) < 0.05] = np.nan
        steps = np.cumsum(random.integers(1, 3, count)) * np.timedelta64(1200, "s")
        parts.append(
            pl.DataFrame(
                {
                    "time": np.datetime64("2024-01-01T00:00:00", "us") + steps,
                    "machine": [f"m{number}"] * count,
                    "hot": level[:, 0],
                    "loud": level[:, 1],
                    "bad": random.random(count) < 0.1,
                }
            )
        )
    return pl.concat(parts).sort("time", maintain_order=True)


def recipe_of(**changes):
    columns = {"time": "time", "series": "machine", "target": "hot,loud"}
    return find_recipe("detect").changed(**columns | {"context": 16, "hidden": 6, "epochs": 2} | changes)


def written(folder):
    (folder / "table").mkdir()
    frame = table()
    for number in range(3):
        frame[number * 300 : (number + 1) * 300].write_parquet(folder / "table" / f"part-{number}.parquet")
    return folder / "table"


@pytest.mark.parametrize("kind", ["forecast", "reconstruction", "label", "one series"])
def test_windows_on_disk_are_those_in_memory(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "RUN", 150)
    monkeypatch.setattr("gatework.data.store.sources.ROWS", 70)
    # A file of more than 256 MB is read, a smaller one mapped.
    monkeypatch.setattr(files, "_MAPPED", 0 if kind == "label" else 1 << 28)
    recipe = {"label": recipe_of(label="bad"), "one series": recipe_of(series="")}.get(kind) or recipe_of(scorer=kind)
    source, learnt = written(tmp_path), tasks.get("detect")
    kept, held = (learnt.load(source, recipe.changed(store=store)) for store in (str(tmp_path / "store"), None))
    fitted, other = (learnt.fit(dataset, recipe.data) for dataset in (kept, held))
    assert fitted.state() == other.state()
    index = np.arange(len(held.train))
    assert len(kept.train) == len(index)
    read, expected = fitted.encode(kept.train).batch(index), fitted.encode(held.train).batch(index)
    assert np.array_equal(read.inputs, expected.inputs)
    assert np.array_equal(read.targets, expected.targets, equal_nan=True)
    assert np.array_equal(kept.test.targets, held.test.targets, equal_nan=True)


def test_a_detector_learnt_from_a_store_is_the_one_learnt_in_memory_and_goes_on_within_an_epoch(tmp_path, monkeypatch):
    source, recipe = written(tmp_path), recipe_of(checkpoint_seconds=0.0)
    on_disk = recipe.changed(store=str(tmp_path / "store"))
    train = partial(training.train, "detect", source, threads=1)
    run = train(out=tmp_path / "stored", recipe=on_disk)
    with pytest.raises(CutOff):
        train(out=tmp_path / "cut", recipe=on_disk, progress=CutsOff(run))
    again = training.resume(tmp_path / "cut")
    assert (again.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()
    monkeypatch.setattr(
        InTraining, "order", lambda self, e, config, epoch: ShuffledOrder(len(e), config.batch_size, config.seed, epoch)
    )
    alone = train(out=tmp_path / "memory", recipe=recipe)
    for name in ("model.safetensors", "answers.parquet", "task.json"):
        assert (alone.path / name).read_bytes() == (run.path / name).read_bytes()


def test_of_many_rows_the_ends_are_held_and_windows_of_all_are_learnt_from(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "SAMPLE", 200)
    monkeypatch.setattr(stored, "_FEWEST_SERIES", 2)
    source, learnt = written(tmp_path), tasks.get("detect")
    recipe = recipe_of(store=str(tmp_path / "store"))
    dataset = learnt.load(source, recipe)
    assert [len(rows) for rows in dataset.readings.series] == [100, 100]
    held = learnt.load(source, recipe.changed(store=None))
    # Rows before the last 100 of each series are learnt from, and so is the training share of those.
    share = 1 - recipe.data.validation - recipe.data.test
    assert dataset.rows_learnt == sum(len(rows) - 100 + int(100 * share + 1e-9) for rows in held.readings.series)
    fitted = learnt.fit(dataset, recipe.data)
    assert set(fitted.scales.by_name) == {"m0", "m1", "m2"}
    batch = fitted.encode(dataset.train).batch(np.array([len(dataset.train) - 1, 0]))
    series = held.readings.series[2]
    last = series.values[: len(series) - 100 + int(100 * share + 1e-9)][-16:]
    scale = fitted.scales.of(series.name)
    scaled = ((last - np.array(scale.mean)) / np.array(scale.std)).astype(np.float32)
    assert np.array_equal(batch.targets[0].reshape(16, 2), scaled, equal_nan=True)
    assert "the last rows of 2 series, 200 in all" in " ".join(dataset.provenance.notes)
    with pytest.raises(UsageError, match="of a table on disk"):
        learnt.load(table(), recipe)
