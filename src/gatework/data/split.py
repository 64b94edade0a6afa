"""Splitting into parts that share no example: seeded, stratified by class, and equal examples kept together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatework.data.dataset import Columns, Dataset, Provenance, Split
from gatework.errors import DataError

if TYPE_CHECKING:
    from gatework.options import DataOptions


class Parts(NamedTuple):
    """The positions of each part's examples, ascending; together every position once."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def first_of_equal(examples: Iterable[Hashable]) -> np.ndarray:
    """For each example the position of the first one that equals it, shape (examples,), int64."""
    first: dict[Hashable, int] = {}
    return np.array([first.setdefault(example, position) for position, example in enumerate(examples)], dtype=np.int64)


def split(groups: np.ndarray, strata: np.ndarray | None, *, validation: float, test: float, seed: int) -> Parts:
    """Splits examples into three parts.

    Args:
        groups: The position of the first example that equals it, as `first_of_equal()` gives: equal examples go to the
            same part, shape (examples,).
        strata: The class of each example, shape (examples,): each part gets its share of every class. None for values.
        validation: The share of what is left after testing that is held back for validation.
        test: The share that is held back for testing; 0 leaves that part empty.
        seed: Seeds the choice.

    Raises:
        DataError: The examples are too few to hold back any.
    """
    random = np.random.default_rng(seed)
    strata = np.zeros(len(groups), dtype=np.int64) if strata is None else strata
    rest, held_test = _hold_back(np.arange(len(groups)), groups, strata, test, "testing", random)
    train, held_validation = _hold_back(rest, groups, strata, validation, "validation", random)
    return Parts(train, held_validation, held_test)


def _hold_back(
    rows: np.ndarray, groups: np.ndarray, strata: np.ndarray, share: float, purpose: str, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Divides these rows into those that are kept and those held back, about `share` of each stratum."""
    if not share:
        return rows, rows[:0]
    # One row stands for its group; the group's size is what it takes from the quota of its stratum.
    leaders, group_of_row, sizes = np.unique(groups[rows], return_inverse=True, return_counts=True)
    kinds, stratum_of_leader = np.unique(strata[leaders], return_inverse=True)
    quotas = _quotas(np.bincount(stratum_of_leader, weights=sizes), share, random)
    is_held = np.zeros(len(leaders), dtype=bool)
    for stratum in range(len(kinds)):
        left = quotas[stratum]
        shuffled = random.permutation(np.flatnonzero(stratum_of_leader == stratum))
        for leader in shuffled[:-1]:  # at least one group of every stratum is kept
            if sizes[leader] <= left:
                is_held[leader] = True
                left -= sizes[leader]
    held = is_held[group_of_row]
    if not held.any() or held.all():
        if len(leaders) < len(rows):
            raise DataError(
                f"{len(rows):,} examples, of which {len(leaders):,} differ, are too few to hold back {share:.0%} "
                f"of them for {purpose}, as equal ones stay together; give more that differ"
            )
        raise DataError(
            f"{len(rows)} examples are too few to hold back {share:.0%} of them for {purpose}; give more examples"
        )
    return rows[~held], rows[held]


def _quotas(sizes: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Whole numbers near `share * sizes` that add up to the rounded total: the largest remainders are rounded up."""
    exact = share * sizes
    quotas = np.floor(exact)
    missing = round(exact.sum()) - int(quotas.sum())
    remainders = exact - quotas + 1e-9 * random.random(len(sizes))
    quotas[np.argsort(-remainders)[: max(missing, 0)]] += 1
    return quotas


def divided(
    examples: Split,
    config: DataOptions,
    provenance: Provenance,
    *,
    name: str,
    test: Split | None = None,
    test_share: float | None = None,
    classes: tuple[str, ...] = (),
    columns: Columns | None = None,
) -> Dataset:
    """A Dataset whose parts are cut from these examples.

    Args:
        examples: All examples, or all but the testing ones where `test` is given.
        config: The shares and the seed.
        provenance: Where the examples came from; a note is added where test examples also stand in the training part.
        name: The data set's name.
        test: The official test part, if there is one.
        test_share: The share held back for testing, in place of the configuration's.
        classes: The classes' names; empty for regression.
        columns: The columns used, by role.

    Raises:
        DataError: The examples are too few.
    """
    keys = examples.inputs.identities()
    share = 0.0 if test is not None else config.test if test_share is None else test_share
    strata = examples.targets if classes else None
    parts = split(first_of_equal(keys), strata, validation=config.validation, test=share, seed=config.split_seed)
    if test is None:
        test = examples.take(parts.test)
    else:
        seen = set(keys)
        shared = sum(key in seen for key in test.inputs.identities())
        if shared:
            note = f"{shared:,} of the {len(test):,} test examples also stand, word for word, in the training part."
            provenance = replace(provenance, notes=(*provenance.notes, note))
    train, validation = examples.take(parts.train), examples.take(parts.validation)
    return Dataset(name, examples.inputs.kind, train, validation, test, provenance, classes, dict(columns or {}))
