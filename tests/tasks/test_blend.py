"""What answers in a run: which candidates, by which weights."""

import math

import pytest

from gatework.cli._show import answer_lines
from gatework.tasks._blend import MEAN, NETWORK, Blend, chosen


def test_candidates_that_err_alike_share_the_answer_and_those_far_behind_have_no_part() -> None:
    blend = chosen({NETWORK: 1.0, "naive": 1.05, "drift": 1.4}, lambda weights: 0.9)
    # The network's error counts for 5 % more, so that the two are equal.
    assert blend.weights == pytest.approx({NETWORK: 0.5, "naive": 0.5})
    assert list(blend.validation) == [MEAN, NETWORK, "naive", "drift"]
    assert blend.validation[NETWORK] == 1.0
    assert not blend.is_network


def test_weights_fall_with_the_eighth_power_of_the_error() -> None:
    blend = chosen({"naive": 1.0, "drift": 1.2}, lambda weights: 0.9)
    assert blend.weights["naive"] / blend.weights["drift"] == pytest.approx(1.2**8)
    assert list(blend.weights) == ["naive", "drift"]
    assert blend.name == "0.81 naive + 0.19 drift"


@pytest.mark.parametrize(
    "weights", [(0.335, 0.335, 0.33), (1 / 3, 1 / 3, 1 / 3), (0.505, 0.495), (0.985, 0.005, 0.005, 0.005)]
)
def test_the_weights_that_are_shown_sum_to_one_and_none_is_a_hundredth_off(weights: tuple[float, ...]) -> None:
    blend = Blend({f"m{k}": weight for k, weight in enumerate(weights)}, {})
    shown = [float(part.split()[0]) for part in blend.name.split(" + ")]
    assert round(sum(shown), 9) == 1 == sum(blend.percents.values()) / 100
    assert all(abs(one - weight) < 0.01 for one, weight in zip(shown, weights, strict=True))


@pytest.mark.parametrize("error_of_mean", [1.2, math.nan])
def test_one_candidate_answers_alone_where_the_mean_is_clearly_worse(error_of_mean: float) -> None:
    blend = chosen({NETWORK: 1.0, "naive": 1.1}, lambda weights: error_of_mean)
    assert blend.weights == {NETWORK: 1.0}
    assert blend.is_network
    assert blend.name == NETWORK


def test_a_candidate_without_error_or_without_a_number_is_no_trouble() -> None:
    assert chosen({NETWORK: 0.3, "naive": 0.0, "drift": 0.0}, lambda weights: 0.0).weights == {"naive": 1.0}
    assert chosen({NETWORK: 0.3, "naive": math.nan, "drift": math.inf}, lambda weights: 0.0).weights == {NETWORK: 1.0}


def test_the_network_answers_where_no_candidate_has_an_error() -> None:
    # As where no series changes in a way that errors could be measured by.
    assert chosen({NETWORK: math.nan, "naive": math.inf}, lambda _: 0.0) == Blend({NETWORK: 1.0}, {})


def test_a_kept_blend_is_checked() -> None:
    blend = chosen({NETWORK: 1.0, "naive": 1.05}, lambda weights: 0.9)
    assert Blend.from_state(blend.state()) == blend
    with pytest.raises(ValueError, match="not shares"):
        Blend.from_state({"weights": {NETWORK: 0.4, "naive": 0.4}, "validation": {}})


@pytest.mark.parametrize(
    ("errors", "error_of_mean", "words"),
    [
        ({NETWORK: 1.0, "naive": 1.01}, 0.9, ""),
        ({NETWORK: 1.0, "naive": 1.01}, 1.08, "a mean is preferred where one alone is hardly better"),
        ({NETWORK: 1.0, "naive": 1.02}, 2.0, "the error of the network counts for 5 % more"),
        ({NETWORK: 1.0, "naive": 1.2}, 2.0, ""),
        ({}, 1.0, ""),
    ],
)
def test_it_is_said_why_the_least_error_does_not_answer(errors, error_of_mean, words):
    preference = chosen(errors, lambda weights: error_of_mean).preference
    assert preference.startswith(words)
    assert bool(preference) == bool(words)


def test_what_the_errors_are_is_said_with_them(capsys) -> None:
    answer_lines(chosen({NETWORK: 0.8, "naive": 0.7}, lambda _: 0.6, "MASE"))
    assert "chosen on the validation part, by MASE: weighted mean 0.6" in " ".join(capsys.readouterr().out.split())
