"""What the recipe of a classifier is for each kind of data, where a person says nothing else."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.inputs import RaggedSeries
from gatework.data.long import is_long, long_table, read_long
from gatework.data.recordings import Recordings
from gatework.data.store.inputs import PackedInputs
from gatework.data.text import TextEncoder, Texts
from gatework.errors import DataError, UsageError
from gatework.options import TimeOptions
from gatework.tasks._sequence import Encoder, fit_encoder
from gatework.tasks.classify import class_weights
from gatework.tasks.classify.options import LossOptions, PretrainingOptions, SequenceOptions, SoundOptions
from gatework.tasks.classify.unlabelled import BegunDataset, UnlabelledDataset, pretrained_recipe

if TYPE_CHECKING:
    from gatework.data.dataset import Columns, Dataset, Split
    from gatework.data.reading import Reading
    from gatework.options import DataOptions
    from gatework.recipe import Recipe

_OF_SERIES: Mapping[str, Any] = {
    "scale": True,
    "epochs": 60,
    "batch_size": 16,
    "learning_rate": 5e-3,
    "patience": 0,
}
"""What series of several lengths need: data sets of them have a few hundred examples."""
_OF_SOUNDS: Mapping[str, Any] = {
    "hidden": 64,
    "layers": 1,
    "pooling": "max",
    "dropout": 0.3,
    "epochs": 20,
    "batch_size": 32,
    "learning_rate": 4e-3,
    "patience": 0,
}
"""What recordings of a word need."""
_OF_FEW_SHORT_TEXTS: Mapping[str, Any] = {
    "pooling": "concat",
    "learning_rate": 5e-3,
    "dropout": 0.2,
    "embedding_dropout": 0.3,
    "adversarial": 0.05,
}
"""What few short texts need, of which the recipe of all learns little before it stops; of long ones it learns more."""
_NAMED = 6
"""The classes that are named before training."""
_FEW, _SHORT = 2000, 100
"""Texts of the training part, and their median words, below which they are few and short."""


def decided(recipe: Recipe, dataset: Dataset, named: Collection[str]) -> Recipe:
    """The recipe with what series of several lengths need, or sounds, or a network that knows the language already.

    Args:
        recipe: The task's.
        dataset: The data.
        named: The fields that a person gave, which stay as they are.
    """
    inputs = dataset.train.inputs
    if "pairs" not in named and (isinstance(inputs, PackedInputs) or isinstance(dataset, BegunDataset)):
        recipe = recipe.changed(pairs=0)
    if recipe.section(PretrainingOptions).is_on:
        return pretrained_recipe(recipe, named)
    changes = _OF_SOUNDS if isinstance(inputs, Recordings) else _OF_SERIES if isinstance(inputs, RaggedSeries) else {}
    changes = _OF_FEW_SHORT_TEXTS if are_few_and_short(inputs) else changes
    return recipe.changed(**{name: value for name, value in changes.items() if name not in named})


def check_classes(dataset: Dataset) -> None:
    """Refuses a data set without two classes in its training part.

    Raises:
        DataError: It has values to predict, or its training part has examples of one class only.
    """
    if not dataset.classes:
        raise DataError(f'"{dataset.name}" has values to predict and no classes; train it with the task "regress"')
    present = np.flatnonzero(dataset.class_counts)
    if len(present) < 2:
        only = dataset.classes[present[0]] if len(present) else "none"
        raise DataError(
            f'every training example of "{dataset.name}" has the same class "{only}"; '
            "a classifier needs examples of two classes at least"
        )


def encoder_of(dataset: Dataset, config: DataOptions) -> Encoder:
    """How texts or series become batches: as the language model that a network begins from has it, or learnt.

    Raises:
        UsageError: Pairs of words are wanted of a network that reads pieces of words.
    """
    if not isinstance(dataset, BegunDataset):
        more = (dataset.unlabelled,) if isinstance(dataset, UnlabelledDataset) else ()
        return fit_encoder(dataset.train, config, *more)
    if config.pairs:
        raise UsageError("--pairs is of words, and the network reads pieces of them as --from has it; give --pairs 0")
    return TextEncoder(dataset.pieces, config.max_tokens, config.padding)


def are_few_and_short(inputs: Any) -> bool:
    """Whether the training part is one or two thousand texts at most, of a few sentences each."""
    return isinstance(inputs, Texts) and 0 < len(inputs) < _FEW and float(np.median(inputs.tokens.lengths)) < _SHORT


def outlook(dataset: Dataset, recipe: Recipe) -> list[str]:
    """What was decided for the data, in words, and what its classes count; nothing where the recipe is that of all."""
    lines = class_weights.outlook(dataset, recipe)
    if not are_few_and_short(dataset.train.inputs) or not recipe.section(LossOptions).adversarial:
        return lines
    return [
        *lines,
        "few short texts: each step also learns from word vectors moved where that hurts most (--adversarial 0 leaves "
        "it out), and the last, the mean and the largest state are looked at (--pooling)",
    ]


def about(dataset: Dataset, classes: Sequence[str]) -> list[str]:
    """The share of every class in the training part, and how many texts have no label, in words."""
    counts = dataset.class_counts
    order = np.argsort(-counts, kind="stable")
    shares = [f"{classes[k]} ({100 * counts[k] / counts.sum():.0f} %)" for k in order[:_NAMED]]
    more = [f"and {len(order) - _NAMED} more"] if len(order) > _NAMED else []
    lines = [f"{len(order)} classes: {', '.join([*shares, *more])}"]
    if isinstance(dataset, UnlabelledDataset):
        lines.append(f"{len(dataset.unlabelled):,} texts without labels")
    return lines


def unused_sections(recipe: Mapping[str, Any], state: Mapping[str, Any]) -> set[str]:
    """The sections of a recipe that a run of these inputs has no use for.

    Args:
        recipe: The recipe's sections by name.
        state: That of the task.
    """
    unused = set() if is_long(state.get("columns") or {}) else {TimeOptions.section, SequenceOptions.section}
    if "sound" not in state:
        unused.add(SoundOptions.section)
    plan = recipe.get(PretrainingOptions.section) or {}
    if not any(plan.get(name) for name in ("pretrain", "unlabelled", "from_run")):
        unused.add(PretrainingOptions.section)
    if not any((recipe.get(LossOptions.section) or {}).values()):
        unused.add(LossOptions.section)
    return unused


def of_long_table(source: Any, recipe: Recipe, columns: Columns, reading: Reading, classes: Sequence[str]) -> Split:
    """The series of a long table, read as those that were learnt from.

    Args:
        source: The table.
        recipe: What the network was trained with.
        columns: By role; without that of labels, labels are not read.
        reading: How the training table's texts became values.
        classes: The names of the classes.
    """
    table = long_table(source, recipe.data)
    if "label" in columns:
        table.column(str(columns["label"]))
    return read_long(table, columns, recipe.section(TimeOptions), reading, classes).split(tuple(classes))


def is_row(source: Any) -> bool:
    """Whether a source is one series, written as numbers."""
    return isinstance(source, str) and not Path(source).suffix[1:].isalpha() and not os.path.exists(source)
