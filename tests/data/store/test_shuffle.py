"""The computed order has every example once, another way in each epoch, and goes on from any batch."""

import numpy as np
import pytest

from gatework.data.store.shuffle import Permutation, ShuffledOrder


@pytest.mark.parametrize("size", [1, 2, 3, 31, 1000, 65537])
def test_every_number_comes_once(size):
    assert np.array_equal(np.sort(Permutation(size, (3, 1))(np.arange(size))), np.arange(size))


def test_neighbours_are_no_neighbours_and_keys_differ():
    places = np.arange(4096)
    one, other = (Permutation(10**9, (0, epoch))(places) for epoch in (1, 2))
    assert len(set(one) & set(other)) < 5
    # Correlation of 4096 independent places has a standard deviation of 1/64.
    assert abs(np.corrcoef(places, one)[0, 1]) < 5 / 64
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 5 / 64
    assert abs(one.mean() / 5e8 - 1) < 5 / 64 / 3**0.5


def test_batches_hold_similar_lengths_and_an_epoch_goes_on_where_it_was():
    lengths = np.random.default_rng(0).integers(1, 100, 4000)
    order = ShuffledOrder(len(lengths), 16, seed=1, epoch=2, lengths=lambda index: lengths[index])
    batches = list(order)
    assert np.array_equal(np.sort(np.concatenate(batches)), np.arange(4000))
    assert np.mean([np.ptp(lengths[batch]) for batch in batches]) < 5
    assert len(order[73:]) == len(batches) - 73
    assert all(np.array_equal(a, b) for a, b in zip(order[73:], batches[73:], strict=True))
    assert not np.array_equal(batches[0], ShuffledOrder(4000, 16, 1, 3, lambda index: lengths[index])[0])
