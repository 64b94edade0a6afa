"""The inputs that the page offers: those that were given, else examples of the test part, else simple shapes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework import data
from gatework.data.dataset import Split
from gatework.data.inputs import RaggedSeries, SeriesInputs
from gatework.data.series import SeriesEncoder
from gatework.data.text import Texts
from gatework.errors import GateworkError, RunError
from gatework.inside._sources import as_split, sequence_task
from gatework.training.run import read_table, test_part_of

if TYPE_CHECKING:
    import polars as pl

    from gatework.training.run import Run

_EXAMPLES = 6
_STEPS = 60
_SHORT, _LONG = 40, 1200
"""The lengths, in characters, between which a text makes a good example."""


def presets(run: Run, inputs: Any = None) -> list[dict[str, Any]]:
    """The inputs to offer, the first of which the page shows.

    Args:
        run: One of the page's runs.
        inputs: What the person gave: a text or several, a series or several; or a Split with answers. None for examples
            of the data that the run was trained on, as far as they can be found.

    Returns:
        For each its "label", its "text" or "values" (a list of steps), and the "answer" as far as it is known.

    Raises:
        UsageError: The inputs do not fit the run.
    """
    encoder = sequence_task(run).encoder
    if inputs is not None:
        return _listed(run, as_split(run, inputs), is_answered=isinstance(inputs, Split), prefix="input")
    split = _test_part(run)
    if split is not None and len(split):
        return _listed(run, split.take(_good_examples(split)), is_answered=True, prefix="test example")
    return _shapes(encoder) if isinstance(encoder, SeriesEncoder) else [{"label": "empty", "text": "", "answer": None}]


def _test_part(run: Run) -> Split | None:
    """The test part, as the run or its comparison keeps it, or that of a registered data set that is at hand.

    A path in the recipe is not read: a run that someone sent must not put a file of this machine into the page.
    """
    file = test_part_of(run.path)
    if file is not None:
        return stored_test_part(run, file)
    config = run.recipe.data
    known = data.REGISTRY.get(config.dataset)
    if known is None or not known.is_at_hand:  # the page must not start a download
        return None
    try:
        return run.task.load(config.dataset, run.recipe).test
    except (GateworkError, OSError):
        return None


def stored_test_part(run: Run, file: Path) -> Split:
    """The test part as a comparison keeps it, for one of its runs.

    Raises:
        RunError: It is not one of such a run.
    """
    import polars as pl

    encoder, frame = sequence_task(run).encoder, read_table(file)
    try:
        if not isinstance(encoder, SeriesEncoder):
            return Split(Texts(frame["text"].cast(pl.String)), frame["target"].to_numpy())
        return _stored_series(encoder, frame)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise RunError(f"{file} does not fit {run.path} ({reason}); restore it or train anew") from None


def _stored_series(encoder: SeriesEncoder, frame: pl.DataFrame) -> Split:
    variables = len(encoder.scale.mean)
    series = [np.array(row, dtype=np.float32).reshape(-1, variables) for row in frame["input"].to_list()]
    is_ragged = len({len(one) for one in series}) > 1
    inputs = RaggedSeries.of(series) if is_ragged else SeriesInputs.of(np.stack(series))
    return Split(inputs, np.array(frame["target"].to_list()))


def _good_examples(split: Split) -> np.ndarray:
    """Some examples: for texts of medium length, one of each class in turn."""
    if not isinstance(split.inputs, Texts):
        return np.arange(min(_EXAMPLES, len(split)))
    lengths = split.inputs.strings.str.len_chars().to_numpy()
    good = np.flatnonzero((lengths >= _SHORT) & (lengths <= _LONG))
    good = good if len(good) else np.argsort(lengths)[: -_EXAMPLES - 1 : -1]
    by_class = [good[split.targets[good] == kind] for kind in np.unique(split.targets[good])]
    turns = [of_class[k] for k in range(_EXAMPLES) for of_class in by_class if k < len(of_class)]
    return np.array(turns[:_EXAMPLES])


def _listed(run: Run, split: Split, *, is_answered: bool, prefix: str) -> list[dict[str, Any]]:
    classes = sequence_task(run).classes
    listed: list[dict[str, Any]] = []
    for position in range(len(split)):
        target = split.targets[position]
        answer: Any = None
        if is_answered:
            answer = classes[int(target)] if classes else np.asarray(target, dtype=float).reshape(-1).tolist()
        entry: dict[str, Any] = {"answer": answer}
        if isinstance(split.inputs, (np.ndarray, RaggedSeries)):
            # As many digits as a float32 needs: the page must read the very numbers that Python reads.
            values = [[float(f"{number:.9g}") for number in step] for step in split.inputs[position].tolist()]
            entry |= {"values": values, "label": f"{prefix} {position + 1}"}
        else:
            text = split.inputs[position]
            start = " ".join(text.split())[:48]
            entry |= {"text": text, "label": start + ("…" if len(start) < len(text) else "")}
        listed.append(entry)
    return listed


def _shapes(encoder: SeriesEncoder) -> list[dict[str, Any]]:
    """Simple series in the unit of the training data, for a run whose data are gone."""
    t = np.arange(_STEPS) / (_STEPS - 1)
    shapes = {
        "sine": np.sin(2 * np.pi * 3 * t),
        "step": np.where(t < 0.5, -1.0, 1.0),
        "spike": np.where(np.abs(t - 0.5) < 0.02, 3.0, 0.0),
        "flat": np.zeros(_STEPS),
    }
    mean, std = np.array(encoder.scale.mean), np.array(encoder.scale.std)
    return [
        {"label": name, "values": np.round(mean + std * shape[:, np.newaxis], 4).tolist(), "answer": None}
        for name, shape in shapes.items()
    ]
