import json
import tomllib

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy

from gatework import train
from gatework.data.dataset import Batch, Dataset, Split
from gatework.data.inputs import SeriesInputs
from gatework.data.series import Scale, SeriesEncoder
from gatework.errors import UsageError
from gatework.recipe import recipe_of_task
from gatework.recipe._toml import recipe_from_dict, recipe_to_toml
from gatework.tasks.classify.class_weights import class_weights, outlook
from gatework.tasks.classify.task import ClassifyTask
from gatework.training import Progress, Run

CLASSES = ("no", "yes, often", "a=b")


def dataset_of(counts: list[int], seed: int = 0, classes: tuple[str, ...] = CLASSES) -> Dataset:
    """Series whose mean says the class, with so much noise that the rare one is likelier another wherever it is met."""
    random = np.random.default_rng(seed)
    targets = np.repeat(np.arange(len(counts)), counts)
    values = random.normal(size=(len(targets), 3, 1)) + targets[:, None, None]
    part = Split(SeriesInputs.of(values.astype(np.float32)), targets)
    return Dataset.of("made", part, part, part, classes[: len(counts)])


def weighted(dataset: Dataset, given: object) -> tuple[float, ...]:
    return class_weights(dataset, recipe_of_task("classify").changed(class_weights=given))


def test_balanced_weights_are_those_of_scikit_learn():
    dataset = dataset_of([90, 7, 3])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=dataset.train.targets)
    assert weighted(dataset, "balanced") == pytest.approx(expected)
    assert weighted(dataset_of([9, 0, 1]), "balanced") == pytest.approx([10 / 18, 1, 5]), "a class without examples"
    assert weighted(dataset, None) == ()


def test_weights_by_label_are_read_from_texts_and_mappings_and_only_their_ratio_counts():
    dataset = dataset_of([5, 4, 1])
    # The mean over the examples is 1: (5 + 4 * 2 + 1 * 7) / 10 = 2.
    expected = (0.5, 1.0, 3.5)
    for given in (["yes, often=2", "a=b=7"], {"yes, often": 2, "a=b": 7}, {"no": 3, "yes, often": 6.0, "a=b": 21}):
        assert weighted(dataset, given) == pytest.approx(expected)
    by_commas = dataset_of([5, 4, 1], classes=("0", "1", "2"))
    assert weighted(by_commas, "1=2,2=7") == weighted(by_commas, {1: 2, 2: 7}) == pytest.approx(expected)
    recipe = recipe_of_task("classify").changed(class_weights={"a=b": 7})
    assert recipe_from_dict(tomllib.loads(recipe_to_toml(recipe)), "here") == recipe


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("balance", 'is "balance", expected balanced or LABEL=WEIGHT'),
        ("yes often=2", 'names "yes often", which is no class: did you mean "yes, often"?'),
        ({"no": 0}, 'gives "no" 0, expected a number above 0'),
        ("no=nan", 'gives "no" nan, expected'),
        ({"no": "much"}, "class_weights.no is 'much', expected a number"),
    ],
)
def test_a_wrong_weight_is_one_sentence(given, said):
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        weighted(dataset_of([5, 4, 1]), given)


def test_the_loss_and_its_gradient_are_those_of_torch():
    weights = (0.2, 1.5, 4.0)
    task = ClassifyTask(SeriesEncoder(Scale.identity(1)), CLASSES, weights=weights)
    for targets in (torch.tensor([0, 2, 1, 0, 0]), torch.tensor([0, 0])):  # the weights of the latter come to 0.4
        scores = torch.randn(len(targets), 3, generator=torch.manual_seed(0), requires_grad=True)
        batch = Batch(torch.zeros(len(targets), 1, 1), torch.ones(len(targets)), targets)
        mean = task.loss_of(scores, batch).mean()
        expected = cross_entropy(scores, targets, torch.tensor(weights))
        torch.testing.assert_close(mean, expected)
        for mine, theirs in zip(*(torch.autograd.grad(loss, scores) for loss in (mean, expected)), strict=True):
            torch.testing.assert_close(mine, theirs)


def test_training_says_where_classes_are_unbalanced_and_what_weights_they_have():
    recipe = recipe_of_task("classify")
    (line,) = outlook(dataset_of([95, 4, 1]), recipe)
    assert line.startswith("unbalanced classes: a=b (1 %), yes, often (4 %) of the training examples")
    assert "--class-weights balanced" in line
    assert outlook(dataset_of([60, 25, 15]), recipe) == []
    assert outlook(dataset_of([5] * 20, classes=tuple(map(str, range(20)))), recipe) == [], "many classes, none rare"
    (line,) = outlook(dataset_of([5, 5, 6], classes=("No", "no", "yes")), recipe)
    assert line.startswith('classes apart by upper case alone: "No" and "no";')
    (line,) = outlook(dataset_of([95, 5]), recipe.changed(class_weights="balanced"))
    assert "yes, often (10), no (0.526);" in line


def test_a_rare_class_is_passed_over_without_weights_and_told_with_them(tmp_path):
    dataset = dataset_of([380, 20], classes=("common", "rare"))
    small = {"epochs": 12, "hidden": 4, "learning_rate": 0.02, "patience": 0, "threads": 1, "progress": Progress()}
    plain = train("classify", dataset, out=tmp_path / "plain", blend=False, **small)
    run = train("classify", dataset, out=tmp_path / "run", class_weights="balanced", **small)

    def recall(run: Run) -> float:
        answers = run.scores.answers
        predicted = answers["scores"].to_numpy().argmax(axis=1)
        return float(predicted[answers["target"].to_numpy() == 1].mean())

    assert recall(plain) < 0.4 < 0.6 < recall(run)
    assert not run.recipe.to_dict()["answer"]["blend"]
    epochs = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    scores = [epoch["validation_weighted_accuracy"] for epoch in epochs]
    assert scores[run.summary["best_epoch"] - 1] == max(scores)
    # Of the same examples the training accuracy, seen while the weights move, is near the validation accuracy.
    assert epochs[-1]["train_accuracy"] == pytest.approx(epochs[-1]["validation_accuracy"], abs=0.1)
    assert epochs[-1]["train_loss"] == pytest.approx(epochs[-1]["validation_loss"], rel=0.2)
