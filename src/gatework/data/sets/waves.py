r"""Ten thousand synthetic series of 100 steps: two sines of random frequency and offset, a slow third one, and noise.

$$ y(t) = 0.5 \sin((t - o_1)(10 f_1 + 10)) + 0.2 \sin((t - o_2)(20 f_2 + 20)) + 0.1 \sin(2 \pi p t) + 0.1 (u_t - 0.5) $$

with $t$ from 0 to 1, $f_1, f_2, o_1, o_2, p$ uniform on [0, 1) for each series and $u_t$ uniform on [0, 1) for each
step. The noise alone has the variance $0.1^2 / 12 = 0.00083$: no prediction of a step that was not seen can have a
smaller expected squared error.

- `waves`: the first 99 steps are given, the 100th is to be predicted.
- `waves-original`: all 100 steps are given, and the last of them is to be predicted, as in the experiment as first
  published. Copying the last value of the input solves it exactly.

Source of the generator: A. Géron, "Hands-On Machine Learning with Scikit-Learn, Keras and TensorFlow", 2nd edition,
2019, chapter 15, to which the third sine was added.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.inputs import SeriesInputs
from gatework.data.sets._spec import SetSpec

if TYPE_CHECKING:
    from gatework.options import DataOptions

SERIES = 10_000
STEPS = 100
TRAIN, VALIDATION = 7_000, 2_000
SEED = 0
NOISE_FLOOR = 0.1**2 / 12
"""The variance of the noise on a step, and so the lowest mean squared error there can be."""


def generate(series: int, steps: int, random: np.random.Generator) -> np.ndarray:
    """Draws series from the equation above.

    Args:
        series: How many.
        steps: Steps of each, evenly spaced with t from 0 to 1.
        random: The source of every random number.

    Returns:
        Shape (series, steps, 1), float32.
    """
    f1, f2, o1, o2, p = random.random((5, series, 1))
    t = np.linspace(0, 1, steps)
    y = 0.5 * np.sin((t - o1) * (10 * f1 + 10))
    y += 0.2 * np.sin((t - o2) * (20 * f2 + 20))
    y += 0.1 * np.sin(2 * np.pi * p * t)
    y += 0.1 * (random.random((series, steps)) - 0.5)
    return y[..., np.newaxis].astype(np.float32)


def _dataset(name: str, inputs: slice, notes: tuple[str, ...] = ()) -> Dataset:
    series = generate(SERIES, STEPS, np.random.default_rng(SEED))
    fingerprint = hashlib.sha256(series.tobytes()).hexdigest()
    provenance = Provenance(f"generated with seed {SEED}", "none needed: random numbers", fingerprint, notes)
    examples = Split(SeriesInputs.of(np.ascontiguousarray(series[:, inputs])), series[:, -1])
    # The series are independent draws, so any order is a random one.
    parts = np.split(np.arange(SERIES), [TRAIN, TRAIN + VALIDATION])
    train, validation, test = (examples.take(part) for part in parts)
    return Dataset(name, "series", train, validation, test, provenance)


def load_waves(_: DataOptions) -> Dataset:
    """99 steps in, the 100th to be predicted; 7,000 / 2,000 / 1,000 series."""
    return _dataset("waves", slice(None, -1))


def load_original(_: DataOptions) -> Dataset:
    """100 steps in, the last of them to be predicted; 7,000 / 2,000 / 1,000 series."""
    note = "The value to predict is the last value of the input: copying it solves the task exactly."
    return _dataset("waves-original", slice(None), (note,))


_LICENCE = "generated, free of rights"
SPEC = SetSpec(
    name="waves",
    title="10,000 synthetic series; predict the next step",
    licence=_LICENCE,
    load=load_waves,
    recipe="waves",
)
SPEC_ORIGINAL = SetSpec(
    name="waves-original",
    title="the same series; predict the last step of the input itself, as first published",
    licence=_LICENCE,
    load=load_original,
    recipe="waves-original",
)
