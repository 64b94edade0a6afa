"""How much of a difference may be chance: of the seeds, and of the test examples."""

import math

import numpy as np
import pytest
from scipy import stats

from gatework.evaluation.difference import Difference, Results, difference
from gatework.tasks import Sample


def test_without_examples_the_interval_is_welchs_and_holds_its_level():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        a, b = random.normal(1.0, 0.2, 5), random.normal(0.0, 1.0, 4)
        gap = difference(Results(a), Results(b))
        expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
        assert (gap.gap, gap.low, gap.high) == pytest.approx((a.mean() - b.mean(), expected.low, expected.high))
        held += gap.low <= 1.0 <= gap.high
    # 95 % of 400 is 380; five standard deviations of that count are 22.
    assert held > 380 - 22


def right(count: int, rows: int, wrong_at: int = 0) -> Sample:
    """A sample with so many right answers, the wrong ones from a row on."""
    losses = np.zeros(rows)
    losses[wrong_at : wrong_at + rows - count] = 1
    return Sample.of_rows(losses)


def accuracy(*samples: Sample) -> Results:
    return Results([1 - float(s.losses.mean()) for s in samples], samples)


def test_two_of_170_rows_are_no_difference():
    # Both seeds agree, so that the spread over seeds alone would be zero.
    a, b = right(161, 170), right(159, 170)
    gap = difference(accuracy(a, a), accuracy(b, b))
    assert gap.gap == pytest.approx(2 / 170)
    assert not gap.is_clear
    assert gap.high - gap.low > 0.02


@pytest.mark.parametrize("wins", range(2, 30))
@pytest.mark.parametrize("losses", [0, 3])
def test_right_and_wrong_answers_are_judged_as_by_mcnemar(wins: int, losses: int):
    rows = 500
    ours, theirs = np.zeros(rows), np.zeros(rows)
    theirs[:wins], ours[100 : 100 + losses] = 1, 1
    gap = difference(accuracy(Sample.of_rows(ours)), accuracy(Sample.of_rows(theirs)), is_these_runs=True)
    chance = stats.binomtest(wins, wins + losses).pvalue
    # The t interval and the exact test agree but for a narrow band about the level.
    if chance > 0.1:
        assert not gap.is_clear
    if chance < 0.01:
        assert gap.is_clear


def test_the_interval_over_examples_holds_its_level():
    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        hard = random.normal(size=200)
        a, b = (Sample.of_rows(hard + random.normal(shift, 1, 200)) for shift in (0.3, 0.0))
        gap = difference(
            *(Results([float(s.losses.mean())], [s], is_seeded=False) for s in (a, b)),
        )
        held += gap.low <= 0.3 <= gap.high
    assert held > 380 - 22


def test_examples_that_err_together_count_as_one_observation():
    random = np.random.default_rng(2)
    blocks = np.repeat(np.arange(12), 50)
    losses = 1 + 0.5 * random.normal(size=12)[blocks]
    alone, grouped = (Sample(losses, np.full(600, 1 / 600), groups) for groups in (np.arange(600), blocks))
    zero = Sample(np.ones(600), np.full(600, 1 / 600), blocks)
    widths = []
    for sample in (alone, grouped):
        gap = difference(
            Results([float(losses.mean())], [sample], is_seeded=False), Results([1.0], [zero], is_seeded=False)
        )
        widths.append(gap.high - gap.low)
    # Fifty alike are worth one: the interval is some seven times as wide.
    assert widths[1] > 6 * widths[0]


def test_the_variance_over_examples_is_that_of_its_formula():
    random = np.random.default_rng(0)
    ours, theirs = random.exponential(size=12), random.exponential(size=12)
    blocks = np.repeat(np.arange(4), [2, 3, 3, 4])
    weights = np.full(12, 1 / 12)
    a, b = (Sample(losses, weights, blocks) for losses in (ours, theirs))
    gap = difference(Results([ours.mean()], [a]), Results([theirs.mean()], [b]), is_these_runs=True)
    added = np.array([(ours - theirs)[blocks == group].sum() / 12 for group in range(4)])
    rest = added - np.array([2, 3, 3, 4]) / 12 * added.sum()
    variance = 4 / 3 * (rest**2).sum() + 2 * (added**2).mean()
    assert gap.gap == pytest.approx(added.sum())
    assert gap.high - gap.gap == pytest.approx(stats.t(3).ppf(0.975) * math.sqrt(variance))


def test_one_stretch_of_time_says_nothing_of_chance():
    samples = [Sample(np.full(28, loss), np.full(28, 1 / 28), np.zeros(28, np.int64)) for loss in (1.0, 2.0)]
    gap = difference(Results([1.0, 1.0], [samples[0]] * 2), Results([2.0, 2.0], [samples[1]] * 2))
    assert not gap.is_known
    assert not gap.is_clear


def test_no_interval_has_width_zero_unless_the_answers_are_the_same():
    constant = [Sample.of_rows(np.full(5, loss)) for loss in (1.0, 2.0)]
    gap = difference(Results([2.0, 2.0], [constant[1]] * 2), Results([1.0, 1.0], [constant[0]] * 2))
    assert gap.low < 1 < gap.high
    assert not difference(Results([2.0, 2.0]), Results([1.0, 1.0])).is_known
    same = difference(Results([1.0, 1.0], [constant[0]] * 2), Results([1.0, 1.0], [constant[0]] * 2))
    assert same == Difference(0.0, 0.0, 0.0)
    assert not same.is_clear


def test_one_seed_says_nothing_about_other_seeds():
    gap = difference(Results([1.0]), Results([2.0]))
    assert gap == Difference(-1.0, -math.inf, math.inf)
    assert Difference.from_state(gap.state()) == gap


def test_equal_seeds_raise_no_warning(recwarn: pytest.WarningsRecorder):
    difference(Results([0.9, 0.9, 0.9]), Results([0.8, 0.8, 0.80000001]))
    assert not recwarn.list
