"""A training part on disk gives the very numbers of one in memory that comes in the same order."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from gatework import tasks, training
from gatework.data.dataset import Split
from gatework.data.store.packing import packed_dataset
from gatework.data.store.shuffle import ShuffledOrder
from gatework.tasks._in_training import InTraining
from support.datasets import opinions, small
from support.task_battery import CutOff, CutsOff


def table(kind):
    if kind == "text":
        made = opinions(120)
        texts = [text for part in (made.train, made.validation, made.test) for text in part.inputs]
        labels = np.concatenate([part.targets for part in (made.train, made.validation, made.test)])
        return pl.DataFrame({"text": texts, "label": labels})
    values = np.random.default_rng(0).normal(3, 2, (120, 5))
    frame = pl.DataFrame(values, schema=list("abcde"))
    if kind == "classes":
        return frame.with_columns(label=pl.Series(values.mean(1) > 3))
    return frame.with_columns(target=pl.Series(values.sum(1)))


def recipe_of(kind):
    if kind == "target":
        return small(scale=True, epochs=1).changed(task="regress", target="target")
    return small(
        epochs=2 if kind == "text" else 1,
        blend=False,
        padding="pre" if kind == "pre" else "mask",
        scale=kind == "classes",
        checkpoint_seconds=0.0,
    )


@pytest.mark.parametrize("kind", ["text", "pre", "classes", "target"])
def test_a_training_on_a_store_gives_the_numbers_of_one_in_memory_and_goes_on_within_an_epoch(
    kind, tmp_path, monkeypatch
):
    table("text" if kind == "pre" else kind).write_parquet(tmp_path / "table.parquet")
    recipe = recipe_of(kind).changed(store=str(tmp_path / "store"))
    stored = packed_dataset(tmp_path / "table.parquet", recipe.data, tasks.get(recipe.task).answer)
    run = training.train(recipe.task, stored, out=tmp_path / "stored", recipe=recipe, threads=1)

    if kind == "text":
        monkeypatch.chdir(tmp_path)
        source = "table.parquet"  # the run, and the store, know the whole path
        with pytest.raises(CutOff):
            training.train(recipe.task, source, out=tmp_path / "cut", recipe=recipe, threads=1, progress=CutsOff(run))
        again = training.resume(tmp_path / "cut")
        assert (again.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()

    def order(self, examples, config, epoch):
        lengths = None if min(examples.lengths) == max(examples.lengths) else lambda index: examples.lengths[index]
        return ShuffledOrder(len(examples), config.batch_size, config.seed, epoch, lengths)

    monkeypatch.setattr(InTraining, "order", order)
    monkeypatch.setattr(tasks.get(recipe.task), "fit", classmethod(lambda cls, dataset, config: run.task))
    held = stored.train.take(np.arange(len(stored.train)))
    memory = replace(stored.sampled, train=Split(held.inputs, held.targets))
    alone = training.train(recipe.task, memory, out=tmp_path / "memory", recipe=recipe, threads=1)
    for name in ("model.safetensors", "answers.parquet"):
        assert (alone.path / name).read_bytes() == (run.path / name).read_bytes()
