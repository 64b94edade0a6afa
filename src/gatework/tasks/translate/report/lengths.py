"""How good translations of short and of long sentences are, and how the figures were computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from gatework.formatting import rounded
from gatework.tasks._section import Answered, AnsweredEntry, ReportSection, section_file
from gatework.tasks.translate.metrics import bleu, interval, signature

_GROUPS = 5
_FEWEST = 20


def lengths(answered: Answered) -> ReportSection:
    """BLEU by the length of the source, of every entry."""
    counts = answered.column("text").str.count_matches(r"\S+").to_numpy().astype(np.int64)
    groups = _groups(counts)
    names = [_name(counts[group]) for group in groups]
    curves = [
        {"model": entry.name, "bleu": [rounded(bleu(entry.typical_answers[group]), 4) for group in groups]}
        for entry in answered.entries
    ]
    spreads = [(entry.name, *_interval(entry)) for entry in answered.entries]
    return ReportSection(
        name="lengths",
        title="Short and long sentences",
        template=section_file(__package__, "lengths.html"),
        context={
            "examples": len(counts),
            "groups": [(name, len(group)) for name, group in zip(names, groups, strict=True)],
            "curves": curves,
            "spreads": spreads,
            "signatures": {"BLEU": signature("bleu"), "chrF": signature("chrf"), "lower": signature("bleu_lower")},
        },
        data={"names": names, "curves": curves},
        script=section_file(__package__, "lengths.js"),
        headline=_headline(answered),
    )


def _groups(counts: np.ndarray) -> list[np.ndarray]:
    """Positions by length, in about equally large groups that never cut a length in two."""
    wanted = max(min(_GROUPS, len(counts) // _FEWEST), 1)
    edges = np.unique(np.quantile(counts, np.linspace(0, 1, wanted + 1)[1:-1], method="lower"))
    place = np.searchsorted(edges, counts, side="left")
    return [np.flatnonzero(place == k) for k in np.unique(place)]


def _name(counts: np.ndarray) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low} words" if low == high else f"{low} to {high}"


def _interval(entry: AnsweredEntry) -> tuple[float, float]:
    mean, half = interval(entry.typical_answers)
    return round(mean, 1), round(half, 1)


def _headline(answered: Answered) -> str:
    if len(answered.networks) != 1 or not answered.networks[0].is_network:
        return ""
    answers: Any = answered.networks[0].typical_answers
    right = int((answers["translation"] == answers["target"]).sum())
    return f"BLEU {bleu(answers):.1f} on {len(answers):,} sentences, {right:,} of them exactly as the reference."
