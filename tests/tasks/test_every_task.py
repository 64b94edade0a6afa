"""The battery on every registered task, on every kind of input that it takes, and on tasks that are wrong."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import torch
from polars.exceptions import ColumnNotFoundError

from gatework import tasks
from gatework.data.dataset import Dataset, Provenance
from gatework.recipe import Recipe, find_recipe, recipe_of_task
from gatework.tasks import Loss, load
from gatework.training import Run
from gatework.training.fitting import prepare
from support import recordings, spelling
from support.daily_tables import daily
from support.daily_tables import small as small_forecast
from support.datasets import opinions, waves
from support.datasets import small as small_classifier
from support.long_tables import small as small_series
from support.long_tables import waves as waves_of_a_long_table
from support.pretended_device import DEVICE, pretended_device
from support.sensors import payments, sensor
from support.sentence_pairs import small as small_translator
from support.sentence_pairs import toy_pairs
from support.task_battery import check_task, fitted
from support.texts import sentences
from support.texts import small as small_writer

Case = tuple[Dataset, Recipe]


def texts_with_classes() -> Case:
    return opinions(80), small_classifier(epochs=2)


def texts_with_values() -> Case:
    dataset, recipe = opinions(80), small_classifier(epochs=2, task="regress")
    parts = (dataset.train, dataset.validation, dataset.test)
    train, validation, test = (dataclasses.replace(p, targets=p.targets[:, None].astype(np.float32)) for p in parts)
    return dataclasses.replace(dataset, train=train, validation=validation, test=test, classes=()), recipe


def series_with_values() -> Case:
    dataset, recipe = waves()
    return dataset.limited(40), recipe.changed(epochs=2, scale=True)


def sounds_with_classes() -> Case:
    return recordings.sound_dataset(), recordings.small_classifier()


def series_with_classes() -> Case:
    dataset, _ = waves()
    dataset = dataset.limited(40)
    parts = (dataset.train, dataset.validation, dataset.test)
    train, validation, test = (dataclasses.replace(p, targets=(p.targets[:, 0] > 0).astype(np.int64)) for p in parts)
    dataset = dataclasses.replace(dataset, train=train, validation=validation, test=test, classes=("low", "high"))
    return dataset, find_recipe("classify").changed(hidden=4, epochs=2, batch_size=8)


def table(task: str, frame: pl.DataFrame, recipe: Recipe | None = None, **changes: object) -> Case:
    return prepare(frame, task, recipe, changes)


def series_of_a_long_table() -> Case:
    recipe = small_series()
    return load(waves_of_a_long_table(40), recipe), recipe


def series_to_forecast() -> Case:
    days = np.arange(60)
    frame = pl.concat(
        [daily(level + np.sin(2 * np.pi * days / 7), shop=[name] * 60) for level, name in ((10, "a"), (30, "b"))]
    )
    return table("forecast", frame, small_forecast(epochs=2, hidden=4), series="shop")


def distribution_to_forecast() -> Case:
    frame = daily(10 + np.sin(2 * np.pi * np.arange(90) / 7))
    return table("forecast", frame, small_forecast(epochs=2, hidden=4, distribution="normal"))


def counts_to_forecast() -> Case:
    counts = daily(np.random.default_rng(0).poisson(2, 90))
    return table("forecast", counts, small_forecast(epochs=2, hidden=4, networks=2))


def sensor_to_watch() -> Case:
    return table("detect", sensor(300), time="time", target="value", hidden=4, epochs=2, context=12)


def payments_with_labels() -> Case:
    columns = {"time": "time", "series": "account", "target": "amount", "label": "fraud"}
    return table("detect", payments(20, 30), **columns, hidden=4, epochs=2, context=8)


def text_to_go_on_with() -> Case:
    frame = pl.DataFrame({"text": ["\n".join(sentences(120))]})
    return table("generate", frame, small_writer())


def texts_with_pieces_of_words() -> Case:
    return table("generate", pl.DataFrame({"text": sentences(60)}), small_writer(level="subword", vocabulary=300))


def numbers_to_spell() -> Case:
    """The task that is registered from outside the package."""
    random = np.random.default_rng(0)
    numbers = ["".join(map(str, random.integers(0, 10, size=random.integers(1, 6)))) for _ in range(60)]
    splits = [
        spelling.Numbers(part, [[spelling.WORDS[int(digit)] for digit in number] for number in part])
        for part in (numbers[:30], numbers[30:45], numbers[45:])
    ]
    dataset = Dataset("numbers", "number", *splits, Provenance("made by the test", "none", "0"))
    return dataset, small_classifier(epochs=2, task="spell", layers=1, dropout=0.0)


def sentences_to_translate() -> Case:
    return table("translate", toy_pairs(60), small_translator(epochs=2))


def recordings_with_texts() -> Case:
    return recordings.dataset(), recordings.small(epochs=2)


CASES: dict[str, tuple[Callable[[], Case], ...]] = {
    "classify": (texts_with_classes, series_with_classes, series_of_a_long_table, sounds_with_classes),
    "regress": (texts_with_values, series_with_values),
    "forecast": (series_to_forecast, distribution_to_forecast, counts_to_forecast),
    "detect": (sensor_to_watch, payments_with_labels),
    "translate": (sentences_to_translate,),
    "transcribe": (recordings_with_texts,),
    "generate": (text_to_go_on_with, texts_with_pieces_of_words),
    "spell": (numbers_to_spell,),
}


def test_every_built_in_task_has_a_case():
    assert {name for name, task in tasks.REGISTRY.items() if task.__module__.startswith("gatework.")} <= set(CASES)


@pytest.mark.parametrize("case", [case for cases in CASES.values() for case in cases], ids=lambda case: case.__name__)
def test_the_task_passes_the_battery(case, tmp_path):
    check_task(*case(), tmp_path)


@pytest.mark.parametrize("case", [cases[-1] for cases in CASES.values()], ids=lambda case: case.__name__)
def test_a_training_step_on_another_device_leaves_no_tensor_behind(case):
    dataset, recipe = case()
    if recipe.task == "transcribe":
        recipe = recipe.changed(speed=0.1, gain=0.1, noise=0.5, masking=0.2)
    task = fitted(dataset, recipe)
    batch = task.encode(dataset.train).batch(np.arange(min(len(dataset.train), 8)))
    model = task.model(recipe.model)
    expected = task.loss(copy.deepcopy(model).eval(), batch).mean()
    with pretended_device():
        task.loss(model.to(DEVICE).train(), batch.to(DEVICE)).mean().backward()
        assert all(parameter.grad.device == DEVICE for parameter in model.parameters())
        loss = task.loss(model.eval(), batch.to(DEVICE)).mean()
    # Sums of float32 in another order.
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-4)


def wrong(monkeypatch: pytest.MonkeyPatch, name: str, method: object) -> Case:
    """The case of series with values, whose task has one method that is wrong."""
    dataset, recipe = series_with_values()
    monkeypatch.setattr(tasks.get(recipe.task), name, method)
    return dataset, recipe


def test_a_task_that_learns_from_the_test_part_fails(monkeypatch, tmp_path):
    learn = tasks.get("regress").fit

    def peek(dataset, *arguments):
        return learn(dataclasses.replace(dataset, train=dataset.test), *arguments)

    case = wrong(monkeypatch, "fit", peek)
    with pytest.raises(AssertionError, match="from the training part alone"):
        check_task(*case, tmp_path)


def test_a_task_whose_loss_is_weighted_by_batches_fails(monkeypatch, tmp_path):
    summed = tasks.get("regress").loss_of
    case = wrong(monkeypatch, "loss_of", lambda self, outputs, batch: Loss(summed(self, outputs, batch).mean(), 1.0))
    with pytest.raises(AssertionError, match="weights add up"):
        check_task(*case, tmp_path)


def test_a_task_whose_baselines_answer_otherwise_fails(monkeypatch, tmp_path):
    make = tasks.get("regress").baselines

    def renamed(self, dataset):
        return [dataclasses.replace(b, answers=b.answers.rename({"value": "guess"})) for b in make(self, dataset)]

    with pytest.raises(ColumnNotFoundError, match="value"):
        check_task(*wrong(monkeypatch, "baselines", renamed), tmp_path)
    assert Run.open(tmp_path / "whole").is_finished


def test_a_task_that_depends_on_the_moment_of_evaluation_does_not_resume(monkeypatch, tmp_path):
    make = tasks.get("regress").model
    numbers = iter(range(100))

    def fresh(self, config):
        model = make(self, config)
        model.register_buffer("made", torch.tensor(float(next(numbers))))
        return model

    with pytest.raises(AssertionError, match="bit for bit"):
        check_task(*wrong(monkeypatch, "model", fresh), tmp_path)


def test_a_report_lists_no_setting_that_its_task_does_not_read():
    for task in ("generate", "translate", "transcribe"):
        recipe = recipe_of_task(task).to_dict()
        shown = tasks.get(task).recipe_in_use(recipe, {})
        assert "padding" in recipe["data"]
        assert not {"padding", "scale"} & set(shown["data"])
        assert shown["model"]["hidden"] == recipe["model"]["hidden"]
