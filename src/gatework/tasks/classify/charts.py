"""Pictures and tables of a classifier's answers for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatework.tasks._chart import Chart, histogram
from gatework.tasks.classify.metrics import class_figures, confusion_matrix, probabilities

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.dataset import Split

# A table on a terminal has room for so many columns of a confusion matrix.
_MOST_CLASSES = 12


def charts(rows: pl.DataFrame, classes: Sequence[str]) -> list[Chart]:
    """How often each class is predicted, and how sure the network is."""
    counts = dict(rows["label"].value_counts().iter_rows())
    of_class = Chart(
        "Predicted classes", list(classes), bars=[counts.get(name, 0) for name in classes], unit="examples"
    )
    return [of_class, histogram("Probability of the predicted class", rows["probability"].to_list(), "examples")]


def backtest(answers: pl.DataFrame, test: pl.DataFrame, classes: Sequence[str]) -> pl.DataFrame:
    """One row per example: its text or id, the actual class, the answer and the probability of each class."""
    import polars as pl

    chances = probabilities(answers["scores"].to_numpy())
    names = np.array(classes, dtype=object)
    actual, chosen = answers["target"].to_numpy(), chances.argmax(axis=1)
    ids = [name for name in test.columns if name not in ("input", "target")]
    examples = test.select(ids) if ids else pl.DataFrame({"example": np.arange(1, len(answers) + 1)})
    columns = {
        "actual": names[actual].tolist(),
        "label": names[chosen].tolist(),
        "is_right": actual == chosen,
        "probability": chances.max(axis=1),
    }
    each = {f"probability of {name}": chances[:, k] for k, name in enumerate(classes)}
    answered = pl.DataFrame(columns | each)
    return examples.drop([name for name in examples.columns if name in answered.columns]).hstack(answered)


def tested(split: Split) -> pl.DataFrame:
    """Examples with what is known of them, behind the other columns of their table."""
    test = split.table()
    if split.beside is None:
        return test
    return split.beside.select(name for name in split.beside.columns if name not in test).hstack(test)


def breakdown(answers: pl.DataFrame, classes: Sequence[str]) -> pl.DataFrame:
    """One row per class: its examples, how well it is found, and how often it was taken for each class."""
    return breakdown_of(confusion_matrix(answers), classes)


def breakdown_of(counts: np.ndarray, classes: Sequence[str]) -> pl.DataFrame:
    """The same from how many examples of each class (row) were taken for each class (column)."""
    import polars as pl

    precision, recall, f1 = class_figures(counts)
    columns = {
        "class": list(classes),
        "examples": counts.sum(axis=1),
        "precision": precision,
        "recall": recall,
        "F1": f1,
    }
    taken = {f"as {name}": counts[:, k] for k, name in enumerate(classes)} if len(classes) <= _MOST_CLASSES else {}
    return pl.DataFrame(columns | taken)
