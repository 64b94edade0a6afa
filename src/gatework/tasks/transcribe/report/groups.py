"""Word and letter error rates of all recordings, of each speaker, and by length, with what chance may do to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gatework.formatting import counted
from gatework.tasks._section import Answered, AnsweredEntry, ReportSection, column_of, section_file
from gatework.tasks.transcribe.metrics import letter_errors, word_counts, word_errors

_DRAWS, _SEED = 2000, 0
_LENGTHS = ((0, 1, "at most 1 word"), (2, 4, "2 to 4 words"), (5, 9, "5 to 9 words"), (10, 10**9, "10 words and more"))
_MOST_SPEAKERS = 20


@dataclass(frozen=True)
class Group:
    """Some recordings and their error rates.

    Attributes:
        name: Of the group.
        recordings: How many.
        words: How many were said.
        wer: The word error rate.
        low: The lower end of its 95 % interval.
        high: The upper end.
        cer: The letter error rate.
    """

    name: str
    recordings: int
    words: int
    wer: float
    low: float
    high: float
    cer: float


def groups(answered: Answered) -> ReportSection:
    """The error rates of the best network, group by group."""
    entry = answered.networks[0]
    references = column_of(entry, "reference").to_list()
    rows = [_group("all recordings", np.arange(len(references)), entry)]
    speakers = np.array(
        answered.test["speaker"].to_list() if "speaker" in answered.test.columns else [""] * len(references)
    )
    named = [name for name in dict.fromkeys(speakers.tolist()) if name]
    if len(named) > 1:
        rows += [_group(name, np.flatnonzero(speakers == name), entry) for name in sorted(named)[:_MOST_SPEAKERS]]
    counts = word_counts(references)
    by_length = [(name, np.flatnonzero((counts >= low) & (counts <= high))) for low, high, name in _LENGTHS]
    if sum(len(places) > 0 for _, places in by_length) > 1:
        rows += [_group(name, places, entry) for name, places in by_length if len(places)]
    wrong = int(word_errors(references, column_of(entry, "text").to_list()).sum())
    return ReportSection(
        "groups",
        "How many words are wrong",
        section_file(__package__, "groups.html"),
        {"groups": rows, "model": entry.name},
        headline=f"{counted(wrong, 'wrong word')} for {counted(int(counts.sum()), 'word')} that were said "
        f"({100 * rows[0].wer:.1f} %)."
        if len(answered.networks) == 1
        else "",
    )


def _group(name: str, places: np.ndarray, entry: AnsweredEntry) -> Group:
    references, texts = ([column_of(entry, c).to_list()[int(k)] for k in places] for c in ("reference", "text"))
    wrong, words = word_errors(references, texts), word_counts(references)
    drawn = np.random.default_rng(_SEED).integers(len(places), size=(_DRAWS, len(places)))
    rates = wrong[drawn].sum(1) / np.maximum(words[drawn].sum(1), 1)
    low, high = np.quantile(rates, [0.025, 0.975])
    cer = letter_errors(references, texts).sum() / max(sum(map(len, references)), 1)
    wer = wrong.sum() / max(int(words.sum()), 1)
    return Group(name, len(places), int(words.sum()), float(wer), float(low), float(high), float(cer))
