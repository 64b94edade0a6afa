import shutil

import numpy as np
import polars as pl
import pytest
import torch

from gatework import train
from gatework._files import read_tensors
from gatework.data.dataset import Split
from gatework.data.known_lines import is_known, line_keys
from gatework.data.text import Texts
from gatework.errors import RunError, UsageError
from gatework.recipe import recipe_of_task
from gatework.tasks.classify.task import ClassifyTask
from support.texts import run as trained
from support.texts import sentences

SHOWN = sentences(80, seed=3)
"""Labelled texts, of which the language model has read the first three."""


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    folder = tmp_path_factory.mktemp("language [1]")
    more = "\n".join([*(f"  {text.upper()}!!" for text in SHOWN[:3]), "of two lines", ""])
    return trained(folder, level="subword", vocabulary=300, hidden=6, embedding=5, layers=2, first=more)


@pytest.fixture(scope="module")
def labelled():
    labels = ["yes" if "queen" in text else "no" for text in SHOWN]
    return pl.DataFrame({"text": [f"{text} n{k}" if k > 2 else text for k, text in enumerate(SHOWN)], "label": labels})


def recipe_of(language, **changes):
    given = {"epochs": 1, "batch_size": 16, "from_run": str(language.path), "pooling": "concat", "blend": False}
    return recipe_of_task("classify").changed(**given | changes)


def test_nothing_that_the_language_model_has_read_is_held_back_for_the_classifier(language, labelled):
    whole, shown = recipe_of(language, from_run=None), set(SHOWN[:3])
    parted = ((seed, ClassifyTask.load(labelled, whole.changed(split_seed=seed))) for seed in range(40))
    seed, before = next((seed, parts) for seed, parts in parted if shown & {*parts.test.inputs})
    recipe = recipe_of(language, split_seed=seed)
    after = ClassifyTask.load(labelled, recipe)
    held = [text for part in (after.validation, after.test) for text in part.inputs]
    assert not is_known(pl.Series(held), language_lines(language)).any()
    read = {text for part in (before.validation, before.test) for text in part.inputs} - set(held)
    assert read
    assert read <= set(SHOWN[:3])
    assert list(after.train.inputs) == list(before.train.inputs)
    assert any("were read by the language model and left out" in note for note in after.provenance.notes)
    lines = [line for line in (language.path.parent / "text.txt").read_text().splitlines()[4:80] if line]
    all_read = pl.DataFrame({"text": lines, "label": ["yes" if "the" in line else "no" for line in lines]})
    with pytest.raises(UsageError, match=r"has read \d+ of the \d+ texts that validate"):
        ClassifyTask.load(all_read, recipe)


def language_lines(language):
    return pl.read_parquet(language.path / "learnt.parquet", glob=False)["line"].to_numpy()


def test_a_text_is_known_whose_every_line_was_read_but_for_case_and_punctuation():
    keys = line_keys(pl.Series(["A line.\nAnother one", "third"]))
    texts = pl.Series(["another ONE!", "third\n\na line", "third\nfourth", "...", None])
    assert is_known(texts, keys).tolist() == [True, True, False, False, False]


def test_a_classifier_begins_with_the_pieces_the_size_and_the_layers_of_a_run(language, labelled, tmp_path):
    changes = {"learning_rate": 1e-12, "epochs": 1, "batch_size": 16, "max_tokens": 9, "blend": False}
    changes["from_run"] = str(language.path)
    run = train("classify", labelled, out=tmp_path / "run", threads=1, **changes)
    assert run.task.encoder.vocabulary.tokens == language.task.tokens
    model = run.recipe.model
    assert (model.hidden, model.layers, model.embedding, model.bidirectional) == (6, 2, 5, False)
    assert model.pooling == "concat"
    before, after = (read_tensors(each.path / "model.safetensors")[0] for each in (language, run))
    for name in before:
        if name.startswith(("embedding.", "recurrent.")):
            torch.testing.assert_close(after[name], before[name], atol=1e-6, rtol=0)
    texts = ["the king is dead", "", "日本"]
    assert run.inference is not None
    batch = run.task.encode(Split(Texts.of(texts), np.zeros(3, np.int64))).batch(np.arange(3))
    assert batch.inputs[:, 0].tolist() == [0, 0, 0], "a text begins with the boundary before it"
    assert batch.inputs.shape[1] <= 9
    with_torch = run.task.predict(run.network, run.predictor.read(texts))
    answered = run.predict(texts)
    assert answered["label"].to_list() == with_torch["label"].to_list()
    np.testing.assert_allclose(answered["probability"], with_torch["probability"], rtol=1e-6)
    with pytest.raises(UsageError, match="reads pieces of words"):
        run.predictor.stream()


def test_what_a_classifier_cannot_begin_from_is_one_sentence(language, labelled, tmp_path):
    def refused(match, kind=UsageError, **changes):
        with pytest.raises(kind, match=match):
            train("classify", labelled, out=tmp_path / "run", threads=1, **{"from_run": str(language.path)} | changes)

    refused("is no finished run", from_run=str(tmp_path))
    refused("has its size; leave out --hidden", hidden=7)
    refused("give one of them", pretrain=str(tmp_path / "texts.txt"))
    for file, match, kind in (
        ("task.json", "task.json is corrupt", RunError),
        ("learnt.parquet", "is missing or corrupt", UsageError),
        ("model.safetensors", "cannot be read|corrupt", RunError),
    ):
        copy = tmp_path / f"of {file}"
        shutil.copytree(language.path, copy)
        (copy / file).write_bytes(b"{")
        refused(match, kind, from_run=str(copy))
    copy = tmp_path / "characters"
    shutil.copytree(language.path, copy)
    (copy / "task.json").write_text('{"tokens": {"level": "char", "characters": "abc"}}')
    refused("--level subword", from_run=str(copy))
    recipe = (copy / "recipe.toml").read_text()
    (copy / "recipe.toml").write_text(recipe.replace('task = "generate"', 'task = "classify"').split("[generate]")[0])
    refused('is a run of the task "classify"', from_run=str(copy))
    series = pl.DataFrame({"a": range(40), "b": range(40), "label": ["x", "y"] * 20})
    with pytest.raises(UsageError, match="--from is of texts"):
        ClassifyTask.load(series, recipe_of(language))
