r"""Dynamic evaluation: a language model that goes on learning from the text that it is measured on.

The text is read once, window by window. Each window is scored by the weights as they are before it; then they move down
its gradient $g$, by a step that is as large for every weight, and back towards those of training $\theta_0$:

$$\theta \leftarrow \theta - \eta\, \frac{g}{\sqrt{\hat v} + \epsilon} - \lambda\, (\theta - \theta_0), \qquad
v \leftarrow \beta v + (1 - \beta)\, g^2$$

Nothing is scored by weights that have seen it, but the figure is that of a network that keeps learning, and so no
property of the trained weights. Source: B. Krause, E. Kahembwe, I. Murray and S. Renals, "Dynamic evaluation of neural
sequence models", ICML 2018, who take the mean squares from the training part.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import torch

from gatework.data.pieces import BOUNDARY
from gatework.nn import linear_cross_entropy

if TYPE_CHECKING:
    from gatework.tasks.generate.model import LanguageModel, States
    from gatework.tasks.generate.streams import TokenExamples

_RATE, _BACK, _BETA, _WINDOW = 4e-4, 1e-3, 0.99, 32
DYNAMIC = "dynamic evaluation"
"""What its figures are called beside those of the network."""


def dynamic_nats(model: LanguageModel, examples: TokenExamples, *, rate: float = _RATE) -> np.ndarray:
    """What `gatework.tasks.generate.scoring.token_nats()` gives, of a copy of the network that learns as it reads.

    Args:
        model: The network; it stays as it is.
        examples: The text.
        rate: The size of a step; 0 for a network that does not learn.

    Returns:
        Shape (tokens,), float64; NaN for the first.
    """
    learner = copy.deepcopy(model).eval()
    weights = list(learner.parameters())
    trained = [weight.detach().clone() for weight in weights]
    optimizer = torch.optim.Adam(weights, lr=rate, betas=(0.0, _BETA))
    ring = torch.from_numpy(examples.ring.astype(np.int64))
    nats = np.full(len(ring), np.nan)
    states: States = ()
    for start in range(0, len(ring) - 1, _WINDOW):
        inputs, targets = ring[start : start + _WINDOW][: len(ring) - 1 - start], ring[start + 1 : start + _WINDOW + 1]
        reset = inputs == BOUNDARY
        features, after = learner(inputs[None], reset[None] if reset.any() else None, states)
        losses = linear_cross_entropy(
            features, learner.embedding.weight, targets[:, None], learner.bias, reduction="none"
        )
        nats[start + 1 : start + 1 + len(targets)] = losses.detach()[:, 0].numpy()
        states = tuple(state.detach() for state in after)
        if rate:
            optimizer.zero_grad()
            losses.mean().backward()
            optimizer.step()
            with torch.no_grad():
                for weight, before in zip(weights, trained, strict=True):
                    weight.lerp_(before, _BACK)
    return nats
