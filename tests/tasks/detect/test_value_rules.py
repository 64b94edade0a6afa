"""Rules on values alone: what is outside the training range, what is stuck, and what lasts is learnt."""

import json

import numpy as np
import pytest

from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.value_rules import (
    Extent,
    RangeRule,
    RecordRule,
    Stuck,
    StuckRule,
    value_rules,
)


def plain_repeats(column, rest):
    counts, run, last = [], 0, np.nan
    for value in column:
        if not np.isnan(value):
            run = run + 1 if value == last and value != rest else 0
            last = value
        counts.append(run)
    return np.array(counts)


def test_repeats_are_counted_over_gaps_and_over_calls_but_for_those_at_rest():
    values = np.random.default_rng(0).integers(0, 2, size=(200, 3)).astype(float)
    values[::7, 0] = values[::5, 2] = np.nan
    rest = np.array([np.nan, 0.0, 0.0])
    stuck = Stuck(rest)
    parts = np.concatenate([stuck.repeats(part) for part in np.split(values, [0, 1, 50, 51, 120])])
    for k in range(3):
        np.testing.assert_array_equal(parts[:, k], plain_repeats(values[:, k], rest[k]))


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


def resting(rows, starts, length, high=1.0):
    values = np.zeros((rows, 1))
    for start in starts:
        values[start : start + length] = high
    return values


def test_a_column_that_rests_is_stuck_where_a_burst_does_not_end_until_it_has_settled():
    training = resting(1000, range(50, 1000, 90), 4)
    training[100], training[53] = np.nan, np.nan
    extent, std = Extent.fit([training]), np.ones(1)
    assert (extent.rest, extent.departures, extent.repeats) == (0.0, 11.0, 3.0)
    assert (StuckRule(extent, std).run(resting(500, [20, 300], 5)) < 1).all()
    told = np.flatnonzero(StuckRule(extent, std).run(resting(1000, [50, 900], 600))[:, 0] > 1)
    # After 1.5 times as many repeats as ever, and for 300 rows more; then again in the next burst.
    assert told[told < 900].tolist() == list(range(56, 356))
    assert told[told > 900].tolist() == list(range(906, 1000))
    # At rest it is never stuck, however long.
    assert (StuckRule(extent, std).run(np.zeros((2000, 1))) == 0).all()
    again = Extent.from_state(json.loads(json.dumps(extent.state())))
    assert np.flatnonzero(StuckRule(again, std).run(resting(1000, [50, 900], 600))[:, 0] > 1).tolist() == told.tolist()


def test_the_fewer_bursts_training_had_the_longer_the_next_may_be():
    allowed = []
    for count in (1, 2, 3, 8, 40):
        training = resting(2000, range(10, 10 + 45 * count, 45), 4)
        ratios = StuckRule(Extent.fit([training]), np.ones(1)).run(np.ones((200, 1)))
        allowed.append(int(np.argmax(ratios[:, 0] > 1)))
    assert allowed == sorted(allowed, reverse=True)
    # One burst repeated its value three times: the next may 60 times; of many bursts 4.5.
    assert (allowed[0], allowed[-1]) == (62, 6)
    # A column that never left its rest has no burst to compare with: six repeats are many.
    never = StuckRule(Extent.fit([np.zeros((2000, 1))]), np.ones(1)).run(np.ones((20, 1)))
    assert int(np.argmax(never[:, 0] > 1)) == 6


def test_an_end_at_which_a_column_rests_is_a_bound_until_the_range_has_moved():
    training = resting(1000, range(50, 1000, 90), 4, high=10.0)
    std = training.std(axis=0)
    rule = RangeRule(Extent.fit([training]), std)
    slight = 0.3 * std[0]
    ratios = rule.run(np.array([[0.0], [-slight], [0.0], [10.0 + slight], [10.0 + std[0]]]))
    assert (ratios[:, 0] > 1).tolist() == [False, True, False, False, True]
    assert (rule.run(np.full((400, 1), -slight))[:100] > 1).all()
    assert (rule.run(np.full((100, 1), -2 * slight)) < 1).all()


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


def test_a_range_that_is_left_again_and_again_reaches_as_far_as_it_was_left_each_time():
    def after(*excursions, rows=1500, last=3.0):
        """Which of an excursion of 3 and of the nearest and the farthest others is outside after these."""
        values = np.zeros((rows, 2))
        for start, height in excursions:
            values[start : start + 5, 0], values[start : start + 5, 1] = height, -height
        rule = RangeRule(Extent.fit([np.array([[-1.0, -1.0], [1.0, 1.0]])]), np.ones(2))
        rule.run(values)
        ratios = rule.run(np.array([[last, -last]]))
        assert ratios[0, 0] == ratios[0, 1]  # both ends alike
        return bool(ratios[0, 0] > 1)

    thrice = [(200, 5.0), (400, 3.0), (600, 4.0)]
    assert after()
    assert after(*thrice[:2])
    assert not after(*thrice)
    # As far as all three went, and the margin: no farther.
    assert not after(*thrice, last=3.49)
    assert after(*thrice, last=3.51)
    # Of more than three the farthest count; and those that are too near to one another are one.
    assert not after(*thrice, (800, 2.0), (1000, 1.6))
    assert after((200, 5.0), (253, 4.0), (306, 3.0))
    assert not after((200, 5.0), (254, 4.0), (308, 3.0))
    # One that is under way is none yet, and what is long past is forgotten.
    assert after((200, 5.0), (400, 4.0), (1455, 3.0))
    assert not after((200, 5.0), (400, 4.0), (1440, 3.0))
    assert after(*thrice, rows=1725)
    assert not after(*thrice, rows=1675)


def test_a_range_goes_on_in_parts_as_at_once_and_says_nothing_of_a_missing_value():
    random = np.random.default_rng(3)
    extent, std = Extent.fit([random.normal(size=(100, 1))]), np.ones(1)
    values = random.normal(scale=0.3, size=(1300, 1))
    values[:120], values[200::70] = 4 + values[:120], -5.0
    values[700] = np.nan
    whole, parts = RangeRule(extent, std).run(values), RangeRule(extent, std)
    split = np.concatenate([parts.run(part) for part in np.split(values, [3, 26, 600, 1201])])
    np.testing.assert_array_equal(whole, split)
    assert np.isnan(whole[700])
    # The range of these moves as it goes on: what lasts in the first part, what comes again in the second.
    assert (whole[:80] > 1).any()
    assert not (whole[130:200] > 1).any()
    assert np.flatnonzero(whole[200:] > 1).tolist() == [0, 70, 140]


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
