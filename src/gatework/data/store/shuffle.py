"""An order of examples that is computed, not kept: a keyed permutation.

A number is written as two digits, and each digit is moved in turn by what a hash says of the other, round and round in
its own range: one to one, whatever the hash is. The digits are about equal, so that few numbers are outside of what is
asked for; such a one goes through it again until it falls inside (cycle walking), which keeps it one to one.

Sources: J. Black and P. Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002 (their generalised Feistel
network); the hash is the finaliser of SplitMix64 (G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import overload

import numpy as np

POOL = 50
"""Batches are cut from pools of so many, each sorted by length, as `gatework.data.batches` does."""
_TOGETHER = 200
"""So many are computed together where lengths do not matter; the order is the same for any number."""
_ROUNDS = 6
_FEWEST = 16
_HALF = np.uint64(32)


class Permutation:
    """The numbers from 0 to `size - 1`, each once, in an order that the key decides.

    Args:
        size: How many numbers there are.
        key: Whole numbers, such as a seed and an epoch.
    """

    def __init__(self, size: int, key: Sequence[int]) -> None:
        self.size = size
        high = math.isqrt(max(size, _FEWEST) - 1) + 1
        self._ranges = np.uint64(high), np.uint64(-(-max(size, _FEWEST) // high))
        self._keys = np.random.SeedSequence(tuple(key)).generate_state(_ROUNDS, np.uint64)

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """The numbers at these places of the order, int64."""
        values = self._once(places.astype(np.uint64))
        while (outside := np.flatnonzero(values >= self.size)).size:
            values[outside] = self._once(values[outside])
        return values.astype(np.int64)

    def _once(self, values: np.ndarray) -> np.ndarray:
        below = self._ranges[1]
        digits = list(np.divmod(values, below))
        for number, key in enumerate(self._keys):
            moved, size = number % 2, self._ranges[number % 2]
            # The upper half of the hash, a fraction of 1, of the range.
            digits[moved] += (mixed(digits[1 - moved] ^ key) >> _HALF) * size >> _HALF
            digits[moved] -= (digits[moved] >= size) * size
        return digits[0] * below + digits[1]


def mixed(values: np.ndarray) -> np.ndarray:
    """Numbers of 64 bits and any shape, each of whose bits hangs on every bit that it came from; uint64."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


class ShuffledOrder(Sequence[np.ndarray]):
    """The batches of an epoch, each computed when it is asked for; of similar length where lengths are given.

    Args:
        size: How many examples there are.
        batch_size: Examples per batch; one may be smaller.
        seed: The run's seed.
        epoch: The epoch, counted from 1.
        lengths: The lengths of the examples at some positions, shape (examples,) both; None where they are
            equal or do not matter.
        ahead: Told the examples of the next batches before these are asked for, and those that follow them.
        first: The first batch; a training that goes on begins behind those that are done.
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        seed: int,
        epoch: int,
        lengths: Callable[[np.ndarray], np.ndarray] | None = None,
        ahead: Callable[[np.ndarray, np.ndarray], None] | None = None,
        first: int = 0,
    ) -> None:
        self._arguments = (size, batch_size, seed, epoch, lengths, ahead)
        self._first, self._count = first, -(-size // batch_size)
        self._permutation = Permutation(size, (seed, epoch))
        self._of_pool = POOL if lengths else _TOGETHER
        self._pool, self._batches = -1, list[np.ndarray]()
        self._following = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return max(self._count - self._first, 0)

    @overload
    def __getitem__(self, place: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, place: slice) -> ShuffledOrder: ...
    def __getitem__(self, place: int | slice) -> np.ndarray | ShuffledOrder:
        """One batch; or, of a slice without an end, the order from there on."""
        if isinstance(place, slice):
            if place.stop is not None or place.step is not None or (place.start or 0) < 0:
                raise ValueError("the order of a store is cut at its start only")
            return ShuffledOrder(*self._arguments, first=self._first + (place.start or 0))
        if not 0 <= place < len(self):
            raise IndexError(f"batch {place} of {len(self)}")
        pool, at = divmod(place + self._first, self._of_pool)
        if pool != self._pool:
            self._batches, self._pool = self._cut(pool), pool
        return self._batches[at]

    def _cut(self, pool: int) -> list[np.ndarray]:
        """The batches of a pool in their order."""
        _, batch_size, seed, epoch, lengths, ahead = self._arguments
        index = self._following if pool == self._pool + 1 and len(self._following) else self._examples(pool)
        if ahead is not None:
            self._following = self._examples(pool + 1)
            ahead(index, self._following)
        if lengths is None:
            return [index[k : k + batch_size] for k in range(0, len(index), batch_size)]
        index = index[np.argsort(lengths(index), kind="stable")]
        batches = [index[k : k + batch_size] for k in range(0, len(index), batch_size)]
        return [batches[k] for k in np.random.default_rng((seed, epoch, pool)).permutation(len(batches))]

    def _examples(self, pool: int) -> np.ndarray:
        """The examples of a pool; none behind the last one."""
        size, count = self._arguments[0], self._of_pool * self._arguments[1]
        return self._permutation(np.arange(pool * count, max(min(pool * count + count, size), pool * count)))
