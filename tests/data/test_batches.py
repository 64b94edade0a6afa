import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gatework.data.batches import evaluation_order, even_order, training_order

lengths = st.lists(st.integers(1, 400), min_size=1, max_size=400).map(np.array)


@given(lengths, st.integers(1, 64), st.integers(0, 5), st.integers(1, 5), st.booleans())
def test_an_epoch_sees_every_example_once_and_repeats_exactly(lengths, size, seed, epoch, bucket):
    batches = training_order(lengths, size, seed, epoch, bucket)
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // size)
    assert all(1 <= len(batch) <= size for batch in batches)
    again = training_order(lengths, size, seed, epoch, bucket)
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))


def test_another_seed_or_epoch_gives_another_order():
    lengths = np.arange(1000)
    first = np.concatenate(training_order(lengths, 8, 0, 1, True))
    assert not np.array_equal(first, np.concatenate(training_order(lengths, 8, 1, 1, True)))
    assert not np.array_equal(first, np.concatenate(training_order(lengths, 8, 0, 2, True)))


def test_bucketing_leaves_less_than_a_tenth_of_the_padding():
    lengths = np.random.default_rng(0).integers(1, 400, 8000)

    def padding(bucket):
        batches = training_order(lengths, 32, 0, 1, bucket)
        return sum((lengths[b].max() - lengths[b]).sum() for b in batches)

    assert padding(True) < 0.1 * padding(False)


@given(lengths, st.integers(1, 64))
def test_evaluation_sees_every_example_once(lengths, size):
    assert sorted(np.concatenate(evaluation_order(lengths, size))) == list(range(len(lengths)))


@given(lengths, st.integers(1, 64), st.integers(0, 5))
def test_even_batches_hold_every_example_once_and_are_cut_alike_in_every_epoch(lengths, size, seed):
    first, second = (even_order(lengths, size, seed, epoch) for epoch in (1, 2))
    for batches in (first, second):
        assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
        for batch in batches:
            assert len(batch) == 1 or len(batch) * lengths[batch].max() <= size * lengths.mean()
    assert sorted(map(len, first)) == sorted(map(len, second))
    assert all(np.array_equal(a, b) for a, b in zip(first, even_order(lengths, size, seed, 1), strict=True))
