"""Writing by a network in torch: in the native loop, or step by step for cells that have no native kernels here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from gatework.decoding import Writer
from gatework.errors import UsageError
from gatework.tasks.generate.writing import Draw, drawn_by

if TYPE_CHECKING:
    from torch import Tensor

    from gatework.decoding import Sampling
    from gatework.tasks.generate.model import LanguageModel, States

_WINDOW = 1024


def writer_of(model: LanguageModel) -> Writer:
    """The native loop of a network.

    Raises:
        UsageError: Its cell has no native kernels here.
    """
    return Writer(model.recurrent, model.embedding.weight, projection=model.projection, output_bias=model.bias)


def draw_of(model: LanguageModel) -> Draw:
    """The draws of a network as it is now."""
    try:
        return drawn_by(writer_of(model.eval()))
    except UsageError:
        return partial(plain_chunks, model)


def plain_chunks(
    model: LanguageModel, prompt: np.ndarray, samples: int, sampling: Sampling, seed: int
) -> Iterator[np.ndarray]:
    """The next token of each text, step by step without an end; what `gatework.decoding.Writer` does, but for DRY.

    Args:
        model: The network, in evaluation.
        prompt: The tokens to go on from.
        samples: The number of texts.
        sampling: How tokens are drawn.
        seed: What the draws depend on.

    Yields:
        Shape (samples, 1).
    """
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        last, states = _read(model, prompt)
        current = last.expand(samples)
        states = tuple(state.expand(-1, samples, -1).contiguous() for state in states)
        text = torch.from_numpy(prompt).expand(samples, -1)
        while True:
            logits, states = model.step(current, states)
            current = drawn(logits, text[:, -sampling.penalty_window :], sampling, random)
            text = torch.cat([text, current[:, None]], dim=1)
            yield current[:, None].numpy().astype(np.int32)


def drawn(logits: Tensor, recent: Tensor, sampling: Sampling, random: torch.Generator) -> Tensor:
    """The next token of each text, shape (texts,), from logits of shape (texts, vocabulary) and its last tokens."""
    if sampling.repetition_penalty != 1:
        seen, penalty = logits.gather(1, recent), sampling.repetition_penalty
        logits = logits.scatter(1, recent, torch.where(seen > 0, seen / penalty, seen * penalty))
    logits[:, list(sampling.banned)] = -torch.inf
    values, tokens = logits.softmax(1).sort(1, descending=True)
    if sampling.temperature == 0:
        return tokens[:, 0]
    kept = values
    if sampling.top_k:
        kept = kept * (torch.arange(kept.shape[1]) < sampling.top_k)
    # A token is kept as long as those before it do not have the share yet.
    share = kept / kept.sum(1, keepdim=True)
    kept = kept * (share.cumsum(1) - share < sampling.top_p)
    kept = kept * (kept >= sampling.min_p * kept[:, :1])
    place = torch.multinomial(kept.log().div(sampling.temperature).softmax(1), 1, generator=random)
    return tokens.gather(1, place)[:, 0]


def _read(model: LanguageModel, prompt: np.ndarray) -> tuple[Tensor, States]:
    """The last token of a prompt, shape (1,), and the states after those before it."""
    tokens, states = torch.from_numpy(prompt), ()
    for start in range(0, len(tokens) - 1, _WINDOW):
        _, states = model(tokens[None, start : min(start + _WINDOW, len(tokens) - 1)], None, states)
    return tokens[-1:], states
