import numpy as np
import pytest

from gatework import tasks
from gatework.tasks.generate.counting import Counted, best_weight, mixed
from gatework.tasks.generate.metrics import answers_of
from support.texts import dataset, small


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    made = dataset(tmp_path_factory.mktemp("counting"), characters=4000)
    task = tasks.get("generate").fit(made, small().data)
    return task, [task.encode(part) for part in (made.train, made.validation, made.test)]


def test_the_order_is_the_one_that_does_best_on_the_validation_part(parts):
    task, (train, validation, _) = parts
    chosen = Counted.fit(train, validation, "char", len(task.tokens))
    others = [Counted(type(chosen.model).fit([train.ring[1:-1]], order, len(task.tokens))) for order in (4, 5, 6, 7, 8)]
    best = min(others, key=lambda one: np.nansum(one.nats(validation)))
    assert chosen.model.order == best.model.order
    np.testing.assert_allclose(chosen.nats(validation), best.nats(validation))


def test_every_token_that_is_to_be_predicted_is_scored_and_no_other(parts):
    task, (train, validation, test) = parts
    nats = Counted.fit(train, validation, "char", len(task.tokens)).nats(test)
    wanted = np.zeros(len(test.ring), bool)
    for start, end in zip(test.starts, test.ends, strict=True):
        wanted[start:end] = True
    assert (np.isfinite(nats) == wanted).all()
    assert answers_of(nats, test)["nats"].sum() == pytest.approx(np.nansum(nats))


def test_a_mean_of_probabilities_is_what_it_says_and_its_weight_is_the_best_in_hundredths():
    random = np.random.default_rng(0)
    first, second = (-np.log(random.uniform(0.05, 1, 300)) for _ in range(2))
    np.testing.assert_allclose(np.exp(-mixed(first, second, 0.3)), 0.3 * np.exp(-first) + 0.7 * np.exp(-second))
    weight = best_weight(first, second)
    sums = [mixed(first, second, w / 100).sum() for w in range(101)]
    assert round(100 * weight) == int(np.argmin(sums))
    np.testing.assert_allclose(mixed(first, second, 0.0), second)


def test_a_mean_leaves_out_what_is_not_known():
    assert best_weight(np.array([1.0, np.nan, 1.0]), np.array([2.0, 2.0, np.nan])) == 1.0
