"""A language model of a text on disk learns the very numbers of one in memory."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from gatework import training
from gatework.data.dataset import Split
from gatework.errors import DataError
from gatework.tasks.generate.stored import stored_text_dataset
from gatework.tasks.generate.task import GenerateTask
from support.texts import sentences, small, text


def files(folder, kind):
    if kind == "table":
        path = folder / "table.parquet"
        pl.DataFrame({"text": sentences(200), "by": ["a", "b"] * 100}).write_parquet(path)
        return path, {"text": "text", "label": "by"}
    if kind == "folder":
        (folder / "texts").mkdir()
        for k in range(3):
            text(folder / "texts", 3000 + k, f"{k}.txt")
        return folder / "texts", {}
    content = "\n".join([*sentences(100), "Grüße, 世界. 🙂\r\n" * 50, *sentences(100)])
    path = folder / "text.txt"
    path.write_bytes(content.encode())
    return path, {}


@pytest.mark.parametrize("kind", ["file", "folder", "table"])
def test_a_text_on_disk_is_learnt_from_as_one_in_memory(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("gatework.tasks.generate.stored._BLOCK", 1000)
    monkeypatch.setattr("gatework.tasks.generate.streams._COUNTED", 500)
    source, names = files(tmp_path, kind)
    recipe = small(level="subword" if kind == "folder" else "char", store=str(tmp_path / "store [1]"), **names)
    stored = stored_text_dataset(source, recipe)
    memory = stored.sampled
    tasks = [GenerateTask.fit(dataset, recipe.data) for dataset in (stored, memory)]
    assert tasks[0].state() == tasks[1].state()
    one, other = (task.encode(dataset.train) for task, dataset in zip(tasks, (stored, memory), strict=True))
    assert one.cycle == other.cycle
    order = one.order(recipe.training, 2)
    for index in [*order, np.array([[one.cycle - 3, 8, 0]])]:
        assert np.array_equal(one.taken(index[:, 0], 9), other.taken(index[:, 0], 9))
    assert tasks[0].labels == (("a", "b") if kind == "table" else ())
    if kind != "file":
        return
    runs = [
        training.train("generate", dataset, out=tmp_path / name, recipe=recipe, threads=1)
        for name, dataset in (("stored", stored), ("memory", memory))
    ]
    assert len({(run.path / "model.safetensors").read_bytes() for run in runs}) == 1
    assert len({(run.path / "answers.parquet").read_bytes() for run in runs}) == 1


def test_of_a_long_text_a_sample_stands_for_it_where_all_would_be_held(tmp_path, monkeypatch):
    monkeypatch.setattr("gatework.tasks.generate.stored._BLOCK", 200)
    monkeypatch.setattr("gatework.tasks.generate.stored.SAMPLE", 2000)
    recipe = small(store=str(tmp_path / "store [1]"))
    stored = stored_text_dataset(text(tmp_path, 20_000), recipe)
    assert 1000 < stored.sampled.train.inputs.characters < 3000 < stored.train.characters
    assert GenerateTask.fit(stored, recipe.data).encode(stored.train).cycle > stored.train.characters
    texts = "".join(text for blocks in stored.train.pieces() for text in blocks)
    assert all(passage in texts for passage in stored.train.inputs.texts)
    assert len(stored.train.take(np.array([0, len(stored.train) - 1]))) == 2
    assert replace(stored, train=Split(stored.train.inputs, stored.train.targets)).sampled is not stored


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "latin.txt").write_bytes(("Grüße und Küsse. " * 50).encode("cp1252"))
    with pytest.raises(DataError, match="is not UTF-8"):
        stored_text_dataset(tmp_path / "latin.txt", small(store=str(tmp_path / "store [1]")))
    (tmp_path / "short.txt").write_text("Too short.")
    with pytest.raises(DataError, match="too few to learn from"):
        stored_text_dataset(tmp_path / "short.txt", small(store=str(tmp_path / "store [1]")))
