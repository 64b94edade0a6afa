"""The rules by which the next token is taken from its probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatework import _decoding
from gatework.errors import UsageError


@dataclass(frozen=True, slots=True)
class Sampling:
    r"""How the next token is taken; the rules act in the order of the attributes from the penalties on.

    The order is that of llama.cpp: repetition first, then `banned`, `top_k`, `top_p`, `min_p` on the probabilities at
    temperature 1, then the temperature, then the draw.

    Attributes:
        temperature: What the logits are divided by: below 1 the likely is preferred, above 1 the unlikely; 0 takes the
            likeliest token.
        top_k: Only the so many likeliest tokens; 0 for all.
        top_p: Only the fewest likeliest tokens that have this share together (nucleus sampling); 1 for all.
        min_p: Only tokens at least so likely as this share of the likeliest one; 0 for all.
        repetition_penalty: What the logits of recent tokens are divided by where positive, and multiplied with where
            negative (Keskar et al., 2019); 1 for none.
        penalty_window: How many tokens are recent.
        dry_multiplier: The weight of the rule against repeated runs ("don't repeat yourself"): a token that would make
            the last $n$ tokens and itself the same as an earlier run loses multiplier $\cdot$ base$^{n - allowed}$ of
            its logit, where $n \ge$ allowed; 0 for none.
        dry_base: Its base.
        dry_allowed: The longest run that costs nothing is one shorter.
        dry_window: How many tokens are looked at for earlier runs.
        dry_breaks: Tokens that no run reaches over, such as the end of a line.
        banned: Tokens that are never taken.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    penalty_window: int = 64
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed: int = 2
    dry_window: int = 512
    dry_breaks: tuple[int, ...] = ()
    banned: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, holds, expected in (
            ("temperature", self.temperature >= 0, "0 or more"),
            ("top_k", self.top_k >= 0, "0 or more"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("min_p", 0 <= self.min_p <= 1, "0 to 1"),
            ("repetition_penalty", self.repetition_penalty > 0, "above 0"),
            ("penalty_window", self.penalty_window >= 0, "0 or more"),
            ("dry_multiplier", self.dry_multiplier >= 0, "0 or more"),
            ("dry_base", self.dry_base >= 1, "1 or more"),
            ("dry_allowed", self.dry_allowed >= 1, "1 or more"),
            ("dry_window", self.dry_window >= 0, "0 or more"),
        ):
            if not holds:  # also where it is not a number
                raise UsageError(f"sampling: {name} is {getattr(self, name)}, expected {expected}")

    def rules(self, vocabulary: int) -> _decoding.Rules:
        """The same for the native side.

        Raises:
            UsageError: A banned token or a break is not in the vocabulary, or all tokens are banned.
        """
        banned = _marked(self.banned, vocabulary, "banned")
        if len(banned) and banned.all():
            raise UsageError(f"sampling: all {vocabulary} tokens are banned; leave at least one")
        numbers = (
            *(self.temperature, self.top_p, self.min_p),
            *(self.repetition_penalty, self.dry_multiplier, self.dry_base),
        )
        counts = self.top_k, self.penalty_window, self.dry_allowed, self.dry_window
        return _decoding.Rules(numbers, counts, _marked(self.dry_breaks, vocabulary, "dry_breaks"), banned)


def _marked(tokens: tuple[int, ...], vocabulary: int, name: str) -> NDArray[np.uint8]:
    """1 at the place of each token; empty without any."""
    marks = np.zeros(vocabulary if tokens else 0, np.uint8)
    for token in tokens:
        if not 0 <= token < vocabulary:
            raise UsageError(f"sampling: {name} names the token {token}, expected 0 to {vocabulary - 1}")
        marks[token] = 1
    return marks
