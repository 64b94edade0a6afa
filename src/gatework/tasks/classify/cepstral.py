"""What simple classifiers hear of a recording: cepstral coefficients (MFCC) of what is spoken, as alike as can be.

What people, microphones and rooms differ in most is taken off: what is before and behind the word, how loud it is, and
a share of the word's own mean, which holds the voice and the microphone, but the word's sounds too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gatework.data.features import cepstra
from gatework.tasks._heard import spoken

# Chosen on speakers of spoken digits who were held out in pairs; docs/sounds.md.
_SHARE = 0.3
"""Of the mean of each coefficient but the first that is taken off."""
_PARTS = 5


def spoken_cepstra(frames: np.ndarray) -> np.ndarray:
    """The cepstral coefficients of what is spoken, the first one relative to its largest, shape (frames, coefficients).

    Args:
        frames: Log energies of mel bands, shape (frames, bands).
    """
    each = cepstra(spoken(frames))
    each[:, 0] -= each[:, 0].max()
    each[:, 1:] -= _SHARE * each[:, 1:].mean(axis=0)
    return each


def pooled_sound(inputs: Any) -> np.ndarray:
    """Recordings as features, shape (examples, 6 * coefficients + 1), float64.

    The means of the coefficients in five parts of equal length, their standard deviations, and the length.
    """
    rows = []
    for k in range(len(inputs)):
        each = spoken_cepstra(inputs[k])
        parts = np.array_split(each, _PARTS) if len(each) >= _PARTS else [each] * _PARTS
        rows.append(np.concatenate([*(part.mean(0) for part in parts), each.std(0), [len(each)]]))
    return np.array(rows).reshape(len(inputs), -1)
