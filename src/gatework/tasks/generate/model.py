"""The network of a language model: embedding, recurrent layers, and an output that shares the embedding's matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gatework.nn.model import layers
from gatework.options import ModelOptions

States = tuple[Tensor, ...]


class LanguageModel(nn.Module):
    r"""Predicts the next token from all before it.

    $$h_t = \mathrm{layers}(E_{x_t}, h_{t-1}), \qquad p(x_{t+1}) = \mathrm{softmax}(E\, (P h_t) + b)$$

    The matrix $E$ reads and writes (Press & Wolf, 2017; Inan et al., 2017). In training whole units of what the layers
    read and of what they say are dropped for all steps alike (Gal & Ghahramani, 2016; Merity et al., 2018).

    Args:
        config: The cell, its size, the embedding's, and the shares that are dropped.
        counts: How often each token occurs: from their shares the output starts.
    """

    def __init__(self, config: ModelOptions, counts: Sequence[int]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(counts), config.embedding)
        nn.init.normal_(self.embedding.weight, std=config.embedding**-0.5)
        self.recurrent = layers(config, config.embedding)
        self.projection = nn.Linear(config.hidden, config.embedding)
        shares = torch.tensor(counts, dtype=torch.float64) + 1
        self.bias = nn.Parameter((shares / shares.sum()).log().float())
        self.dropout, self.embedding_dropout = config.dropout, config.embedding_dropout

    def forward(self, inputs: Tensor, reset: Tensor | None = None, states: States = ()) -> tuple[Tensor, States]:
        """What the layers say of each next token, before the output.

        Args:
            inputs: Tokens of shape (batch, time), int64.
            reset: Where the state is zero before a step, shape (batch, time); None where it nowhere is.
            states: The states to go on from; zeros if empty.

        Returns:
            Features of shape (time, batch, embedding), and the states after the last step.
        """
        vectors = self._locked(self.embedding(inputs.t()), self.embedding_dropout)
        given: Any = None if not states else states[0] if len(states) == 1 else states
        sequence, after = self.recurrent(vectors, given, reset=None if reset is None else reset.t())
        features = self.projection(self._locked(sequence, self.dropout))
        return features, after if isinstance(after, tuple) else (after,)

    def step(self, inputs: Tensor, states: States = ()) -> tuple[Tensor, States]:
        """The logits of the next token of each text, shape (batch, vocabulary), and the states to go on from.

        Args:
            inputs: The last token of each text, shape (batch,), int64.
            states: What the previous call returned.
        """
        given: Any = None if not states else states[0] if len(states) == 1 else states
        hidden, after = self.recurrent.step(self.embedding(inputs), given)
        return self.logits(self.projection(hidden)), after if isinstance(after, tuple) else (after,)

    def logits(self, features: Tensor) -> Tensor:
        """The logit of every token."""
        return linear(features, self.embedding.weight, self.bias)

    def _locked(self, values: Tensor, share: float) -> Tensor:
        """Values of shape (time, batch, features) with a share of the features zero at all steps, in training."""
        if not self.training or share == 0:
            return values
        return values * torch.empty_like(values[:1]).bernoulli_(1 - share).div_(1 - share)
