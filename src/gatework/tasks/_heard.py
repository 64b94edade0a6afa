"""What recordings are compared by: cepstral coefficients (MFCC) of what is spoken in them, by frames or as a whole."""

from __future__ import annotations

import math

import numpy as np

from gatework.data.features import COEFFICIENTS, cepstra

# Chosen on speakers of spoken digits who were held out in pairs; docs/sounds.md.
_WITHIN = 30.0
"""Decibels below the loudest band of all at which the loudest band of the first and the last frame may be."""
_QUIET = 35.0
"""Decibels below the loudest band of all at which quiet begins, for what is compared frame by frame."""
_NEPER = math.log(10) / 10
"""A decibel as the logarithm of an energy."""
_LEAST_DEVIATION = 1e-3
_STILL = 0.05
"""A movement of a coefficient that is as good as none."""
TRAITS = 3 * COEFFICIENTS
"""How many numbers `traits()` gives."""


def spoken(frames: np.ndarray) -> np.ndarray:
    """The frames between quiet, shape (frames, bands), at least one."""
    heard = np.flatnonzero(frames.max(axis=1) >= frames.max() - _NEPER * _WITHIN)
    return frames[heard[0] : heard[-1] + 1]


def heard_at_all(frames: np.ndarray) -> np.ndarray:
    """Frames in which all that is quiet is as loud as what is hardly heard, shape (frames, bands)."""
    return np.maximum(frames, frames.max() - _NEPER * _QUIET)


def heard(frames: np.ndarray) -> np.ndarray:
    """The cepstral coefficients of what is spoken, in their own deviations from their own means, float32."""
    each = cepstra(heard_at_all(spoken(frames)))
    deviations: np.ndarray = (each - each.mean(axis=0)) / (each.std(axis=0) + _LEAST_DEVIATION)
    return deviations.astype(np.float32)


def traits(frames: np.ndarray) -> np.ndarray:
    """What is spoken as a whole, which `heard()` does not tell, shape (`TRAITS`,).

    The means of the cepstral coefficients but the first, which is the loudness; the logarithms of their deviations and
    of their mean movements from frame to frame; and the logarithm of the number of frames.
    """
    each = cepstra(heard_at_all(spoken(frames)))
    each = np.pad(each, [(0, 0), (0, COEFFICIENTS - each.shape[1])])
    movement = np.abs(np.diff(each, axis=0, prepend=each[:1])).mean(axis=0)
    moving = np.log([each.std(axis=0) + _STILL, movement + _STILL])
    return np.concatenate([each.mean(axis=0)[1:], *moving, [math.log(len(each))]])
