"""Texts without labels that a first network and the best linear model answer, so that second ones learn of them."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression

from gatework import resume, train
from gatework._files import read_tensors
from gatework.data.dataset import Dataset, Split
from gatework.data.text import Texts
from gatework.errors import RunError, UsageError
from gatework.export import run as written
from gatework.inside.page.content import content
from gatework.options import AnswerOptions
from gatework.recipe import Recipe
from gatework.tasks import Earlier
from gatework.tasks._dense import DenseTask
from gatework.tasks.classify.beside import candidates
from gatework.tasks.classify.calibration import joined
from gatework.tasks.classify.linear import _nb_svm, refitted, together
from gatework.tasks.classify.pretraining import NAME as LANGUAGE
from gatework.tasks.classify.probable import regressions
from gatework.tasks.classify.self_training import NAME
from gatework.tasks.classify.task import ClassifyTask
from support.datasets import WORDS, labelled_sentences, sentences
from support.stopping import Stopping


@pytest.fixture
def texts(tmp_path):
    """Labelled texts, and others: those same, spelt otherwise, and further ones."""
    labelled = labelled_sentences(tmp_path / "labelled.csv")
    (tmp_path / "further.txt").write_text("\n".join([*(text.upper() for text in labelled), *sentences(60, seed=1)]))
    return tmp_path


def recipe_of(folder, **changes) -> Recipe:
    given = {"unlabelled": str(folder / "further.txt"), "hidden": 6, "embedding": 5, "max_tokens": 5, "pairs": 9}
    return Recipe("classify").changed(**given | {"epochs": 2, "batch_size": 16, "adversarial": 0.05} | changes)


@pytest.mark.parametrize(("blend", "contextual"), [(True, 0), (False, 4)])
def test_what_the_run_would_answer_without_more_texts_is_what_their_labels_are(texts, blend, contextual):
    recipe = recipe_of(texts, blend=blend, contextual=contextual, bidirectional=True)
    dataset = ClassifyTask.load(str(texts / "labelled.csv"), recipe)
    task = ClassifyTask.fit(dataset, recipe.data)
    earlier: list[Earlier] = []
    if contextual:
        language = task.before(dataset, recipe, earlier)
        assert (language.name, language.recipe.model.hidden) == (LANGUAGE, contextual)
        earlier.append(Earlier(language.task.model(language.recipe.model).state_dict(), 0.0))
    before = task.before(dataset, recipe, earlier)
    assert (before.name, len(before.dataset.train)) == (NAME, len(dataset.train)), "the labels alone"
    network = task.model(recipe.model)
    assert before.weights is (earlier[0].weights if contextual else before.weights)
    earlier.append(Earlier(network.state_dict(), 0.0))
    assert task.before(dataset, recipe, earlier) is None
    whole, _, begun = task.following(dataset, recipe, earlier)
    assert begun == (earlier[0].weights if contextual else {}), "but for the language model from fresh weights"
    targets, count = whole.train.targets, len(dataset.train)
    assert list(whole.train.inputs) == [*dataset.train.inputs, *dataset.unlabelled]
    np.testing.assert_array_equal(targets[:count], np.eye(2)[dataset.train.targets])
    held, further = dataset.validation, Split(dataset.unlabelled, np.zeros(60, np.int64))
    voices = [[DenseTask.outputs(task, network, task.encode(split))[0] for split in (held, further)]]
    assert recipe.section(AnswerOptions).blend is blend
    voices += [[each.voice.scores(split.inputs) for split in (held, further)] for each in candidates(dataset) if blend]
    scores = joined([voice[0] for voice in voices], held.targets).of([voice[1] for voice in voices])
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(targets[count:], expected, rtol=1e-4)


def test_a_language_model_is_read_beside_words_and_stays_as_it_is(texts):
    recipe = recipe_of(texts, contextual=4, bidirectional=True, embedding_dropout=0.0, dropout=0.0)
    dataset = ClassifyTask.load(str(texts / "labelled.csv"), recipe)
    task = ClassifyTask.fit(dataset, recipe.data)
    language = task.before(dataset, recipe)
    words = language.task.model(language.recipe.model).eval()
    model = task.model(recipe.model).eval()
    task.begin(model, dataset, words.state_dict())
    batch = task.encode(dataset.train).batch(np.arange(9))
    assert bool((batch.inputs >= model.context.words).any()), "pairs of words, which the language model has none of"
    tokens = torch.where(batch.inputs < model.context.words, batch.inputs, 0)
    for place in (batch.inputs >= model.context.words).nonzero().tolist():
        tokens[*place] = int(task.seconds[batch.inputs[*place] - model.context.words])
    states, _ = words.recurrent(words.softmax.weight[tokens.t()], lengths=batch.lengths)
    sizes = states.square().mean(-1, keepdim=True).sqrt()
    known = torch.where(sizes > 0, 0.1 * states / sizes, 0) @ model.context.take.weight.t()
    inputs = model.vectors(batch.inputs, batch.lengths)
    torch.testing.assert_close(inputs, model.embedding(batch.inputs.t()) + known)
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    learnt = {name for name in frozen if not name.startswith(("context.embedding.", "context.recurrent."))}
    assert frozen
    assert not learnt
    model.train()
    task.loss(model, batch).total.backward()
    assert all((weight.grad is None) == (name in frozen) for name, weight in model.named_parameters())


def test_no_word_or_text_that_is_held_back_is_learnt_from(texts):
    recipe = recipe_of(texts)
    dataset = ClassifyTask.load(str(texts / "labelled.csv"), recipe)
    held = {text.split()[-1] for part in (dataset.validation, dataset.test) for text in part.inputs}
    assert len(dataset.unlabelled) == 60
    assert not {word for text in dataset.unlabelled for word in text.lower().split()} & held
    task = ClassifyTask.fit(dataset, recipe.data)
    assert not set(task.encoder.vocabulary.words) & held
    assert task.about(dataset)[-1] == "60 texts without labels"


def test_a_probability_counts_as_so_many_examples_of_the_class_and_as_the_rest_of_others():
    random = np.random.default_rng(0)
    features, likely = csr_matrix(random.normal(size=(40, 3))), random.random(40)
    both, weight = vstack([features, features]), np.concatenate([likely, 1 - likely])
    for each in regressions(features, likely, [0.1, 2.0]):
        expected = LogisticRegression(C=each.strength).fit(both, np.repeat([1, 0], 40), sample_weight=weight)
        np.testing.assert_allclose(each.weights, expected.coef_[0], atol=1e-2)
        np.testing.assert_allclose(each.bias, expected.intercept_[0], atol=1e-2)


def test_words_that_no_label_stands_by_are_learnt(tmp_path):
    random = np.random.default_rng(0)
    rest = ["film", "plot", "cast", "end"]

    def made(marks, count):
        return [" ".join(random.permutation([mark, *random.choice(rest, 3)])) for mark in marks for _ in range(count)]

    for name, part in (("labelled", made(["good", "bad"], 80)), ("test", made(["warm", "slow"], 30))):
        frame = pl.DataFrame({"text": part, "label": ["yn"[k >= len(part) // 2] for k in range(len(part))]})
        frame.write_csv(tmp_path / f"{name}.csv")
    (tmp_path / "further.txt").write_text("\n".join(made(["good warm", "bad slow"], 120)))
    given = {
        "test_file": str(tmp_path / "test.csv"),
        "max_tokens": 6,
        "hidden": 8,
        "embedding": 8,
        "epochs": 12,
        "batch_size": 16,
    }
    given |= {"embedding_dropout": 0.5, "dropout": 0.0, "learning_rate": 1e-2, "patience": 0}
    found = {}
    for name, more in (("alone", None), ("more", str(tmp_path / "further.txt"))):
        recipe = Recipe("classify").changed(**given, unlabelled=more)
        run = train("classify", str(tmp_path / "labelled.csv"), out=tmp_path / name, recipe=recipe, threads=1)
        beside = max(each["test_accuracy"] for each in run.summary["simple"].values())
        found[name] = (run.summary["network"]["test_accuracy"], beside)
    assert found["more"] == (1.0, 1.0), "the linear model that answers beside the network learns from the labels too"
    assert max(found["alone"]) < 0.9
    further = pl.DataFrame({"text": (tmp_path / "further.txt").read_text().splitlines(), "label": "y"})
    (note,) = run.evaluate(further).notes
    assert "240 of these 240 examples stood among the texts without labels" in note


def test_a_training_stopped_in_either_part_ends_with_the_very_same_weights(texts):
    data, recipe = str(texts / "labelled.csv"), recipe_of(texts, checkpoint_seconds=0, contextual=4, bidirectional=True)
    whole = train("classify", data, out=texts / "whole", recipe=recipe, threads=1)
    assert (whole.path / NAME / "model.safetensors").exists()
    expected = (whole.path / "model.safetensors").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        train("classify", data, out=texts / "cut", recipe=recipe, threads=1, progress=Stopping("first network", 3))
    with pytest.raises(KeyboardInterrupt):
        resume(texts / "cut", progress=Stopping("cut", 5))
    again = resume(texts / "cut")
    assert (again.path / "model.safetensors").read_bytes() == expected
    kept, language = again.network.state_dict(), read_tensors(again.path / LANGUAGE / "model.safetensors")[0]
    assert torch.equal(kept["context.embedding.weight"], language["softmax.weight"])
    assert again.predict("a good film")["label"][0] in ("yes", "no"), "by torch"
    with pytest.raises(UsageError, match="cannot be written from its run"):
        written(again.predictor, "onnx", texts / "network.onnx")
    with pytest.raises(RunError, match="has a network that the live page cannot run"):
        content([again])


def test_the_minutes_are_those_of_both_trainings(texts):
    recipe = recipe_of(texts, minutes=10.0, blend=False)
    dataset = ClassifyTask.load(str(texts / "labelled.csv"), recipe)
    task = ClassifyTask.fit(dataset, recipe.data)
    assert task.before(dataset, recipe).recipe.training.minutes == pytest.approx(3.0)
    weights = task.model(recipe.model).state_dict()
    assert task.following(dataset, recipe, [Earlier(weights, 120.0)])[1].training.minutes == pytest.approx(8.0)


@pytest.mark.parametrize("classes", [2, 3])
def test_sure_probabilities_give_the_linear_model_of_labels(classes):
    random = np.random.default_rng(3)
    labels = random.integers(0, classes, size=150)
    texts = [" ".join([WORDS[label], *random.choice(WORDS, size=5)]) for label in labels]
    parts = [Split(Texts.of(texts[at:end]), labels[at:end]) for at, end in ((0, 90), (90, 120), (120, 150))]
    dataset = Dataset.of("made", *parts, classes=tuple("abc"[:classes]))
    sure = replace(dataset, train=Split(parts[0].inputs, np.eye(classes)[parts[0].targets]))
    strength = [0.3]
    hard, soft = (_nb_svm(each, strength) for each in (dataset, sure))
    for one, other in ((hard, soft), (refitted(hard, dataset), refitted(soft, sure))):
        expected, found = (each.scores(parts[2].inputs) for each in (one, other))
        np.testing.assert_allclose(found, expected, atol=1e-2)  # where the two ways of fitting stop
    np.testing.assert_array_equal(together(sure).train.targets.argmax(1), labels[:120])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pretrain": "further.txt"}, "--pretrain and --unlabelled are two ways"),
        ({"class_weights": "balanced"}, "--class-weights counts labels"),
        ({"contextual": 4}, "give --bidirectional"),
        ({"contextual": 4, "unlabelled": None}, "give some without labels: --unlabelled FILE"),
        ({"label_curve": True}, "--label-curve needs a beginning that knows no label"),
    ],
)
def test_what_does_not_go_together_is_a_sentence(texts, changes, said):
    with pytest.raises(UsageError, match=said):
        ClassifyTask.load(str(texts / "labelled.csv"), recipe_of(texts, **changes))
