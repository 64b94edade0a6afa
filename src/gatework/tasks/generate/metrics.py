"""How well a text is predicted: bits for each character and byte, whatever the tokens are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatework.tasks._metric import Metric, register_metrics
from gatework.tasks._sample import Sample

if TYPE_CHECKING:
    import polars as pl

    from gatework.tasks.generate.streams import TokenExamples

register_metrics(
    Metric("bits_per_character", "bits per character", lower_is_better=True, short="bits/char"),
    Metric("bits_per_byte", "bits per byte", lower_is_better=True, short="bits/byte"),
    Metric("nats_per_character", "nats per character", lower_is_better=True, short="nats/char"),
    Metric("perplexity", "perplexity of a token", lower_is_better=True, short="perplexity"),
    Metric("mixed_bits_per_character", "bits per character, with n-grams", lower_is_better=True, short="with n-grams"),
    Metric("mixed_nats_per_character", "nats per character, with n-grams", lower_is_better=True, short="nats, n-grams"),
)


def answers_of(nats: np.ndarray, examples: TokenExamples, mixed: np.ndarray | None = None) -> pl.DataFrame:
    """Answers as a table, a row for each passage.

    Args:
        nats: The negative logarithm of the probability of every token, as `token_nats()` gives it.
        examples: The text.
        mixed: The same of the mean with n-grams; None where there is none.

    Returns:
        The columns "nats" and "mixed", their sums over the passage; "tokens", "characters" and "bytes", how many it
        has.
    """
    import polars as pl

    texts = examples.split.table()["text"]
    means = [None] * len(examples) if mixed is None else passage_nats(mixed, examples)
    return pl.DataFrame(
        {
            "nats": passage_nats(nats, examples),
            "mixed": pl.Series(means, dtype=pl.Float64),
            "tokens": examples.lengths,
            "characters": texts.str.len_chars().cast(pl.Int64),
            "bytes": texts.str.len_bytes().cast(pl.Int64),
        }
    )


def passage_nats(nats: np.ndarray, examples: TokenExamples) -> np.ndarray:
    """The sum over each passage's tokens, shape (passages,), float64."""
    sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(nats))])
    return sums[examples.ends] - sums[examples.starts]


def metrics(answers: pl.DataFrame) -> dict[str, float]:
    """Bits per character and per byte, nats per character, and the perplexity of a token.

    Args:
        answers: As `answers_of()` gives them.
    """
    nats = float(answers["nats"].sum())
    characters, size, tokens = (max(int(answers[name].sum()), 1) for name in ("characters", "bytes", "tokens"))
    measured = {
        "bits_per_character": bits(answers),
        "bits_per_byte": nats / size / math.log(2),
        "nats_per_character": nats / characters,
        "perplexity": math.exp(min(nats / tokens, 700.0)),
    }
    if answers["mixed"].null_count():
        return measured
    mixed = float(answers["mixed"].sum()) / characters
    return measured | {"mixed_bits_per_character": mixed / math.log(2), "mixed_nats_per_character": mixed}


def bits(answers: pl.DataFrame) -> float:
    """Bits per character."""
    return float(answers["nats"].sum()) / max(int(answers["characters"].sum()), 1) / math.log(2)


def sample(answers: pl.DataFrame) -> Sample:
    """The bits per character of each passage, which counts by its characters."""
    characters = answers["characters"].to_numpy().astype(np.float64)
    bits = answers["nats"].to_numpy() / np.maximum(characters, 1) / math.log(2)
    return Sample(bits, characters / max(characters.sum(), 1.0), np.arange(len(answers)))
