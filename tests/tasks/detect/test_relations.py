"""Columns that go together: what follows from the others is judged by it, and what does not is left alone."""

import numpy as np
import pytest

from gatework.bench.faulty.machines import MACHINES, faulty_machine
from gatework.tasks.detect.detector import Detector, read_rows
from gatework.tasks.detect.kinds import KINDS
from gatework.tasks.detect.relations import Relation, RelationErrors
from support.sensors import sensor


def rows_of(seed=0, rows=2000):
    """Two columns that go together with noise of deviation 0.3, and one by itself; all of deviation 1."""
    random = np.random.default_rng(seed)
    common, alone, noise = random.normal(size=(3, rows))
    return np.stack([common, np.sqrt(1 - 0.09) * common + 0.3 * noise, alone], axis=1)


def test_an_error_is_that_of_a_regression_on_the_other_columns_in_its_deviations():
    values = rows_of()
    relation = Relation.fit(values)
    errors = RelationErrors(relation, np.zeros(3), np.ones(3)).run(values)
    weights, *_ = np.linalg.lstsq(values[:, [0, 2]], values[:, 1])
    left = values[:, 1] - values[:, [0, 2]] @ weights
    # The shrinkage towards a common variance takes a few percent of the relation away.
    np.testing.assert_allclose(errors[:, 1], np.abs(left) / left.std(), atol=0.3)
    assert not errors[:, 2].any(), "what does not follow from the others is not judged by them"
    assert not Relation.fit(rows_of()[:, [0, 2]]).is_any


def test_a_missing_value_has_no_error_and_the_last_one_stands_for_it_in_the_others():
    values, relation = rows_of(), Relation.fit(rows_of())
    values[50, 0] = np.nan
    filled = values.copy()
    filled[50, 0] = values[49, 0]
    watch, whole = RelationErrors(relation, np.zeros(3), np.ones(3)), RelationErrors(relation, np.zeros(3), np.ones(3))
    errors = np.concatenate([watch.run(values[:50]), watch.run(values[50:])])
    assert np.isnan(errors[50, 0])
    np.testing.assert_allclose(np.delete(errors.ravel(), 150), np.delete(whole.run(filled).ravel(), 150), rtol=1e-12)


def test_a_column_that_stops_following_the_others_is_flagged_by_name(related_run):
    run, frame = related_run, sensor(900, seed=1, variables=2)
    assert run.task.is_related
    values = frame["other"].to_numpy().copy()
    values[700:730] = values[694:724]
    rows = read_rows(frame.with_columns(other=values), run.recipe, run.task).series[0]
    answers = Detector.of(run).answers(rows)
    fault = slice(700, 730)
    assert (answers.scores[fault] > 0.5).any()
    assert "relation" in {KINDS[kind] for kind in answers.kinds[fault] if kind >= 0}
    assert (answers.scores[620:690] > 0.5).mean() < 0.05


@pytest.mark.parametrize("machine", MACHINES)
def test_a_made_machine_follows_from_its_seed_and_has_its_faults_in_one_column_each(machine):
    made, again = faulty_machine(machine, 3), faulty_machine(machine, 3)
    np.testing.assert_array_equal(made.values, again.values)
    assert len(made.faults) == len(made.columns) == 14
    assert Relation.fit((made.values - made.values.mean(axis=0))[: made.learnt] / made.values.std(axis=0)).is_any
    assert all(later.first > fault.last for fault, later in zip(made.faults, made.faults[1:], strict=False))
