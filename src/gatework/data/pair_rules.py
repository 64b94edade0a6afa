"""Which pairs are learnt from, by rules that are told with their counts, and which of them belong together."""

from __future__ import annotations

import numpy as np
import polars as pl

from gatework.data.pairs import Pairs

LONGEST = 100
"""Words; what is longer is seldom one sentence, and costs the whole batch its length."""
_RATIO, _SLACK = 4, 20
_FEWEST_COPIED = 4
_FEWEST_LETTERS = 4
_SCRIPTS = (
    r"\p{Latin}", r"\p{Cyrillic}", r"\p{Greek}", r"\p{Arabic}", r"\p{Hebrew}", r"\p{Devanagari}", r"\p{Thai}",
    r"[\p{Han}\p{Hiragana}\p{Katakana}]", r"\p{Hangul}", r"\p{Armenian}", r"\p{Georgian}",
)  # fmt: skip


def tidied(pairs: Pairs) -> Pairs:
    """The pairs that something can be learnt from, with a note for each rule that left some out."""
    pairs = _composed(pairs)
    is_whole = (pairs.source != "") & (pairs.target != "")
    pairs = pairs.filtered(is_whole, "{count} pairs have an empty side and were left out.")
    both = pl.DataFrame({"source": pairs.source, "target": pairs.target}).to_struct()
    pairs = pairs.filtered(both.is_first_distinct(), "{count} pairs repeat an earlier one and were left out.")
    pairs = pairs.filtered(
        (_words(pairs.source) <= LONGEST) & (_words(pairs.target) <= LONGEST),
        f"{{count}} pairs are longer than {LONGEST} words and were left out.",
    )
    lengths = pairs.source.str.len_chars().cast(pl.Int64), pairs.target.str.len_chars().cast(pl.Int64)
    is_even = (lengths[0] <= _RATIO * lengths[1] + _SLACK) & (lengths[1] <= _RATIO * lengths[0] + _SLACK)
    pairs = pairs.filtered(
        is_even,
        f"{{count}} pairs have one side more than {_RATIO} times as long as the other (and {_SLACK} characters) and "
        "were left out.",
    )
    is_copy = (pairs.source == pairs.target) & (_words(pairs.source) >= _FEWEST_COPIED)
    pairs = pairs.filtered(~is_copy, "{count} pairs are the same on both sides and were left out.")
    is_foreign = _is_in_other_script(pairs.source) | _is_in_other_script(pairs.target)
    return pairs.filtered(~is_foreign, "{count} pairs are in another script than their side and were left out.")


def groups_of(source: pl.Series, target: pl.Series) -> np.ndarray:
    """For each pair the position of the first of its group; pairs with an equal side, directly or by others, are one.

    Sides are equal where their letters and digits are, whatever their case, marks and spaces.

    Returns:
        Shape (pairs,), int64.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(source)
    sides = [_key(side).rank("dense").to_numpy().astype(np.int64) - 1 for side in (source, target)]
    # Pairs, then distinct sources, then distinct targets are the nodes; each pair is tied to its two sides.
    sizes = [int(side.max(initial=-1)) + 1 for side in sides]
    ends = np.concatenate([count + sides[0], count + sizes[0] + sides[1]])
    starts, total = np.tile(np.arange(count), 2), count + sum(sizes)
    graph = csr_matrix((np.ones(2 * count, dtype=np.int8), (starts, ends)), shape=(total, total))
    labels = connected_components(graph, directed=False)[1][:count]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)


def _composed(pairs: Pairs) -> Pairs:
    """Both sides composed (NFC), with single spaces and none at the ends."""
    source, target = (
        side.fill_null("").str.normalize("NFC").str.replace_all(r"\s+", " ").str.strip_chars()
        for side in (pairs.source, pairs.target)
    )
    return Pairs(source, target, pairs.where, pairs.name, pairs.fingerprint, pairs.notes, pairs.columns)


def _words(side: pl.Series) -> pl.Series:
    return side.str.count_matches(r"\S+")


def _key(side: pl.Series) -> pl.Series:
    """What makes two sentences equal; those without a letter or digit are compared as they are."""
    letters = side.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "")
    return pl.select(pl.when(letters == "").then(side).otherwise(letters)).to_series()


def _is_in_other_script(side: pl.Series) -> pl.Series:
    """Whether most letters are of another script than most of the side's letters."""
    if not len(side):
        return pl.Series([], dtype=pl.Boolean)
    counts = [side.str.count_matches(script) for script in _SCRIPTS]
    usual = counts[int(np.argmax([int(count.sum()) for count in counts]))]
    letters = side.str.count_matches(r"\p{L}")
    return (letters >= _FEWEST_LETTERS) & (2 * usual < letters)
