import numpy as np
import pytest

from gatework.evaluation.verdict import verdict
from gatework.tasks import Sample, get

# A task's metrics are known once it is.
get("classify")


def entry(name, values, ms=1.0, kind="network", metric="test_mse"):
    spread = {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0}
    return {
        "name": name,
        "kind": kind,
        "ms_per_step": ms,
        "seconds": 0.1,
        "metrics": {metric: {**spread, "values": values}},
    }


def rows(*wrong, count=200):
    """One sample per seed, with the answers wrong in the first so many rows."""
    return [Sample.of_rows(np.arange(count) < number) for number in wrong]


def test_one_seed_says_nothing_about_chance():
    found = verdict([entry("rnn", [0.2]), entry("lstm", [0.1])], "test_mse", True, None)
    assert found.headline == "lstm leads the networks, perhaps by chance."
    assert "Whether its lead over rnn is more than chance cannot be told: there is one seed." in found.sentences


def test_with_one_seed_networks_of_one_figure_have_no_lead_over_each_other():
    names = ("lstm", "gru", "rnn")
    level = verdict([entry(name, [0.5]) for name in names], "test_mse", True, None)
    assert level.headline == "lstm, gru and rnn do equally well."
    assert "Whether one of them is better cannot be told: there is one seed." in level.sentences
    ahead = verdict([entry(name, [0.6 if name == "rnn" else 0.5]) for name in names], "test_mse", True, None)
    assert ahead.headline == "lstm and gru lead the networks, perhaps by chance."
    assert "Whether their lead over rnn is more than chance cannot be told: there is one seed." in ahead.sentences


def test_a_clear_winner_is_called_clear_and_its_cost_is_named():
    entries = [entry("rnn", [0.20, 0.21, 0.19]), entry("lstm", [0.10, 0.11, 0.105], ms=3.0)]
    found = verdict(entries, "test_mse", True, None)
    assert found.headline == "lstm is the best of the networks."
    assert found.sentences[0] == "lstm has the lowest test MSE of the networks: 0.105 ± 0.005 over 3 seeds."
    text = str(found)
    assert "It is clearly better than rnn (by 0.095; 95 % interval" in text
    assert "A training step of lstm takes 3.0 × as long as one of rnn." in text


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0.9, "lstm is the fastest to train."),
        (0.97, ""),
        (1.04, ""),
        (1.1, "A training step of lstm takes 1.1 × as long as one of rnn."),
    ],
)
def test_the_cost_is_named_where_it_differs_by_more_than_a_twentieth(ms, said):
    entries = [entry("rnn", [0.20, 0.21]), entry("lstm", [0.10, 0.11], ms=ms), entry("gru", [0.3, 0.31], ms=2.0)]
    text = str(verdict(entries, "test_mse", True, None))
    assert said in text
    assert ("to train" in text) + ("training step" in text) == bool(said)


def test_an_overlap_is_called_not_distinguishable():
    entries = [entry("rnn", [0.20, 0.10, 0.15]), entry("lstm", [0.14, 0.18, 0.12])]
    text = str(verdict(entries, "test_mse", True, None))
    assert text.startswith("lstm and rnn are level.")
    assert "It is level with rnn (a difference of 0.0033 may be chance; 95 % interval" in text
    assert "Chance is that of the seeds alone." in text
    assert "clearly" not in text


def test_a_baseline_that_wins_is_said_plainly():
    entries = [
        entry("lstm", [0.86, 0.85], metric="test_accuracy"),
        entry("TF-IDF", [0.9], kind="baseline", metric="test_accuracy"),
    ]
    samples = {"lstm": rows(28, 30), "TF-IDF": rows(20)}
    found = verdict(entries, "test_accuracy", False, None, samples=samples)
    assert found.headline == 'The simple method "TF-IDF" is better than lstm.'
    assert 'No network beats the best simple method, "TF-IDF" (0.900' in str(found)
    assert found.behind["TF-IDF"].high < 0


def test_a_lead_of_two_rows_is_level():
    # What a newcomer was once told was clear: two of 170 rows, with both seeds alike.
    accuracy = {"gru": 161 / 170, "lstm": 161 / 170, "rnn": 159 / 170, "TF-IDF": 161 / 170}
    entries = [
        entry(name, [value] * (1 if name == "TF-IDF" else 2), metric="test_accuracy")
        | ({"kind": "baseline"} if name == "TF-IDF" else {})
        for name, value in accuracy.items()
    ]
    samples = {name: rows(*[round(170 * (1 - value))] * 2, count=170) for name, value in accuracy.items()}
    found = verdict(entries, "test_accuracy", False, None, samples=samples)
    assert found.headline == 'gru, lstm and rnn are level; the simple method "TF-IDF" does as well.'
    assert found.sentences[0] == "gru and lstm have the highest test accuracy of the networks: 0.947 ± 0 over 2 seeds."
    assert "lstm (no test example tells them apart)" in found.sentences[1]
    assert "rnn (a difference of 0.012 may be chance; 95 % interval -0.011 to 0.035)" in found.sentences[1]
    assert "clearly" not in str(found)


def test_by_how_much_a_baseline_wins_is_said_and_what_a_task_adds_comes_last():
    entries = [entry("lstm", [0.3, 0.3]), entry("naive", [0.2], kind="baseline")]
    errors = {"lstm": 0.3, "naive": 0.2}
    samples = {name: [Sample.of_rows(error + 0.01 * np.sin(np.arange(100)))] * 2 for name, error in errors.items()}
    found = verdict(entries, "test_mse", True, None, "Its intervals hold.", samples)
    assert found.sentences[0].startswith("lstm comes to a test MSE of 0.3")
    assert str(found).endswith("The error of lstm is 50 % higher. Its intervals hold.")


def test_networks_that_beat_it_or_are_level_or_behind_are_told_apart():
    entries = [
        entry("rnn", [0.3, 0.1]),
        entry("lstm", [0.1, 0.11]),
        entry("gru", [0.4, 0.41]),
        entry("mean", [0.2], kind="baseline"),
    ]
    found = verdict(entries, "test_mse", True, None)
    assert found.headline == "lstm and rnn are level, ahead of the other networks; lstm beats every simple method."
    assert 'lstm beats the best simple method, "mean" (0.2,' in str(found)
    assert "; rnn is level with it; gru is behind it." in str(found)


def test_a_target_in_the_input_is_called_solved_by_copying():
    entries = [entry("lstm", [1e-5]), entry("last value", [0.0], kind="baseline")]
    text = str(verdict(entries, "test_mse", True, "last value"))
    assert text.startswith('The baseline "last value" solves this task exactly (test MSE 0).')
    assert "no figure here shows that a network can predict" in text
