"""Splitting recordings so that no text, or no speaker, is learnt from in one part and judged by in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.split import Parts, first_of_equal, split
from gatework.data.transcripts import Utterance
from gatework.errors import DataError

if TYPE_CHECKING:
    from gatework.options import DataOptions

# Texts this alike, of 100, are taken for variants of one: "To reset, press one" and "... to reset, press one".
_TWINS = 80
# Pairs are compared up to so many texts; beyond it only equal texts stay together.
_MOST_COMPARED = 6_000
_FEWEST_SPEAKERS = 5
# Of a closed list of commands, or of digits, every part must have each text.
_FEW_TEXTS = 0.5
_LARGEST_GROUP = 0.3


def parts_of(
    utterances: Sequence[Utterance], texts: Sequence[str], apart: str, config: DataOptions
) -> tuple[Parts, str]:
    """The positions of each part's recordings, and a sentence that says what no two parts share.

    Args:
        utterances: The recordings; what a manifest says of their parts holds.
        texts: Their plain texts.
        apart: As `SpeechOptions.apart`.
        config: The shares and the seed.

    Raises:
        DataError: There are too few to hold any back.
    """
    groups, how = _groups(utterances, texts, apart)
    named = np.array([one.part for one in utterances])
    if not (named == "test").any():
        return split(groups, None, validation=config.validation, test=config.test, seed=config.split_seed), how
    test, held, rest = (np.flatnonzero(named == name) for name in ("test", "validation", "train"))
    rest = np.sort(np.concatenate([rest, np.flatnonzero(named == "")]))
    how = f"The list names the test part ({len(test):,} recordings)."
    if not len(rest):
        raise DataError("the list names a part for every recording and none for training; name some train")
    if len(held):
        return Parts(rest, held, test), how
    # Equal among what is left: the position of the first of a group must be one of them.
    inner = first_of_equal(groups[rest].tolist())
    parts = split(inner, None, validation=config.validation, test=0, seed=config.split_seed)
    return Parts(rest[parts.train], rest[parts.validation], test), how


def _groups(utterances: Sequence[Utterance], texts: Sequence[str], apart: str) -> tuple[np.ndarray, str]:
    speakers = [one.speaker for one in utterances]
    if apart == "auto":
        many = len(set(speakers) - {""}) >= _FEWEST_SPEAKERS
        apart = "speakers" if many else "texts" if _is_open(texts) else "recordings"
    if apart == "speakers":
        count = len(set(speakers))
        if count < 3:
            raise DataError(
                f"{count} speakers are too few to keep apart: a part each needs 3; name their column with --speaker, "
                "or choose --apart texts"
            )
        return first_of_equal(speakers), f"No two parts share one of the {count:,} speakers."
    if apart == "recordings":
        return np.arange(len(texts), dtype=np.int64), "Parts share texts: what is learnt is a closed list of them."
    groups = twins(texts)
    if Counter(groups.tolist()).most_common(1)[0][1] > _LARGEST_GROUP * len(texts):
        groups = first_of_equal(texts)
        return groups, "No two parts share a text; most texts are alike, so that near-twins may be in two."
    return groups, f"No two parts share a text or a near-twin of one ({len(np.unique(groups)):,} groups of texts)."


def _is_open(texts: Sequence[str]) -> bool:
    return len(set(texts)) > _FEW_TEXTS * len(texts)


def twins(texts: Sequence[str]) -> np.ndarray:
    """For each text the position of the first one that it is a near-twin of, directly or by way of others, int64."""
    distinct = list(dict.fromkeys(texts))
    groups = np.arange(len(distinct))
    if len(distinct) <= _MOST_COMPARED:
        from rapidfuzz import fuzz, process
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import connected_components

        alike = process.cdist(distinct, distinct, scorer=fuzz.ratio, score_cutoff=_TWINS)
        groups = connected_components(csr_matrix(alike), directed=False)[1]
    group_of = dict(zip(distinct, groups.tolist(), strict=True))
    return first_of_equal([group_of[text] for text in texts])
