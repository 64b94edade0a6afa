"""Texts that go on from a prompt, token by token, as they come; whoever draws the tokens."""

from __future__ import annotations

import codecs
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.pieces import BOUNDARY
from gatework.tasks.generate.request import Request

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.pieces import Tokens
    from gatework.decoding import Sampling
    from gatework.decoding.loop import WritingLoop

# Tokens that are drawn before they are shown.
_CHUNK = 16

Draw = Callable[["np.ndarray", int, "Sampling", int], "Iterator[np.ndarray]"]
"""Draws the next tokens of texts, shape (samples, some), without an end: after a prompt, so many, by rules, a seed."""


def drawn_by(writer: WritingLoop) -> Draw:
    """The draws of a native loop."""

    def draw(prompt: np.ndarray, samples: int, sampling: Sampling, seed: int) -> Iterator[np.ndarray]:
        writing = writer.start([prompt], samples=samples, seed=seed)
        while True:
            tokens, writing = writer.write(writing, _CHUNK, sampling)
            yield tokens

    return draw


def write(draw: Draw, tokens: Tokens, prompt: str, request: Request) -> Iterator[tuple[int, str]]:
    """The texts that follow a prompt, without it.

    Args:
        draw: Draws the tokens.
        tokens: What texts are read as.
        prompt: The text to go on from; a new text where it is empty.
        request: How tokens are drawn, and when a text ends.

    Yields:
        The number of a sample and its next piece, of whole characters.
    """
    sampling = replace(request.sampling, banned=() if request.does_end else (BOUNDARY,))
    read = prompt_tokens(tokens, prompt)
    texts = [_Text(request) for _ in range(request.samples)]
    for drawn in draw(read, request.samples, sampling, seed_of(request)):
        for token in drawn.T.tolist():
            for number, (text, token_of_text) in enumerate(zip(texts, token, strict=True)):
                if piece := text.take(tokens.pieces[token_of_text], token_of_text == BOUNDARY):
                    yield number, piece
        if all(text.is_over for text in texts):
            return


def streamed(draw: Draw, tokens: Tokens, prompts: Sequence[str], request: Request) -> Iterator[str]:
    """The prompts with what follows, as it is written; several texts one after the other, with titles."""
    is_one = len(prompts) * request.samples == 1
    for prompt in prompts:
        texts = [""] * request.samples
        if is_one:
            yield prompt
        for number, piece in write(draw, tokens, prompt, request):
            texts[number] += piece
            if is_one:
                yield piece
        if is_one:
            yield "" if (prompt + texts[0]).endswith("\n") else "\n"
            continue
        for number, text in enumerate(texts, start=1):
            yield f"--- {number} of {len(texts)}\n{prompt}{text}\n"


def written(draw: Draw, tokens: Tokens, prompts: Sequence[str], request: Request) -> pl.DataFrame:
    """The texts that follow the prompts: the columns "prompt", "sample", counted from 1, and "text"."""
    import polars as pl

    rows: list[tuple[str, int, str]] = []
    for prompt in prompts:
        texts = [""] * request.samples
        for number, piece in write(draw, tokens, prompt, request):
            texts[number] += piece
        rows += [(prompt, number, text) for number, text in enumerate(texts, start=1)]
    return pl.DataFrame(rows, {"prompt": pl.String, "sample": pl.Int64, "text": pl.String}, orient="row")


def prompt_tokens(tokens: Tokens, prompt: str) -> np.ndarray:
    """The tokens that a text begins with, the boundary before it among them, int64."""
    return np.concatenate([[BOUNDARY], *tokens.encode([prompt] if prompt else [])]).astype(np.int64)


def seed_of(request: Request) -> int:
    """The seed that is asked for, or another one each time."""
    return secrets.randbits(63) if request.seed is None else request.seed


class _Text:
    """A text that is being written: bytes to whole characters, cut at its length and before what it stops at."""

    def __init__(self, request: Request) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._left, self._stop, self._held = request.length, request.stop, ""
        self.is_over = False

    def take(self, piece: bytes, is_end: bool) -> str:
        """What can be shown now that these bytes have come."""
        if self.is_over:
            return ""
        self._held += self._decoder.decode(piece, is_end)
        shown, self._held = self._parted(is_end)
        if len(shown) >= self._left:
            shown, self.is_over = shown[: self._left], True
        self._left -= len(shown)
        self.is_over |= is_end
        return shown

    def _parted(self, is_end: bool) -> tuple[str, str]:
        """What is sure to stand before any stop, and what may be the beginning of one."""
        places = [place for stop in self._stop if (place := self._held.find(stop)) >= 0]
        if places:
            self.is_over = True
            return self._held[: min(places)], ""
        longest = 0 if is_end else max((_overlap(self._held, stop) for stop in self._stop), default=0)
        return self._held[: len(self._held) - longest], self._held[len(self._held) - longest :]


def _overlap(text: str, stop: str) -> int:
    """The letters at a text's end that a stop begins with."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
