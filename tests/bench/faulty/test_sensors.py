"""Made series: every kind of fault at the rows that are said, and nothing else changed."""

import numpy as np
import pytest

from gatework.bench.faulty import sensors
from gatework.bench.faulty.sensors import KINDS, SENSORS, faulty_series


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_series_has_every_kind_of_fault_and_is_without_fault_before(sensor: str) -> None:
    made = faulty_series(sensor, seed=1)
    assert sorted(fault.kind for fault in made.faults) == sorted([*KINDS, *KINDS])
    assert np.isfinite(made.values).all()
    assert made.labels[: made.learnt].sum() == 0
    assert made.labels.sum() == sum(fault.last - fault.first + 1 for fault in made.faults)
    starts, ends = (np.array([getattr(fault, end) for fault in made.faults]) for end in ("first", "last"))
    assert (starts[1:] - ends[:-1] > 20).all()


def test_a_seed_gives_the_same_series_again_and_another_one_another() -> None:
    first, again, other = (faulty_series("daily", seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.values, again.values)
    assert first.faults == again.faults
    assert not np.array_equal(first.values, other.values)


def test_only_the_rows_of_faults_differ_from_the_series_without(monkeypatch: pytest.MonkeyPatch) -> None:
    made = faulty_series("waves", seed=2)
    for kind in KINDS:
        monkeypatch.setitem(
            sensors._FAULTS, kind, lambda random, made, first, last, size: made.values[first : last + 1]
        )
    assert (made.values == faulty_series("waves", seed=2).values)[made.labels == 0].all()


def test_a_stuck_sensor_repeats_the_value_before() -> None:
    made = faulty_series("counts", seed=0)
    for fault in made.faults:
        if fault.kind == "stuck":
            assert (made.values[fault.first : fault.last + 1] == made.values[fault.first - 1]).all()
