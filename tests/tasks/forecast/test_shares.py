"""The weights in an answer's median: what steps that come to pass make of them."""

import numpy as np
import pytest

from gatework.tasks._blend import NETWORK
from gatework.tasks.forecast.bands import Bands
from gatework.tasks.forecast.metrics import MEDIAN
from gatework.tasks.forecast.shares import ANSWER, Said, reweighed

GAPS = np.array([-2.0, -1.3, -0.7, 0.0, 0.7, 1.3, 2.0])
HORIZON, BLOCK = 4, 10


def said(origins: int, **medians: float) -> Said:
    """Quantiles of a constant median by each method; AutoETS and the network in equal shares answer."""
    each = {name: np.tile(median + GAPS, (origins, HORIZON, 1)) for name, median in medians.items()}
    return {ANSWER: (each["AutoETS"] + each[NETWORK]) / 2, **each}


def zeros(origins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A value of 0 at each step of overlapping origins: values, times, keys."""
    return np.zeros((origins, HORIZON)), np.arange(origins), np.zeros(origins, dtype=np.int64)


def by_rule(network: float, other: float) -> float:
    """The share of the network by its error, which counts for 5 % more, and another's."""
    raw = np.array([1.05 * network, other]) ** -8.0
    return float(raw[0] / raw.sum())


def test_weights_follow_the_errors_that_were_known_at_an_origin_and_forget_them_in_ten_blocks() -> None:
    offers = said(6, network=1.0, AutoETS=-1.2)
    # So far the network was off by 3, AutoETS by 2.5; a step, measured by a width of 4, adds 1 / 4 and 1.2 / 4.
    errors = {NETWORK: 3.0, "AutoETS": 2.5}
    answers, after = reweighed(errors, offers, *zeros(6), 0, BLOCK)
    known = np.array([3.0, 2.5])
    for origin in range(6):
        if origin:
            # The step before the origin has come to pass; fading begins with the step behind the last one known.
            known = known * 0.5 ** ((origin > 1) / (10 * BLOCK)) + np.array([1.0, 1.2]) / 4
        share = by_rule(*known)
        np.testing.assert_allclose(answers[ANSWER][origin, 0], share * 1.0 + (1 - share) * -1.2 + GAPS)
    assert after[NETWORK] / after["AutoETS"] < known[0] / known[1]
    untold, same = reweighed(dict.fromkeys(errors, 0.0), said(1, network=1.0, AutoETS=-1.2), *zeros(1), 0, BLOCK)
    np.testing.assert_allclose(untold[ANSWER], np.tile(-0.1 + GAPS, (1, HORIZON, 1)))
    # Of its four steps each adds once.
    assert same[NETWORK] == pytest.approx(sum(0.25 * 0.5 ** (step / 100) for step in range(4)))


def test_who_answers_changes_within_two_horizons_after_a_method_that_was_best_fails() -> None:
    offers, (y, times, keys) = said(30, network=4.0, AutoETS=0.0), zeros(30)
    known = Bands.unknown([ANSWER, NETWORK, "AutoETS"], 1, HORIZON)
    known = known.weighing([NETWORK, "AutoETS"], offers, y + 4, times - 30, keys)
    quantiles, after = known.follow(offers, y, times, keys, -np.inf)
    assert quantiles[0, 0, MEDIAN] == pytest.approx(4.0)
    # The network was right thirty times: as often wrong, it is level.
    assert quantiles[29, 0, MEDIAN] < 2.5
    assert after.errors[NETWORK] > 0.8 * after.errors["AutoETS"]
    again = Bands.from_state(after.state())
    assert again.errors == after.errors
    with pytest.raises(ValueError, match="an error of a candidate"):
        Bands.from_state({**after.state(), "errors": {NETWORK: -1.0}})


def test_a_series_that_a_method_cannot_answer_counts_for_nobody_and_one_never_seen_teaches_nothing() -> None:
    offers = dict(said(2, network=1.0, AutoETS=-1.2))
    offers["AutoETS"][0] = np.nan
    offers[ANSWER][0] = offers[NETWORK][0]
    y, times, keys = zeros(2)
    answers, after = reweighed({NETWORK: 1.0, "AutoETS": 1.0}, offers, y, times * 0, np.array([0, -1]), 0, BLOCK)
    assert after[NETWORK] == after["AutoETS"] > 1
    np.testing.assert_allclose(answers[ANSWER][0, 0], 1.0 + GAPS)
