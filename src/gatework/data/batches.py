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


def even_order(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch, of similar length and about as many steps each: more short examples, fewer long ones.

    Where batches are cut is the same in every epoch; which examples of one length stand in which batch is not.

    Args:
        lengths: Steps of each example, shape (examples,).
        batch_size: Examples per batch, on average: a batch has at most so many times the mean length, or one example.
        seed: The run's seed.
        epoch: The epoch, counted from 1.
    """
    random = np.random.default_rng((seed, epoch))
    shuffled = random.permutation(len(lengths))
    order = shuffled[np.argsort(lengths[shuffled], kind="stable")]
    most, starts = batch_size * float(lengths.mean()), [0]
    for place, length in enumerate(lengths[order].tolist()):
        # The example at hand is the longest of its batch so far, and all of them are padded to it.
        if place > starts[-1] and (place + 1 - starts[-1]) * length > most:
            starts.append(place)
    batches = np.split(order, starts[1:])
    return [batches[k] for k in random.permutation(len(batches))]


def evaluation_order(lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """The positions of every example once, shape (batch,) each, in batches of similar length.

    Args:
        lengths: Steps of each example, shape (examples,).
        batch_size: Examples per batch.
    """
    return _cut(np.argsort(lengths, kind="stable"), batch_size)


def _cut(order: np.ndarray, size: int) -> list[np.ndarray]:
    return [order[k : k + size] for k in range(0, len(order), size)]
