"""Nothing outside the training part reaches what a task learns."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.inputs import SeriesInputs
from gatework.data.text import UNKNOWN, Texts
from gatework.options import DataOptions
from gatework.tasks import get

PROVENANCE = Provenance("here", "yours", "0")
TRAIN = ["a good film", "a bad film", "good good", "bad"]
LABELS = np.array([1, 0, 1, 0])


def text_dataset(others: list[str]) -> Dataset:
    """Every text is tokenised at once, as loaders do, and only then cut into parts."""
    everything = Texts.of(others + TRAIN + others)
    _ = everything.tokens
    before, train, after = np.split(np.arange(len(everything)), [len(others), len(others) + len(TRAIN)])
    other_labels = np.arange(len(others)) % 2
    return Dataset(
        "x",
        "text",
        Split(everything[train], LABELS),
        Split(everything[before], other_labels),
        Split(everything[after], other_labels),
        PROVENANCE,
        ("bad", "good"),
    )


def fitted_text(others: list[str]) -> str:
    return json.dumps(get("classify").fit(text_dataset(others), DataOptions(vocabulary=3)).state())


@settings(max_examples=60)
@given(st.lists(st.text("abcdefilmgod é!", max_size=20), max_size=5))
def test_validation_and_test_texts_leave_the_vocabulary_as_it_is(others):
    assert fitted_text(others) == fitted_text([])


def test_a_changed_training_text_changes_the_vocabulary():
    dataset = text_dataset(["x"])
    changed = replace(dataset, train=Split(Texts.of(["other", "words", "here", "now"]), LABELS))
    states = [get("classify").fit(data, DataOptions()).state() for data in (dataset, changed)]
    assert states[0] != states[1]


def test_a_word_that_only_the_test_part_has_is_unknown():
    dataset = text_dataset(["unheard film"])
    task = get("classify").fit(dataset, DataOptions())
    batch = task.encode(dataset.test).batch(np.array([0]))
    assert batch.inputs[0, 0] == UNKNOWN
    assert batch.inputs[0, 1] > UNKNOWN


def series_dataset(others: np.ndarray) -> Dataset:
    train = np.random.default_rng(0).random((20, 6, 1), dtype=np.float32)
    parts = [Split(SeriesInputs.of(values), values[:, -1]) for values in (train, others, others[::-1].copy())]
    return Dataset("x", "series", *parts, PROVENANCE)


@pytest.mark.parametrize("scale", [True, False])
def test_validation_and_test_series_leave_the_scale_as_it_is(scale):
    random = np.random.default_rng(1)
    states = [
        get("regress").fit(series_dataset(others.astype(np.float32)), DataOptions(scale=scale)).state()
        for others in (random.random((5, 6, 1)), 1e6 * random.random((9, 6, 1)), np.full((3, 6, 1), np.inf))
    ]
    assert states[0] == states[1] == states[2]


def test_baselines_answer_the_same_whatever_the_test_targets_are():
    for dataset, task in (
        (series_dataset(np.ones((4, 6, 1), np.float32)), "regress"),
        (text_dataset(TRAIN), "classify"),
    ):
        targets = dataset.test.targets
        other = replace(dataset, test=Split(dataset.test.inputs, targets[::-1] * 0))
        first, second = (get(task).fit(data, DataOptions()).baselines(data) for data in (dataset, other))
        for one, two in zip(first, second, strict=True):
            assert one.answers.drop("target").equals(two.answers.drop("target")), one.name


def test_tfidf_weighs_terms_by_the_training_texts_alone():
    from gatework.tasks._tfidf import Tfidf

    alone, among = (
        Tfidf.fit(text_dataset(others).train.inputs, pairs=True)[1].toarray()
        for others in ([], ["film film zebra", "a"])
    )
    assert np.array_equal(alone, among)
