"""Neighbours of one size stand together, each once and in order, within what they may take."""

import numpy as np

from gatework._equal_runs import equal_runs


def test_neighbours_of_one_size_stand_together_up_to_the_most():
    sizes = np.array([4, 4, 4, 0, 0, 9, 4, 4])
    runs = [sizes[alike].tolist() for alike in equal_runs(sizes, 8)]
    assert runs == [[4, 4], [4], [0, 0], [9], [4, 4]]
    assert list(equal_runs(sizes[:0], 8)) == []
