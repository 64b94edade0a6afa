"""The order in which a training run sees its examples: a function of the seed and the epoch alone."""

from __future__ import annotations

import numpy as np

# Batches are cut from pools of this many batches, each sorted by length: padding is rare and the order still random.
_POOL = 50


def training_order(lengths: np.ndarray, batch_size: int, seed: int, epoch: int, bucket: bool) -> list[np.ndarray]:
    """The batches of one epoch, each an array of positions.

    Args:
        lengths: Steps of each example, shape (examples,).
        batch_size: Examples per batch; the last may be smaller.
        seed: The run's seed.
        epoch: The epoch, counted from 1.
        bucket: Whether a batch holds examples of similar length.
    """
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(lengths))
    if not bucket or lengths.min() == lengths.max():
        return _cut(order, batch_size)
    pools = _cut(order, _POOL * batch_size)
    batches = [batch for pool in pools for batch in _cut(pool[np.argsort(lengths[pool], kind="stable")], batch_size)]
    return [batches[k] for k in random.permutation(len(batches))]


def even_order(sources: np.ndarray, targets: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch of pairs, of similar length on both sides and about as many steps each.

    Pairs stand in the order of their sources' lengths, those of one in that of their targets', upwards and downwards
    in turn, so that neighbours are alike across sources too. Where batches are cut is the same in every epoch; which
    pairs of the same lengths stand in which batch is not.

    Args:
        sources: Steps of each source, shape (pairs,).
        targets: Steps of each target, shape (pairs,).
        batch_size: Pairs per batch, on average: a batch has at most so many times the mean steps of both sides, those
            of padding counted, or one pair.
        seed: The run's seed.
        epoch: The epoch, counted from 1.
    """
    random = np.random.default_rng((seed, epoch))
    shuffled = random.permutation(len(sources))
    direction = np.where(np.unique(sources[shuffled], return_inverse=True)[1] % 2, -1, 1)
    order = shuffled[np.lexsort((direction * targets[shuffled], sources[shuffled]))]
    most, starts, longest = batch_size * float((sources + targets).mean()), [0], 0
    for place, (source, target) in enumerate(zip(sources[order].tolist(), targets[order].tolist(), strict=True)):
        longest = max(longest, target)
        # The source at hand is the longest of its batch so far, and all of them are padded to it.
        if place > starts[-1] and (place + 1 - starts[-1]) * (source + longest) > most:
            starts.append(place)
            longest = target
    batches = np.split(order, starts[1:])
    return [batches[k] for k in random.permutation(len(batches))]


def evaluation_order(lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Every example once, in batches of similar length."""
    return _cut(np.argsort(lengths, kind="stable"), batch_size)


def _cut(order: np.ndarray, size: int) -> list[np.ndarray]:
    return [order[k : k + size] for k in range(0, len(order), size)]
