"""What two recordings are compared by, frame by frame: cepstral coefficients (MFCC) of what is spoken in them."""

from __future__ import annotations

import math

import numpy as np

from gatework.data.features import cepstra

# Chosen on speakers of spoken digits who were held out in pairs; docs/sounds.md.
_WITHIN = 30.0
"""Decibels below the loudest band of all at which the loudest band of the first and the last frame may be."""
_QUIET = 35.0
"""Decibels below the loudest band of all at which quiet begins, for what is compared frame by frame."""
_NEPER = math.log(10) / 10
"""A decibel as the logarithm of an energy."""
_LEAST_DEVIATION = 1e-3


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
