"""Rules on values alone: what is outside the training range, what is stuck, and what lasts is learnt."""

import json

import numpy as np
import pytest

from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.value_rules import Extent, RangeRule, RecordRule, Stuck, StuckRule, value_rules


def plain_repeats(column):
    counts, run, last = [], 0, np.nan
    for value in column:
        if not np.isnan(value):
            run = run + 1 if value == last else 0
            last = value
        counts.append(run)
    return np.array(counts)


def test_repeats_are_counted_over_gaps_and_over_calls():
    values = np.random.default_rng(0).integers(0, 2, size=(200, 2)).astype(float)
    values[::7, 0] = np.nan
    stuck = Stuck(2)
    parts = np.concatenate([stuck.repeats(part) for part in np.split(values, [1, 50, 51, 120])])
    for k in range(2):
        np.testing.assert_array_equal(parts[:, k], plain_repeats(values[:, k]))


def test_a_value_repeated_for_longer_than_in_training_is_stuck_and_a_still_series_never_is():
    random = np.random.default_rng(1)
    training = random.normal(size=(300, 2))
    training[:, 1] = 5.0
    extent = Extent.fit([training])
    new = random.normal(size=(60, 2))
    new[20:50, 0] = new[19, 0]
    new[:, 1] = 5.0
    ratios = StuckRule(extent, np.ones(2)).run(new)
    assert (ratios[:20] < 1).all()
    assert (ratios[30:50, 0] > 1).all()
    assert (ratios[:, 1] == 0).all()
    again = Extent.from_state(json.loads(json.dumps(extent.state())))
    np.testing.assert_array_equal(StuckRule(again, np.ones(2)).run(new), ratios)


def test_what_lies_well_outside_the_training_range_is_anomalous_until_it_lasts():
    random = np.random.default_rng(2)
    training = random.uniform(-1, 1, size=(1000, 1))
    rule = RangeRule(Extent.fit([training]), training.std(axis=0))
    usual = rule.run(random.uniform(-1, 1, size=(1500, 1)))
    assert (usual < 1).all()
    shifted = rule.run(random.uniform(2, 2.5, size=(400, 1)))
    # After 100 rows, looked at every 25, the range holds what they hold; all of them, not all but the outermost.
    assert (shifted[:100] > 1).all()
    assert (shifted[125:] < 1).all()


def test_a_range_goes_on_in_parts_as_at_once_and_says_nothing_of_a_missing_value():
    random = np.random.default_rng(3)
    extent, std = Extent.fit([random.normal(size=(100, 1))]), np.ones(1)
    values = random.normal(scale=2, size=(1300, 1))
    values[700] = np.nan
    whole, parts = RangeRule(extent, std).run(values), RangeRule(extent, std)
    split = np.concatenate([parts.run(part) for part in np.split(values, [3, 26, 600, 1201])])
    np.testing.assert_array_equal(whole, split)
    assert np.isnan(whole[700])


def test_a_record_is_told_once_and_then_belongs_to_the_range_in_parts_as_at_once():
    extent = Extent.fit([np.array([[0.0, 5.0], [10.0, 5.0]])])
    values = np.array([[10.2, 5.0], [10.6, 5.0], [np.nan, 6.0], [10.6, 6.0], [-0.3, 5.5], [-0.7, 5.0]])
    whole, parts = RecordRule(extent, np.ones(2)).run(values), RecordRule(extent, np.ones(2))
    # A record counts beyond 0.03 of the range: 10.506 once 10.2 has been seen; -0.318, and once -0.3 has been, -0.627.
    assert (whole[:, 0] > 1).tolist() == [False, True, False, False, False, True]
    # What never changed has no range: its first change is a record.
    assert (whole[:, 1] > 1).tolist() == [False, False, True, False, False, False]
    np.testing.assert_array_equal(np.isnan(whole), np.isnan(values))
    np.testing.assert_array_equal(np.concatenate([parts.run(part) for part in np.split(values, [1, 4])]), whole)


@pytest.mark.parametrize(("threshold", "count"), [("combined", 2), ("adaptive", 2), ("quantile", 0)])
def test_some_thresholds_have_rules_on_values_beside_it(threshold, count):
    assert len(value_rules(DetectOptions(threshold=threshold))) == count
