"""The curve of errors by minutes."""

from __future__ import annotations

import numpy as np
import pytest

from gatework.tasks.transcribe.learning_curve import PowerLaw, further_minutes, trainings
from gatework.tasks.transcribe.report.learning import said_of
from support import recordings


def test_a_power_law_is_met_by_its_own_points_and_goes_on():
    law = PowerLaw.fit([2.0, 4.0, 8.0], [0.8, 0.4, 0.2])
    assert law.power == pytest.approx(1.0)
    assert law(16.0) == pytest.approx(0.1)
    assert said_of(law, 8.0) == "Another 8 minutes of the same kind: about 0.10, by a power law."
    assert "do not help" in said_of(PowerLaw.fit([1.0, 2.0], [0.3, 0.4]), 2.0)
    assert [further_minutes(minutes) for minutes in (0.2, 7.9, 12.8, 340.0)] == [1, 7, 10, 300]


def test_the_larger_part_holds_the_smaller_one_and_each_epoch_counts_for_more():
    dataset = recordings.dataset(40, 6)
    made = trainings(dataset, recordings.small(epochs=4, learning_curve=True))
    parts = [part for part, _ in made.values()]
    assert [len(part.train) for part in parts] == [10, 20]
    first, second = (set(part.train.inputs.identities()) for part in parts)
    assert first < second < set(dataset.train.inputs.identities())
    assert [recipe.training.epochs for _, recipe in made.values()] == [8, 6]
    minutes = [float(name.partition("-")[2]) for name in made]
    assert np.allclose(minutes, [part.train.inputs.seconds.sum() / 60 for part in parts], atol=1e-3)
    assert not trainings(recordings.dataset(12, 4), recordings.small())
