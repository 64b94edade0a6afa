import math

import numpy as np
import pytest
from scipy import stats

from gatework.evaluation.verdict import difference, verdict


def entry(name, values, ms=1.0, kind="network", metric="test_mse"):
    spread = {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0}
    return {
        "name": name,
        "kind": kind,
        "ms_per_step": ms,
        "seconds": 0.1,
        "metrics": {metric: {**spread, "values": values}},
    }


def test_the_interval_is_welchs_and_holds_its_level():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        a, b = random.normal(1.0, 0.2, 5), random.normal(0.0, 1.0, 4)
        gap, low, high = difference(list(a), list(b))
        assert gap == pytest.approx(a.mean() - b.mean())
        assert (low > 0 or high < 0) == (stats.ttest_ind(a, b, equal_var=False).pvalue < 0.05)
        held += low <= 1.0 <= high
    # 95 % of 400 is 380; five standard deviations of that count are 22.
    assert held > 380 - 22


def test_one_seed_says_nothing_about_chance():
    assert difference([1.0], [2.0]) == (-1.0, -math.inf, math.inf)
    text = verdict([entry("rnn", [0.2]), entry("lstm", [0.1])], "test_mse", True, None)
    assert "One seed cannot say whether its lead over rnn is more than chance" in text


def test_a_clear_winner_is_called_clear_and_its_cost_is_named():
    entries = [entry("rnn", [0.20, 0.21, 0.19]), entry("lstm", [0.10, 0.11, 0.105], ms=3.0)]
    text = verdict(entries, "test_mse", True, None)
    assert text.startswith("lstm has the lowest test MSE of the networks: 0.105 ± 0.005 over 3 seeds.")
    assert "It is clearly better than rnn (by 0.095; 95 % interval" in text
    assert "A training step takes 3.0 × as long as with rnn." in text


def test_an_overlap_is_called_not_distinguishable():
    entries = [entry("rnn", [0.20, 0.10, 0.15]), entry("lstm", [0.14, 0.18, 0.12])]
    text = verdict(entries, "test_mse", True, None)
    assert "The spread over seeds does not tell it from rnn" in text
    assert "clearly" not in text


def test_a_baseline_that_wins_is_said_plainly():
    entries = [
        entry("lstm", [0.86, 0.85], metric="test_accuracy"),
        entry("TF-IDF", [0.9], kind="baseline", metric="test_accuracy"),
    ]
    text = verdict(entries, "test_accuracy", False, None)
    assert 'No network beats the best simple method, "TF-IDF" (0.900' in text


def test_by_how_much_a_baseline_wins_is_said_and_what_a_task_adds_comes_last():
    entries = [entry("lstm", [0.3, 0.3]), entry("naive", [0.2], kind="baseline")]
    text = verdict(entries, "test_mse", True, None, "Its intervals hold.")
    assert text.startswith("lstm comes to a test MSE of 0.3")
    assert text.endswith("The error of lstm is 50 % higher. Its intervals hold.")


def test_networks_that_beat_it_with_some_or_all_seeds_are_told_apart():
    entries = [
        entry("rnn", [0.3, 0.1]),
        entry("lstm", [0.1, 0.11]),
        entry("gru", [0.3, 0.4]),
        entry("mean", [0.2], kind="baseline"),
    ]
    text = verdict(entries, "test_mse", True, None)
    assert "lstm beats the best simple method" in text
    assert "rnn only with some seeds" in text
    assert "gru with none" in text


def test_a_target_in_the_input_is_called_solved_by_copying():
    entries = [entry("lstm", [1e-5]), entry("last value", [0.0], kind="baseline")]
    text = verdict(entries, "test_mse", True, "last value")
    assert '"last value" solves this task exactly' in text
    assert "no figure here shows that a network can predict" in text
