"""A recurrent language model of one's own that says how likely texts are, to choose among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, linear

from gatework.data.pieces import BOUNDARY
from gatework.nn.model import layers
from gatework.tasks._language_run import LanguageRun

_NOT_SCORED = -100


class LanguageJudge:
    """A finished run of `gatework train generate`, which reads texts.

    Args:
        run: The run.

    Raises:
        UsageError: Its network has weights of other shapes than its recipe says.
    """

    def __init__(self, run: LanguageRun) -> None:
        self.tokens, config = run.tokens, run.recipe.model
        matrix, self.bias = run.weights["embedding.weight"], run.weights["bias"]
        self.embedding = nn.Embedding.from_pretrained(matrix)
        self.recurrent = layers(config, matrix.shape[1])
        self.projection = nn.Linear(config.hidden, matrix.shape[1])
        run.given_to(self.recurrent, "recurrent.")
        run.given_to(self.projection, "projection.")
        self.recurrent.eval()

    def log_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """The log-probability of each text, its end included, shape (texts,), float64."""
        each = [[BOUNDARY, *ids.tolist(), BOUNDARY] for ids in self.tokens.encode(texts)]
        longest = max(map(len, each)) - 1
        inputs = torch.full((longest, len(each)), BOUNDARY)
        targets = torch.full((longest, len(each)), _NOT_SCORED)
        for k, one in enumerate(each):
            inputs[: len(one) - 1, k] = torch.tensor(one[:-1])
            targets[: len(one) - 1, k] = torch.tensor(one[1:])
        with torch.no_grad():
            sequence, _ = self.recurrent(self.embedding(inputs))
            logits = linear(self.projection(sequence), self.embedding.weight, self.bias)
            losses = cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none", ignore_index=_NOT_SCORED)
        result: np.ndarray = -losses.view(longest, len(each)).double().sum(0).numpy()
        return result
