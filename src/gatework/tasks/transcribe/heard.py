"""The recordings that a run keeps for its report: the worst ones, as sound, as pictures, and as what was heard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from gatework.data.features import HOP
from gatework.tasks._hearable import flac_of, picture_of
from gatework.tasks.transcribe.data import Spoken
from gatework.tasks.transcribe.letters import Alphabet
from gatework.tasks.transcribe.metrics import word_counts, word_errors

_KEPT = 6
_LONGEST = 12.0
# A letter is drawn where it has more than this share of a step.
_SEEN = 0.1
_SPIKE = pl.Struct({"at": pl.Float64, "letter": pl.String, "share": pl.Float64})
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "place": pl.Int64,
    "seconds": pl.Float64,
    "sound": pl.Binary,
    "picture": pl.Binary,
    "bands": pl.Int64,
    "spikes": pl.List(_SPIKE),
}


def worst(answers: pl.DataFrame, seconds: np.ndarray) -> list[int]:
    """The positions of the recordings with the most wrong words for their length, and of one that is right.

    Args:
        answers: As `metrics.answers_of()` gives them.
        seconds: The length of each; long ones are left out.
    """
    references = answers["reference"].to_list()
    wrong = word_errors(references, answers["text"].to_list())
    share = wrong / np.maximum(word_counts(references), 1)
    order = [int(k) for k in np.lexsort((-wrong, -share)) if seconds[k] <= _LONGEST]
    bad, good = [k for k in order if wrong[k]], [k for k in order if not wrong[k]]
    longest = sorted(good, key=lambda k: -len(references[k]))
    return [*bad[: _KEPT - 1], *longest[:1]]


def heard_table(
    split: Spoken, log_probs: Sequence[np.ndarray], answers: pl.DataFrame, alphabet: Alphabet, stack: int
) -> pl.DataFrame:
    """The recordings that a report shows, one row each.

    Args:
        split: The test part.
        log_probs: What the network says of each, shape (steps, units + 1).
        answers: What it wrote.
        alphabet: What the units mean.
        stack: Frames of a step.
    """
    recordings, rows = split.inputs, []
    for place in worst(answers, recordings.seconds):
        picture = picture_of(recordings.features[place])
        rows.append(
            {
                "place": place,
                "seconds": float(recordings.seconds[place]),
                "sound": flac_of(recordings, place),
                "picture": picture.tobytes(),
                "bands": picture.shape[1],
                "spikes": _spikes(log_probs[place], alphabet, stack),
            }
        )
    return pl.DataFrame(rows, schema=_SCHEMA)


def _spikes(log_probs: np.ndarray, alphabet: Alphabet, stack: int) -> list[dict[str, object]]:
    steps, units = np.nonzero(np.exp(log_probs[:, 1:]) > _SEEN)
    return [
        {
            "at": round((float(step) + 0.5) * stack * HOP, 3),
            "letter": alphabet.units[unit],
            "share": round(float(np.exp(log_probs[step, unit + 1])), 3),
        }
        for step, unit in zip(steps.tolist(), units.tolist(), strict=True)
    ]
