import math

import numpy as np
import polars as pl
import pytest
import torch
from torch.nn.functional import cross_entropy

from gatework import resume, train
from gatework.data.dataset import Split
from gatework.data.text import TextEncoder, Texts, Vocabulary
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions, ModelOptions
from gatework.recipe import Recipe
from gatework.reports import write_run_report
from gatework.tasks.classify import label_curve
from gatework.tasks.classify.options import PretrainingOptions
from gatework.tasks.classify.pretraining import WordModelTask, take_over
from gatework.tasks.classify.task import ClassifyTask
from gatework.tasks.classify.unlabelled import UnlabelledDataset, pretrained_recipe, unfrozen
from gatework.training import Progress
from support.datasets import labelled_sentences, sentences
from support.stopping import Stopping


@pytest.fixture
def texts(tmp_path):
    """A table of labelled texts, and a file that holds those same texts, spelt otherwise, and further ones."""
    labelled = labelled_sentences(tmp_path / "labelled.csv")
    further = sentences(60, seed=1)
    lines = [*(f"  {text.upper()}!" for text in labelled), *further, further[0], ""]
    (tmp_path / "further.txt").write_text("\n".join(lines))
    return tmp_path


def recipe_of(folder, **changes) -> Recipe:
    given = {"pretrain": str(folder / "further.txt"), "hidden": 6, "embedding": 5, "max_tokens": 5, "averaging": 0.9}
    given |= {"epochs": 2, "pretrain_epochs": 1, "batch_size": 16, "pooling": "concat", "bidirectional": True}
    return Recipe("classify").changed(**given | changes)


def test_nothing_of_a_text_that_is_held_back_reaches_the_language_model(texts):
    recipe = recipe_of(texts)
    dataset = ClassifyTask.load(str(texts / "labelled.csv"), recipe)
    assert isinstance(dataset, UnlabelledDataset)
    held = {word for part in (dataset.validation, dataset.test) for text in part.inputs for word in text.split()[-1:]}
    assert len(held) == len(dataset.validation) + len(dataset.test)
    task = ClassifyTask.fit(dataset, recipe.data)
    wanted = task.before(dataset, recipe)
    seen = [text.lower() for part in (wanted.dataset.train, wanted.dataset.validation) for text in part.inputs]
    assert not {word for text in seen for word in text.strip("! ").split()} & held
    assert not set(task.encoder.vocabulary.words) & held
    assert len(seen) == len(dataset.train) + 60, "every other text is there, and none twice"
    assert len(wanted.dataset.validation) >= 1
    assert any("also stand among the texts that are held back" in note for note in dataset.provenance.notes)
    assert (
        dataset.provenance.fingerprint
        != ClassifyTask.load(str(texts / "labelled.csv"), recipe.changed(pretrain=None)).provenance.fingerprint
    )


def test_no_direction_sees_the_word_that_it_predicts_and_the_loss_is_that_of_a_whole_softmax(texts):
    split = Split(Texts.of([*sentences(5), "one", "a longer text than one piece has words in it"]), np.zeros(7))
    encoder = TextEncoder.fit(split.inputs, DataOptions(max_tokens=5))
    task = WordModelTask.counted(encoder, split)
    examples = task.encode(split)
    assert int(examples.lengths.sum()) == sum(map(len, map(str.split, split.inputs))) - 1, "a word alone predicts none"
    model = task.model(ModelOptions(hidden=4, embedding=3, bidirectional=True)).eval()
    batch = examples.batch(np.arange(len(examples)))
    features = model(**batch.tensors())
    losses, weight = 0.0, 0
    for row, length in enumerate(batch.lengths.tolist()):
        for place in range(length):
            changed = batch.inputs.clone()
            changed[row, place] = 2 + (changed[row, place] - 1) % (len(encoder.vocabulary) - 2)
            other = model(changed, batch.lengths)
            # The first direction predicts a word by the step before it, the second by the one behind it.
            sides = [(0, place - 1)] * (place > 0) + [(1, place)] * (place < length - 1)
            for direction, step in sides:
                assert torch.equal(other[direction, step, row], features[direction, step, row])
                logits = model.softmax.weight @ features[direction, step, row] + model.softmax.bias
                losses += float(cross_entropy(logits, batch.inputs[row, place]).detach())
                weight += 1
    loss = task.loss(model, batch)
    assert loss.weight == weight
    assert float(loss.total.detach()) == pytest.approx(losses, rel=weight * torch.finfo(torch.float32).eps)
    perplexity = task.evaluate(model, examples).metrics["word_perplexity"]
    assert perplexity == pytest.approx(math.exp(losses / weight), rel=1e-5)


def test_words_of_several_texts_are_those_of_all_together():
    parts = [Texts.of(["b a", "", "c c"]), Texts.of(["c d a", "e"])]
    whole = Texts.of([text for part in parts for text in part])
    together = Texts.joined(parts)
    assert [together.tokens.words(k) for k in range(5)] == [whole.tokens.words(k) for k in range(5)]
    for size in (2, 4, 99):
        assert Vocabulary.fit(parts[0], size, parts[1]) == Vocabulary.fit(whole, size)


def test_a_training_stopped_in_both_of_its_parts_ends_with_the_very_same_weights(texts):
    data, recipe = str(texts / "labelled.csv"), recipe_of(texts, checkpoint_seconds=0, pairs=9)
    whole = train("classify", data, out=texts / "whole", recipe=recipe, threads=1)
    assert whole.task.encoder.pairs
    with pytest.raises(KeyboardInterrupt):
        train("classify", data, out=texts / "cut", recipe=recipe, threads=1, progress=Stopping("language model", 3))
    assert not (texts / "cut" / "language-model" / "summary.json").exists()
    with pytest.raises(KeyboardInterrupt):
        resume(texts / "cut", progress=Stopping("cut", 4))
    again = resume(texts / "cut")
    for name in ("model.safetensors", "language-model/model.safetensors", "answers.parquet"):
        assert (again.path / name).read_bytes() == (whole.path / name).read_bytes()
    assert again.predict("a good film")["label"][0] in ("yes", "no")
    assert whole.summary["seconds"] > 0


