"""A recurrent language model of one's own that judges words as a search ends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gatework.data.pieces import BOUNDARY
from gatework.nn.model import layers
from gatework.tasks._language_run import LanguageRun


class _Read(NamedTuple):
    """A text that was read: its tokens, their log-probability, the states behind them, the chances of what follows."""

    text: str
    tokens: list[int]
    total: float
    states: tuple[Tensor, ...]
    following: Tensor


class LanguageJudge:
    """A finished run of `gatework train generate`, which reads texts word by word; many of them at once.

    A text that goes on by a word is read on from where it was, and from its beginning where the word changes how what
    stands before it is cut into tokens. What was read is kept by numbers, 0 for the beginning, until `forget()`.

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
        (following,), (states,) = self._read_on([[BOUNDARY]], None)
        self._beginning = _Read("", [], 0.0, states, following[0])
        self.forget()

    def forget(self) -> None:
        """Forgets all that was read but the beginning."""
        self._read = [self._beginning]
        self._known: dict[tuple[int, str], int] = {}

    def advance(self, states: Sequence[int], words: Sequence[str], is_last: bool) -> tuple[list[float], list[int]]:
        """Goes on by a word of each of some texts.

        Args:
            states: The number of each text, 0 at its beginning.
            words: The next word of each; where texts end it may be empty.
            is_last: Whether the texts end with them.

        Returns:
            The log-probability that each text gains, its end's included where it ends, and the texts' numbers.
        """
        pairs = list(zip(states, words, strict=True))
        self._read_all([pair for pair in dict.fromkeys(pairs) if pair[1] and pair not in self._known])
        reached = [self._known[pair] if pair[1] else pair[0] for pair in pairs]
        said = [self._read[new].total - self._read[old].total for new, old in zip(reached, states, strict=True)]
        if is_last:
            said = [gain + float(self._read[new].following[BOUNDARY]) for gain, new in zip(said, reached, strict=True)]
        return said, reached

    def _read_all(self, pairs: Sequence[tuple[int, str]]) -> None:
        """Reads texts that go on by a word."""
        if not pairs:
            return
        texts = [f"{self._read[state].text} {word}".lstrip() for state, word in pairs]
        begun, further = list[_Read](), list[list[int]]()
        for (state, _), ids in zip(pairs, self.tokens.encode(texts), strict=True):
            tokens, old = ids.tolist(), self._read[state]
            is_going_on = tokens[: len(old.tokens)] == old.tokens and len(tokens) > len(old.tokens)
            begun.append(old if is_going_on else self._beginning)
            further.append(tokens[len(begun[-1].tokens) :])
        following, states = self._read_on(further, [one.states for one in begun])
        for k, (pair, tokens) in enumerate(zip(pairs, further, strict=True)):
            chances = torch.cat([begun[k].following[None], following[k]])
            total = begun[k].total + float(chances[torch.arange(len(tokens)), torch.tensor(tokens)].double().sum())
            self._known[pair] = len(self._read)
            self._read.append(_Read(texts[k], begun[k].tokens + tokens, total, states[k], chances[-1]))

    def _read_on(
        self, tokens: Sequence[Sequence[int]], states: Sequence[tuple[Tensor, ...]] | None
    ) -> tuple[list[Tensor], list[tuple[Tensor, ...]]]:
        """The log-probabilities of what follows each token of each text, (tokens, vocabulary), and the last states."""
        lengths = torch.tensor([len(one) for one in tokens])
        inputs = nn.utils.rnn.pad_sequence([torch.tensor(one) for one in tokens], padding_value=BOUNDARY)
        with torch.no_grad():
            sequence, after = self.recurrent(self.embedding(inputs), self._joined(states), lengths=lengths)
            scores = linear(self.projection(sequence), self.embedding.weight, self.bias).log_softmax(2)
        parts = after if isinstance(after, tuple) else (after,)
        each = [tuple(part[:, k : k + 1] for part in parts) for k in range(len(tokens))]
        return [scores[: len(one), k] for k, one in enumerate(tokens)], each

    def _joined(self, states: Sequence[tuple[Tensor, ...]] | None) -> Any:
        """The states of several texts side by side, as the layers take them; None at the beginning."""
        if states is None:
            return None
        parts = tuple(torch.cat(part, 1) for part in zip(*states, strict=True))
        return parts if len(parts) > 1 else parts[0]
