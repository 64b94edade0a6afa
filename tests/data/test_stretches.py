"""Stretches of rows are those that slices would give, without a copy of the whole."""

import numpy as np
import pytest

from gatework.data.stretches import stretches


@pytest.mark.parametrize("axis", [0, 1])
def test_a_stretch_is_the_rows_from_a_place_on(axis):
    values = np.arange(24.0).reshape(6, 4)
    view = stretches(values, 3, axis)
    assert np.shares_memory(view, values)
    if axis == 0:
        assert view.shape == (4, 3, 4)
        assert np.array_equal(view[[2, 0]], [values[2:5], values[0:3]])
    else:
        assert view.shape == (6, 2, 3)
        assert np.array_equal(view[[5, 1], [0, 1]], [values[5, 0:3], values[1, 1:4]])
    assert len(stretches(values, 7)) == 0
