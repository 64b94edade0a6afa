"""The registry of metrics: titles, directions, and what is not known."""

import pytest

from gatework import tasks
from gatework.errors import UsageError
from gatework.tasks import METRICS, Metric, get_metric, metric_title, register_metrics


@pytest.fixture(autouse=True)
def _every_task_is_loaded():
    assert all(tasks.REGISTRY.values())


@pytest.mark.parametrize(
    ("name", "title", "short"),
    [
        ("mse", "MSE", "MSE"),
        ("test_mse", "test MSE", "test MSE"),
        ("validation_macro_f1", "validation macro F1", "validation macro F1"),
        ("test_coverage_80", "test coverage of the 80 % interval", "test 80 % coverage"),
        ("test", "test", "test"),
        ("test_bleu_of_mine", "test bleu of mine", "test bleu of mine"),
    ],
)
def test_a_metric_has_one_title_and_a_short_one_for_narrow_columns(name, title, short):
    assert metric_title(name) == title
    assert metric_title(name, is_short=True) == short


def test_every_task_shows_registered_metrics_and_decides_by_one_with_its_direction():
    for task in tasks.REGISTRY.values():
        assert task.shown
        assert task.metric in task.shown
        assert set(task.shown) <= METRICS.keys()
        assert METRICS[task.metric].lower_is_better is task.lower_is_better


def test_values_are_ordered_by_direction_or_by_distance_from_what_was_promised():
    values = [0.7, 0.82, 0.95]
    assert min(values, key=get_metric("mse").badness) == 0.7
    assert min(values, key=get_metric("accuracy").badness) == 0.95
    assert min(values, key=get_metric("coverage_80").badness) == 0.82
    assert {get_metric("nobody_knows").badness(value) for value in values} == {0.0}


def test_a_name_means_one_metric():
    register_metrics(METRICS["mse"])
    with pytest.raises(UsageError, match=r'there is another metric "mse" already \(MSE\)'):
        register_metrics(Metric("mse", "mean stellar energy", lower_is_better=False))
    assert metric_title("mse") == "MSE"
