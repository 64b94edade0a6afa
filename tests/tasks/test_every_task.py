"""What every task promises, on every kind of input."""

import json

import numpy as np
import pytest
import torch

from gatework import tasks
from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.text import Texts
from gatework.options import DataOptions, ModelOptions


def dataset(task: str, kind: str) -> Dataset:
    random = np.random.default_rng(0)

    def part(examples: int) -> Split:
        value = random.normal(size=(examples, 1)).astype(np.float32)
        if kind == "series":
            inputs = value[:, :, None] + random.normal(size=(examples, 7, 1)).astype(np.float32)
        else:
            inputs = Texts.of([" ".join(["good" if v > 0 else "bad", "film"] * i) for i, v in enumerate(value[:, 0])])
        return Split(inputs, (value[:, 0] > 0).astype(np.int64) if task == "classify" else value * 3 + 10)

    classes = ("low", "high") if task == "classify" else ()
    return Dataset("x", kind, part(40), part(20), part(30), Provenance("here", "yours", "0"), classes)


@pytest.fixture(params=[(task, kind) for task in ("classify", "regress") for kind in ("series", "text")], ids="-".join)
def fitted(request):
    data = dataset(*request.param)
    config = DataOptions(scale=True, max_tokens=9, vocabulary=3)
    return tasks.get(request.param[0]).fit(data, config), data


def test_state_goes_through_json_and_encodes_the_same(fitted):
    task, data = fitted
    again = type(task).from_state(json.loads(json.dumps(task.state())))
    assert again == task
    assert again.encoder.kind == data.kind
    assert tuple(again.classes) == data.classes
    for part in (data.train, data.validation, data.test):
        index = np.arange(0, len(part), 3)
        first, second = task.encode(part).batch(index), again.encode(part).batch(index)
        assert torch.equal(first.inputs, second.inputs)
        assert torch.equal(first.lengths, second.lengths)
        assert torch.equal(first.targets, second.targets)


def test_lengths_are_those_of_the_batches(fitted):
    task, data = fitted
    examples = task.encode(data.train)
    assert len(examples) == len(examples.lengths) == len(data.train)
    batch = examples.batch(np.array([5, 0, 9]))
    assert batch.lengths.tolist() == examples.lengths[[5, 0, 9]].tolist()
    assert batch.inputs.shape[:2] == (3, batch.lengths.max())
    assert batch.lengths.min() >= 1


def test_its_network_learns_from_its_loss(fitted):
    task, data = fitted
    torch.manual_seed(0)
    model = task.model(ModelOptions(hidden=5, embedding=4))
    batch = task.encode(data.train).batch(np.arange(16))
    loss = task.loss(model, batch).mean()
    assert loss.ndim == 0
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())
    assert any(p.grad.abs().max() > 0 for p in model.parameters())


def test_outputs_of_network_and_baselines_have_one_form(fitted):
    task, data = fitted
    model = task.model(ModelOptions(hidden=5, embedding=4))
    evaluation = task.evaluate(model, task.encode(data.test))
    assert evaluation.metrics == task.metrics(evaluation.answers)
    for answers in (evaluation.answers, *(baseline.answers for baseline in task.baselines(data))):
        assert answers.columns == evaluation.answers.columns
        assert len(answers) == len(data.test)
        metrics = task.metrics(answers)
        assert task.metric in metrics
        assert all(isinstance(value, float) and np.isfinite(value) for value in metrics.values())
    rows = json.loads(json.dumps(task.predict(model, data.test).to_dicts()))
    assert len(rows) == len(data.test)


def test_a_baseline_that_learns_beats_the_one_that_does_not(fitted):
    task, data = fitted
    first, *others = task.baselines(data)
    scores = [task.metrics(b.answers)[task.metric] for b in (first, *others)]
    best = min(scores[1:]) if task.lower_is_better else max(scores[1:])
    assert best < scores[0] if task.lower_is_better else best > scores[0]
    assert all(b.about.endswith(".") and b.seconds >= 0 for b in (first, *others))