def test_a_classifier_begins_with_the_layers_of_the_language_model_and_unfreezes_them_in_turn(texts):
    recipe = recipe_of(texts, pairs=9)
    dataset = ClassifyTask.load(str(texts / "labelled.csv"), recipe)
    task = ClassifyTask.fit(dataset, recipe.data)
    wanted = task.before(dataset, recipe)
    language, model = wanted.task.model(wanted.recipe.model), task.model(recipe.model)
    take_over(model, language.state_dict())
    words = len(language.softmax.weight)
    assert torch.equal(model.embedding.weight[:words], language.softmax.weight)
    assert len(task.encoder.pairs) == len(model.embedding.weight[words:]) > 0, "pairs begin as their second words"
    assert not model.embedding.weight[words:].any()
    assert all(
        torch.equal(mine, language.recurrent.state_dict()[n]) for n, mine in model.recurrent.state_dict().items()
    )
    pace = task.pace(model, recipe)
    assert {id(p) for group in pace.groups for p in group} == {id(p) for p in model.parameters()}
    plan = PretrainingOptions(unfreezing=0.1, falling=2)
    assert [unfrozen(plan, share) for share in (0, 0.1, 0.2)] == [(1, 0, 0), (1, 0.5, 0), (1, 0.5, 0.25)]
    assert task.pace(model, recipe.changed(pretrain=None)) is None


def test_minutes_are_shared_with_the_pre_training_and_what_a_person_gave_stays(texts):
    recipe = recipe_of(texts, minutes=10.0)
    shared = pretrained_recipe(recipe, {"minutes", "hidden"})
    assert shared.section(PretrainingOptions).pretrain_minutes + shared.training.minutes == 10
    assert shared.model.hidden == 6
    assert shared.model.embedding > 5
    given = pretrained_recipe(recipe.changed(pretrain_minutes=3.0), {"minutes", "pretrain_minutes"})
    assert (given.training.minutes, given.section(PretrainingOptions).pretrain_minutes) == (10, 3)


def test_texts_that_cannot_be_learnt_from_are_refused_in_a_sentence(texts):
    data, recipe = str(texts / "labelled.csv"), recipe_of(texts)
    (texts / "empty.txt").write_text("\n \n")
    with pytest.raises(DataError, match="holds no texts to learn from"):
        ClassifyTask.load(data, recipe.changed(pretrain=str(texts / "empty.txt")))
    with pytest.raises(UsageError, match='"waves" has no texts without labels'):
        ClassifyTask.load(data, recipe.changed(pretrain="waves"))
    with pytest.raises(UsageError, match="of several layers that read both ways the upper ones know"):
        ClassifyTask.load(data, recipe.changed(layers=2))
    folder = texts / "folder"
    folder.mkdir()
    (folder / "one.txt").write_text("a text\nof two lines")
    pl.DataFrame({"text": ["a text"], "stars": [3], "note": ["x y z"]}).write_csv(texts / "table.csv")
    for name in ("folder", "table.csv"):
        read = ClassifyTask.load(data, recipe.changed(pretrain=str(texts / name), text="text", label="label"))
        assert isinstance(read, UnlabelledDataset)
        assert len(read.unlabelled) == 1


def test_a_network_of_series_takes_no_texts(texts):
    frame = pl.DataFrame({"a": range(40), "b": range(40), "label": ["x", "y"] * 20})
    with pytest.raises(UsageError, match="--pretrain is of texts"):
        ClassifyTask.load(frame, recipe_of(texts))


class Labels(Progress):
    """Notes which trainings begin."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def started(self, label, epochs, steps, done):
        self.begun.append(label)


def test_a_curve_of_labels_trains_on_some_of_them_from_the_one_language_model(texts, monkeypatch):
    monkeypatch.setattr(label_curve, "SIZES", (20, 40, 1000))
    monkeypatch.setattr(label_curve, "_FEWEST_STEPS", 1)
    recipe = recipe_of(texts, epochs=1, label_curve=True, blend=False)
    dataset = ClassifyTask.load(str(texts / "labelled.csv"), recipe)
    whole = ClassifyTask.fit(dataset, recipe.data)
    made = label_curve.trainings(dataset, recipe)
    assert list(made) == ["20-pretrained", "20-plain", "40-pretrained", "40-plain"]
    few, further = made["20-pretrained"]
    assert (len(few.train), len(few.validation), len(few.test)) == (16, 4, len(dataset.test))
    assert set(few.train.inputs) < set(made["40-plain"][0].train.inputs) < set(dataset.train.inputs)
    assert ClassifyTask.fit(few, recipe.data).encoder == whole.encoder, "the words are those of the language model"
    assert not further.section(PretrainingOptions).label_curve
    monkeypatch.setattr(label_curve, "SIZES", (20,))
    told = Labels()
    run = train("classify", str(texts / "labelled.csv"), out=texts / "run", recipe=recipe, threads=1, progress=told)
    assert sum(label.endswith("language model") for label in told.begun) == 1
    assert len(told.begun) == 2 + 2
    table = pl.read_parquet(run.path / "further.parquet")
    assert table["training"].to_list() == list(made)[:2]
    assert table["test_accuracy"].is_between(0, 1).all()
    assert not (run.path / "further").exists()
    page = write_run_report(run.path).read_text(encoding="utf-8")
    assert "Fewer labels" in page
    assert "begun from the language model: 20 labels" in page
