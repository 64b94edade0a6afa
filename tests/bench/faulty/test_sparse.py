"""Made series that rest in most rows: what they hold, and that the default finds their faults as no range does."""

import numpy as np
import pytest

from gatework.bench.faulty import sensors
from gatework.bench.faulty.sparse import SENSORS, sparse_series
from gatework.tasks.detect.value_rules import Extent


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_series_rests_in_most_rows_and_has_every_fault_where_it_says(sensor):
    made, other = (sparse_series(sensor, seed, learnt=2000, rows=5000) for seed in (0, 1))
    again = sparse_series(sensor, 0, learnt=2000, rows=5000)
    np.testing.assert_array_equal(made.values, again.values)
    assert (made.values != other.values).any()
    assert (made.values[:2000] == 0).mean() > 0.7
    assert Extent.fit([made.values[:2000, None]]).rest == 0.0
    assert sorted(fault.kind for fault in made.faults) == sorted(2 * sensors.KINDS)
    assert not made.labels[:2000].any()
    for fault in made.faults:
        if fault.kind in ("level", "drift", "stuck"):
            inside = made.values[fault.first : fault.last + 1]
            assert (inside != 0).mean() > 0.4, fault
    if sensor in ("errors", "command", "mode"):
        np.testing.assert_array_equal(made.values, made.values.round())
