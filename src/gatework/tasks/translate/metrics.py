"""How good translations are: sacreBLEU's figures on whole, cased sentences as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.errors import UsageError
from gatework.tasks._metric import Metric, register_metrics

if TYPE_CHECKING:
    import polars as pl

register_metrics(
    Metric("bleu", "BLEU", lower_is_better=False),
    Metric("chrf", "chrF", lower_is_better=False),
    Metric("bleu_lower", "BLEU, lower case", lower_is_better=False, short="BLEU lower"),
    Metric("exact_match", "exact matches", lower_is_better=False, is_share=True),
)


def need_sacrebleu() -> None:
    """Raises a UsageError where sacrebleu is not installed."""
    if find_spec("sacrebleu") is None:
        raise UsageError('translations are measured by sacrebleu: pip install "gatework[translate]"')


def answers_of(references: Sequence[str], translations: Sequence[str], confidences: Sequence[float]) -> pl.DataFrame:
    """Answers as a table with the columns "target", "translation" and "confidence"."""
    import polars as pl

    columns = {"target": list(references), "translation": list(translations), "confidence": list(confidences)}
    return pl.DataFrame(
        columns, schema={"target": pl.String, "translation": pl.String, "confidence": pl.Float64}, strict=False
    )


def metrics(answers: pl.DataFrame) -> dict[str, float]:
    """BLEU, chrF, BLEU of lower-cased text, and the share of translations that equal the reference.

    Args:
        answers: As `answers_of()` gives them.
    """
    said, references = answers["translation"].to_list(), answers["target"].to_list()
    return {
        "bleu": _measure("bleu").corpus_score(said, [references]).score,
        "chrf": _measure("chrf").corpus_score(said, [references]).score,
        "bleu_lower": _measure("bleu_lower").corpus_score(said, [references]).score,
        "exact_match": float(np.mean([a == b for a, b in zip(said, references, strict=True)])),
    }


def bleu(answers: pl.DataFrame) -> float:
    """BLEU of a table of answers, or of a part of one."""
    said, references = answers["translation"].to_list(), answers["target"].to_list()
    return float(_measure("bleu").corpus_score(said, [references]).score)


def interval(answers: pl.DataFrame, samples: int = 500) -> tuple[float, float]:
    """BLEU and half the width of its 95 % interval, by resampling the test part."""
    said, references = answers["translation"].to_list(), answers["target"].to_list()
    score = _measure("bleu").corpus_score(said, [references], n_bootstrap=samples)
    return float(score.score), float(getattr(score, "_ci", 0.0))


def closeness(translation: str, reference: str) -> float:
    """chrF of one sentence, by which sentences are ordered."""
    return float(_measure("chrf").sentence_score(translation, [reference]).score)


def signature(name: str) -> str:
    """How a figure was computed, in the form of the field, for "bleu", "chrf" or "bleu_lower"."""
    measure = _measure(name)
    measure.corpus_score(["a"], [["a"]])
    return str(measure.get_signature())


@cache
def _measure(name: str) -> Any:
    need_sacrebleu()
    from sacrebleu.metrics import BLEU, CHRF

    return CHRF() if name == "chrf" else BLEU(lowercase=name == "bleu_lower")
