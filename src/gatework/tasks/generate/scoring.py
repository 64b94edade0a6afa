"""What a network gives to each token of a text that it reads from start to end, the state carried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gatework.data.pieces import BOUNDARY
from gatework.nn import linear_cross_entropy
from gatework.tasks.generate.streams import TokenExamples

if TYPE_CHECKING:
    from gatework.tasks.generate.model import LanguageModel, States

# A long text is read at several places at once; each begins with tokens that are read and not scored.
_PIECE, _MOST_PIECES, _WARM_UP, _WINDOW = 4096, 64, 512, 128


def token_nats(model: LanguageModel, examples: TokenExamples) -> np.ndarray:
    """The negative logarithm of the probability of every token of a ring, given those before it; NaN for the first.

    Args:
        model: The network.
        examples: The text.

    Returns:
        Shape (tokens,), float64; the boundaries before documents are among them.
    """
    ring, count = examples.ring.astype(np.int64), len(examples.ring) - 1
    nats = np.full(count + 1, np.nan)
    pieces = min(max(count // _PIECE, 1), _MOST_PIECES)
    firsts = np.linspace(0, count, pieces + 1).astype(np.int64)
    warm = np.minimum(firsts[:-1], _WARM_UP if pieces > 1 else 0)
    steps = int((np.diff(firsts) + warm).max())
    # Every piece is read for as many steps; the last ones of the shorter are of no use.
    places = np.minimum((firsts[:-1] - warm)[:, None] + np.arange(steps), count - 1)
    is_scored = (np.arange(steps) >= warm[:, None]) & (np.arange(steps) < (warm + np.diff(firsts))[:, None])
    states: States = ()
    model.eval()
    with torch.no_grad():
        for start in range(0, steps, _WINDOW):
            window = places[:, start : start + _WINDOW]
            inputs = torch.from_numpy(ring[window])
            reset = inputs == BOUNDARY
            features, states = model(inputs, reset if reset.any() else None, states)
            targets = torch.from_numpy(ring[window + 1]).t()
            loss = linear_cross_entropy(features, model.embedding.weight, targets, model.bias, reduction="none")
            chosen = is_scored[:, start : start + _WINDOW]
            nats[window[chosen] + 1] = loss.t().numpy()[chosen]
    return nats
