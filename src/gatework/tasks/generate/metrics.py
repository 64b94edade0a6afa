"""How well a text is predicted: bits for each character and byte, whatever the tokens are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gatework.tasks._metric import Metric, register_metrics
from gatework.tasks._sample import Sample
from gatework.tasks.generate.scoring import passage_nats

if TYPE_CHECKING:
    import polars as pl

    from gatework.tasks.generate.streams import TokenExamples

register_metrics(
    Metric("bits_per_character", "bits per character", lower_is_better=True, short="bits/char"),
    Metric("bits_per_byte", "bits per byte", lower_is_better=True, short="bits/byte"),
    Metric("nats_per_character", "nats per character", lower_is_better=True, short="nats/char"),
    Metric("perplexity", "perplexity of a token", lower_is_better=True, short="perplexity"),
)


def answers_of(nats: np.ndarray, examples: TokenExamples) -> pl.DataFrame:
    """Answers as a table, a row for each passage.

    Args:
        nats: The negative logarithm of the probability of every token, as `token_nats()` gives it.
        examples: The text.

    Returns:
        The columns "nats", their sum over the passage; "tokens", "characters" and "bytes", how many it has.
    """
    import polars as pl

    texts = examples.split.table()["text"]
    return pl.DataFrame(
        {
            "nats": passage_nats(nats, examples),
            "tokens": examples.lengths,
            "characters": texts.str.len_chars().cast(pl.Int64),
            "bytes": texts.str.len_bytes().cast(pl.Int64),
        }
    )


def metrics(answers: pl.DataFrame) -> dict[str, float]:
    """Bits per character and per byte, nats per character, and the perplexity of a token.

    Args:
        answers: As `answers_of()` gives them.
    """
    nats = float(answers["nats"].sum())
    characters, size, tokens = (max(int(answers[name].sum()), 1) for name in ("characters", "bytes", "tokens"))
    return {
        "bits_per_character": nats / characters / math.log(2),
        "bits_per_byte": nats / size / math.log(2),
        "nats_per_character": nats / characters,
        "perplexity": math.exp(min(nats / tokens, 700.0)),
    }


def sample(answers: pl.DataFrame) -> Sample:
    """The bits per character of each passage, which counts by its characters."""
    characters = answers["characters"].to_numpy().astype(np.float64)
    bits = answers["nats"].to_numpy() / np.maximum(characters, 1) / math.log(2)
    return Sample(bits, characters / max(characters.sum(), 1.0), np.arange(len(answers)))
