"""Translation from the pairs to the answers."""

import json

import numpy as np
import polars as pl
import pytest
import torch

import gatework
from gatework import tasks
from gatework.errors import DataError, RunError, UsageError
from gatework.tasks.translate.data import sides_of
from gatework.tasks.translate.looked import looked
from gatework.tasks.translate.task import expectation
from gatework.tasks.translate.translator import Translator
from gatework.training.fitting import prepare
from support.sentence_pairs import small, toy_pairs

LEARNING = {"hidden": 64, "embedding": 48, "batch_size": 32, "epochs": 12, "learning_rate": 1e-2}
LEARNING |= {"validation": 0.08, "test": 0.08, "label_smoothing": 0.0, "beam": 3}


def changed_pairs(change, count: int = 1300) -> pl.DataFrame:
    frame = toy_pairs(count)
    return frame.with_columns(target=pl.Series([change(source) for source in frame["source"]]))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network that has learnt to turn sentences round in another language."""
    frame = toy_pairs(1300)
    frame = frame.with_columns(target=pl.Series([" ".join(text.split()[::-1]) for text in frame["target"]]))
    return gatework.train("translate", frame, out=tmp_path_factory.mktemp("t") / "r", recipe=small(**LEARNING), threads=1)


def test_a_reversal_is_learnt_all_but_exactly_where_a_dictionary_fails(run):
    frame = toy_pairs(1300)
    frame = frame.with_columns(target=pl.Series([" ".join(text.split()[::-1]) for text in frame["target"]]))
    dataset, _ = prepare(frame, "translate", small(**LEARNING), {})
    baselines = {b.name: run.task.metrics(b.answers)["exact_match"] for b in run.task.baselines(dataset)}
    assert run.summary["metrics"]["test_exact_match"] >= 0.9
    assert max(baselines.values()) < 0.3


def test_a_copy_is_learnt_exactly(tmp_path):
    pairs = changed_pairs(str.upper, 700)  # the very same text on both sides is left out as untranslated
    result = gatework.train(
        "translate", pairs, out=tmp_path / "r", recipe=small(**{**LEARNING, "epochs": 16}), threads=1
    )
    assert result.summary["metrics"]["test_exact_match"] == 1.0
