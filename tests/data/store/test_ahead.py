"""Batches that a thread reads beside the step before: the same, in any order, and with whatever goes wrong."""

import threading

import numpy as np
import pytest
import torch

from gatework.data.dataset import Batch
from gatework.data.store.ahead import ReadAhead
from gatework.data.store.examples import PackedExamples
from gatework.data.store.shuffle import ShuffledOrder


class Numbers(PackedExamples):
    """As many examples as the split is long, each its own number, of which some fit what may be read ahead."""

    def __init__(self, count, bytes_of_one):
        super().__init__(range(count))
        self.size, self.reads = bytes_of_one, []

    @property
    def bytes_of_one(self):
        return self.size

    def lengths_at(self, index):
        return np.ones(len(index), dtype=np.int64)

    def batch_at(self, index):
        self.reads.append((threading.current_thread() is threading.main_thread(), len(index)))
        return Batch(*(torch.from_numpy(each) for each in (index, self.lengths_at(index), index)))


# 17 batches at a time begin in one pool of 200 batches and end in another; 50 do not; the last batch has 3 examples.
@pytest.mark.parametrize(("bytes_of_one", "together"), [((1 << 24) // (4 * 17), 17), (0, 50)])
def test_batches_are_those_of_the_order_and_all_but_the_first_are_read_by_a_thread(bytes_of_one, together):
    examples = Numbers(4 * 450 + 3, bytes_of_one)
    order = ShuffledOrder(len(examples), 4, 0, 1, ahead=examples.read_ahead)
    for place in range(len(order)):
        assert np.array_equal(examples.batch(order[place]).inputs.numpy(), order[place])
    is_main, sizes = zip(*examples.reads, strict=True)
    assert is_main == (True, *(False,) * (len(is_main) - 1))
    assert sizes[:-1] == (4 * together,) * (len(sizes) - 1)
    assert sum(sizes) == len(examples), "nothing is read twice"


def test_other_examples_than_those_foreseen_are_read_as_they_are_asked_for():
    examples = Numbers(4000, 0)
    order = ShuffledOrder(len(examples), 4, 0, 1, ahead=examples.read_ahead)
    for place in (0, 600, 3, 201, 999):
        assert np.array_equal(examples.batch(order[place]).inputs.numpy(), order[place])
    alone = np.arange(5)
    assert np.array_equal(examples.batch(alone).inputs.numpy(), alone)


def test_what_cannot_be_read_is_said_when_it_is_asked_for():
    def read(index):
        if index[0]:
            raise OSError("gone")
        return index

    ahead = ReadAhead(read)
    ahead(np.array([0]), np.array([1]))
    with pytest.raises(OSError, match="gone"):
        ahead(np.array([1]), np.array([2]))
    assert ahead(np.array([0]), np.array([], dtype=int)) == 0
