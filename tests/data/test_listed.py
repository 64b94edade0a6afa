"""Series that a caller lists."""

import numpy as np
import pytest

from gatework.data.inputs import RaggedSeries
from gatework.data.listed import listed
from gatework.errors import DataError


def test_a_list_of_numbers_is_one_series_and_listed_series_keep_their_lengths_and_variables():
    assert np.array_equal(listed([1, 2.5, 3]), [[[1], [2.5], [3]]])
    assert np.array_equal(listed(([1, 2], np.array([3.0, 4.0]))), [[[1], [2]], [[3], [4]]])
    ragged = listed([[[1, 2], [3, 4]], [[5, 6]]])
    assert isinstance(ragged, RaggedSeries)
    assert [ragged[k].tolist() for k in range(2)] == [[[1, 2], [3, 4]], [[5, 6]]]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ([[1, 2], {"a": 1}], "a series is a list of numbers"),
        ([[1, 2], [[3, 4]]], "each step of a series has a number for each variable"),
        ([[1, 2], []], "series 1 (counted from 0) has no steps"),
        ([[1, 2], [3, float("inf"), 4]], "series 1, step 1 (both counted from 0) is not a finite number"),
    ],
)
def test_what_is_no_series_is_said(source, said):
    with pytest.raises(DataError) as caught:
        listed(source)
    assert str(caught.value).startswith(said)
