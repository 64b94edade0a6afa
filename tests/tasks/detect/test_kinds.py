"""Kinds of departures by their shape, from the rows so far alone."""

import numpy as np
import pytest

from gatework.bench.faulty.sensors import faulty_series
from gatework.tasks.detect.kinds import KINDS, STUCK, KindWatch

HOUR = 3_600_000_000
FIRST, LAST = 300, 359


def departed(kind, seed=0):
    """A day's cycle with noise, and one departure of a kind from FIRST on."""
    random = np.random.default_rng(seed)
    values = 3 * np.sin(2 * np.pi * np.arange(400) / 24) + random.normal(scale=0.3, size=400)
    rows = np.arange(LAST - FIRST + 1)
    if kind == "spike":
        values[FIRST : FIRST + 2] += 9
    elif kind == "level shift":
        values[FIRST : LAST + 1] += 4
    elif kind == "drift":
        values[FIRST : LAST + 1] += rows / 8
    elif kind == "pattern":
        values[FIRST : LAST + 1] = values[FIRST - 12 : LAST - 11]
    return values


def named(values, *, is_stuck=False, parts=(), flagged=slice(FIRST, LAST + 1)):
    flags = np.zeros(len(values), dtype=bool)
    flags[flagged] = True
    watch, stamps = KindWatch(1, (86_400,), 10), HOUR * np.arange(len(values))
    columns = (values[:, None], stamps, flags, np.zeros(len(values), dtype=int), np.where(flags & is_stuck, STUCK, -1))
    return np.concatenate([watch.run(*rows) for rows in zip(*(np.split(c, parts) for c in columns), strict=True)])


@pytest.mark.parametrize("kind", ["spike", "level shift", "drift", "pattern"])
def test_a_departure_is_named_by_its_shape(kind):
    for seed in range(3):
        kinds = named(departed(kind, seed))
        assert (kinds[:FIRST] == -1).all()
        assert KINDS[kinds[LAST]] == kind


def test_a_repeated_value_is_stuck_whatever_its_shape():
    kinds = named(departed("level shift"), is_stuck=True)
    assert {KINDS[kind] for kind in kinds[FIRST : LAST + 1]} == {"stuck"}


def test_kinds_are_the_same_in_parts_and_do_not_depend_on_later_rows():
    values = departed("drift")
    values[50] = np.nan
    whole = named(values)
    np.testing.assert_array_equal(whole, named(values, parts=(1, 2, 299, 310, 311)))
    changed = values.copy()
    changed[330:] += 50
    np.testing.assert_array_equal(whole[:330], named(changed)[:330])


def test_faults_of_sensors_with_a_daily_rhythm_are_mostly_named_for_what_they_are():
    meant = {"point": "spike", "level": "level shift", "drift": "drift", "contextual": "pattern", "rhythm": "pattern"}
    right = total = 0
    for sensor in ("daily", "traffic", "counts"):
        made = faulty_series(sensor, seed=20, learnt=1000, rows=4000)
        values = ((made.values - made.values[:1000].mean()) / made.values[:1000].std())[:, None]
        flags = made.labels > 0
        stamps = made.stamps.astype(np.int64)
        kinds = KindWatch(1, (86_400,), 0).run(values, stamps, flags, np.zeros(4000, dtype=int), np.full(4000, -1))
        for fault in made.faults:
            if fault.kind in meant:
                right += KINDS[kinds[fault.last]] == meant[fault.kind]
                total += 1
    # A guess among the four kinds that can be said is right in a quarter of the cases.
    assert right / total > 0.8
