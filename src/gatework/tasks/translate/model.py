"""The network of a translation: an encoder in both directions, and a decoder that looks at what it gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatework.data.subwords import PADDING
from gatework.decoding.searching import AttentionSearch, Once, Output
from gatework.nn._target_rows import TargetRows
from gatework.nn.attention import Attention, Memory
from gatework.nn.attention_decoder import AttentionDecoder, Decoded, locked_dropout, locked_dropout_of, locked_mask
from gatework.nn.model import layers
from gatework.nn.precision import RoundedOutput
from gatework.options import ModelOptions
from gatework.tasks.translate.options import TranslateOptions


class TranslationModel(RoundedOutput):
    """An encoder-decoder with one table of vectors for source, target and output.

    The encoder's directions have half as many units as the decoder's layers, which begin in the encoder's last states,
    both directions side by side.

    The buffer `low` is the confidence below which a translation counts as unsure.

    Args:
        config: The cell, its size and its options.
        settings: How the decoder looks at the source.
        vocabulary: The number of pieces.
    """

    def __init__(self, config: ModelOptions, settings: TranslateOptions, vocabulary: int) -> None:
        super().__init__()
        size, self.hidden = config.embedding, config.hidden
        self.embedding = nn.Embedding(vocabulary, size)
        # As output weights the vectors want a small deviation, as the layers' input one of 1: they stand half-way in
        # the table and are scaled up as they are read (as in Vaswani et al. 2017, section 3.4). Without the scale the
        # layers learn several times slower.
        nn.init.normal_(self.embedding.weight, std=size**-0.25)
        self.scale = size**0.25
        half = dataclasses.replace(config, hidden=(config.hidden + 1) // 2)
        self.encoder = layers(half, size, bidirectional=True)
        fed = size if settings.input_feeding else 0
        attention = None
        if settings.attention != "none":
            attention = Attention(config.hidden, 2 * half.hidden, settings.attention)
        self.decoder = AttentionDecoder(
            layers(config, size + fed), attention, size, input_feeding=settings.input_feeding, dropout=config.dropout
        )
        self.register_buffer("low", torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.dropout, self.embedding_dropout = config.dropout, config.embedding_dropout

    def forward(self, inputs: Tensor, lengths: Tensor, previous: Tensor, target_lengths: Tensor) -> Tensor:
        """Scores of every piece of every translation, one translation after the other.

        Args:
            inputs: The source's pieces, shape (batch, source), int64.
            lengths: TargetRows of each source, shape (batch,).
            previous: What the decoder reads, shape (batch, target).
            target_lengths: TargetRows of each translation, shape (batch,).

        Returns:
            Shape (pieces, vocabulary).
        """
        pieces = TargetRows.of(target_lengths, inputs.device)
        return self.scored(self.features(inputs, lengths, previous, pieces).index_select(0, pieces.rows))

    def features(self, inputs: Tensor, lengths: Tensor, previous: Tensor, pieces: TargetRows) -> Tensor:
        """What the scores of pieces are made of; what stands beyond a translation's end is not computed.

        Args:
            inputs: As for `forward()`.
            lengths: As for `forward()`.
            previous: As for `forward()`.
            pieces: Which piece of which translation each row is.

        Returns:
            Shape (rows, embedding).
        """
        if self.decoder.input_feeding:
            memory, state = self.encoded(inputs, lengths)
            outputs = self.decoder(self._vectors(previous), memory, state).output
            outputs = locked_dropout(outputs, self.dropout, self.training)
            return pieces.of_targets(outputs.transpose(0, 1))
        # One look into the table for both sides, as its gradient has the size of the table.
        vectors = self.embedding(torch.cat([inputs.t().flatten(), pieces.of_targets(previous)]))
        sources, read = vectors.split([inputs.numel(), len(pieces.rows)])
        sources = self._dropped(sources.view(*inputs.t().shape, sources.shape[1]))
        memory, state = self._encoded(sources, lengths)
        outputs = self.decoder.rows(self._dropped(read, pieces), pieces, memory, state)
        return locked_dropout_of(outputs, pieces, self.dropout, self.training)

    def decoded(self, inputs: Tensor, lengths: Tensor, previous: Tensor, target_lengths: Tensor) -> Decoded:
        """The decoder's outputs for a known translation, and where it looked; arguments as for `forward()`."""
        memory, state = self.encoded(inputs, lengths)
        return self.decoder(self._vectors(previous), memory, state, lengths=target_lengths)

    def encoded(self, inputs: Tensor, lengths: Tensor) -> tuple[Memory, Any]:
        """What the decoder looks at, and the state that it begins in."""
        return self._encoded(self._vectors(inputs), lengths)

    def _encoded(self, vectors: Tensor, lengths: Tensor) -> tuple[Memory, Any]:
        is_ragged = bool((lengths != len(vectors)).any())
        outputs, states = self.encoder(vectors, lengths=lengths if is_ragged else None)
        memory = self.decoder.remember(
            locked_dropout(outputs, self.dropout, self.training), lengths if is_ragged else None
        )
        if isinstance(states, tuple):
            return memory, tuple(self.beside(state) for state in states)
        return memory, self.beside(states)

    def vectors(self, pieces: Tensor) -> Tensor:
        """What the layers read of pieces, shape (..., embedding)."""
        return self.embedding(pieces) * self.scale

    def searched(
        self,
        sources: Sequence[Tensor],
        beam: int,
        once: Once | None = None,
        coverage: float = 0.0,
        shortlist: Sequence[np.ndarray] | None = None,
    ) -> AttentionSearch:
        """The beginning of translations, for a beam search.

        Args:
            sources: The pieces of each source with its end, shape (pieces,), int64. Each is encoded by itself, so that
                what is found does not depend on the others.
            beam: Beginnings of each.
            once: The placeholders that each translation must have.
            coverage: The coverage penalty.
            shortlist: The pieces that each translation is chosen from; all if None.
        """
        encoded = [self.encoded(source[None], torch.tensor([len(source)])) for source in sources]
        output = Output(self.embedding.weight, self.bias, PADDING)
        memories, states = zip(*encoded, strict=True)
        return AttentionSearch(self.decoder, self.vectors, output, memories, states, beam, once, coverage, shortlist)

    def scored(self, outputs: Tensor) -> Tensor:
        """Scores of every piece for outputs of the decoder, shape (..., vocabulary)."""
        return nn.functional.linear(outputs, self.embedding.weight, self.bias)

    def beside(self, state: Tensor) -> Tensor:
        """Both directions of each layer side by side, shape (layers, batch, hidden)."""
        return torch.cat([state[0::2], state[1::2]], dim=-1)[..., : self.hidden].contiguous()

    def _vectors(self, pieces: Tensor) -> Tensor:
        """What the layers read of a batch of pieces, time first."""
        return self._dropped(self.embedding(pieces.t()))

    def _dropped(self, vectors: Tensor, pieces: TargetRows | None = None) -> Tensor:
        """What the layers read of vectors of the table, shape (time, batch, embedding), or (rows, embedding)."""
        batch = vectors.shape[1] if pieces is None else pieces.batch
        if self.training and self.embedding_dropout:
            keep = 1 - self.embedding_dropout
            time = len(vectors) if pieces is None else len(pieces.batch_sizes)
            whole = vectors.new_empty(time, batch, 1).bernoulli_(keep).div_(keep)
            vectors = vectors * (whole if pieces is None else whole[pieces.steps, pieces.targets])
        mask = locked_mask(vectors, batch, self.dropout, self.training, self.scale)
        if mask is None:
            return vectors * self.scale
        return vectors * (mask if pieces is None else mask[pieces.targets])
