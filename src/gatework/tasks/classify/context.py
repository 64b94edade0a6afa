r"""What a language model knows at each word, which a classifier reads beside the word itself.

The model has learnt the words of many texts, from those before and from those behind each, and stays as it is. With its
states $h_t$ of both directions at a word $x_t$ the classifier reads

$$e(x_t) + W\, \mathrm{drop}\left(\sigma\, \frac{h_t}{\lVert h_t \rVert / \sqrt{n}}\right)$$

and learns $e$ and $W$.

Source: M. Peters et al., "Deep contextualized word representations", NAACL 2018.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from gatework.nn.model import layers
from gatework.options import ModelOptions

_SIZE, _DROPPED = 0.1, 0.2
"""The size of a state's values, and the share of them that is dropped; the first was chosen from 0.1 and 0.3."""


def language_options(config: ModelOptions, units: int) -> ModelOptions:
    """The network of the language model beside a classifier, with so many units for each direction."""
    return replace(config, hidden=units, layers=1)


class Context(nn.Module):
    """The language model, and what turns its states into features of a word vector.

    Args:
        config: The classifier's network.
        units: Those of the language model, for each direction.
        vocabulary: The classifier's tokens.
        seconds: Where the last of them are pairs of words, the index of each pair's second word; else None.

    Attributes:
        embedding: The word vectors of the language model.
        recurrent: Its layer.
        take: What is learnt.
    """

    seconds: Tensor

    def __init__(self, config: ModelOptions, units: int, vocabulary: int, seconds: np.ndarray | None) -> None:
        super().__init__()
        pairs = np.zeros(0, np.int64) if seconds is None else seconds.astype(np.int64)
        self.words = vocabulary - len(pairs)
        self.register_buffer("seconds", torch.from_numpy(pairs), persistent=False)
        language = replace(language_options(config, units), dropout=0.0)
        self.embedding = nn.Embedding(self.words, config.embedding)
        self.recurrent = layers(language, config.embedding, bidirectional=config.bidirectional)
        self.requires_grad_(False)
        directions = 2 if config.bidirectional else 1
        self.take = nn.Linear(directions * units, config.embedding, bias=False)

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Features of shape (time, batch, embedding).

        Args:
            tokens: Words and pairs of them, shape (time, batch), int64.
            lengths: Steps of each text, shape (batch,); None if all have every step.
        """
        with torch.no_grad():
            if len(self.seconds):
                seconds = self.seconds[(tokens - self.words).clamp_min(0)]
                tokens = torch.where(tokens < self.words, tokens, seconds)
            states, _ = self.recurrent(self.embedding(tokens), lengths=lengths)
            mean = states.square().mean(-1, keepdim=True).sqrt()
            states = _SIZE * states / mean.clamp_min(torch.finfo(states.dtype).eps)
        features: Tensor = self.take(dropout(states, _DROPPED, self.training))
        return features
