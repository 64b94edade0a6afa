"""The weights in an answer's median: what steps that come to pass make of them."""

import dataclasses

import numpy as np
import pytest

from gatework.tasks._blend import NETWORK
from gatework.tasks.forecast.bands import Bands
from gatework.tasks.forecast.metrics import MEDIAN
from gatework.tasks.forecast.shares import ANSWER, Said, Shares

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


def test_weights_follow_the_errors_that_were_known_at_an_origin_and_forget_them_in_twenty_blocks() -> None:
    offers = said(6, network=1.0, AutoETS=-1.2)
    # So far the network was off by 3, AutoETS by 2.5; a step, measured by a width of 4, adds 1 / 4 and 1.2 / 4.
    shares = Shares({NETWORK: 3.0, "AutoETS": 2.5}, 2)
    answers, after = shares.follow(offers, *zeros(6), 0, BLOCK)
    known = np.array([3.0, 2.5])
    for origin in range(6):
        if origin:
            # The step before the origin has come to pass; fading begins with the step behind the last one known.
            known = known * 0.5 ** ((origin > 1) / (20 * BLOCK)) + np.array([1.0, 1.2]) / 4
        share = by_rule(*known) if origin > 2 else 0.5
        np.testing.assert_allclose(answers[ANSWER][origin, 0], share * 1.0 + (1 - share) * -1.2 + GAPS)
        weights = Shares(dict(zip([NETWORK, "AutoETS"], known, strict=True)), 2).weights(origin)
        assert weights.get(NETWORK, 0.5) == pytest.approx(share)
    assert after.errors[NETWORK] / after.errors["AutoETS"] < known[0] / known[1]
    with pytest.raises(ValueError, match="an error of a candidate"):
        Shares.from_state({**after.state(), "errors": {NETWORK: -1.0}})


def test_a_choice_counts_as_much_as_the_errors_of_its_best_and_is_overruled_after_a_horizon_at_the_earliest() -> None:
    offers, (y, times, keys) = said(30, network=4.0, AutoETS=0.0), zeros(30)
    # Thirty-three steps of the network, each off by 1 of a width of 4, and AutoETS twice as far.
    shares = Shares.chosen({NETWORK: 1.0, "AutoETS": 2.0}, offers, y + 5, times - 33, keys, BLOCK)
    assert shares.errors == pytest.approx({NETWORK: 33 / 4, "AutoETS": 66 / 4})
    chosen = {**offers, ANSWER: offers[NETWORK]}
    known = dataclasses.replace(Bands.unknown([ANSWER, NETWORK, "AutoETS"], 1, HORIZON), shares=shares, moment=-1)
    quantiles, after = known.follow(chosen, y, times, keys, -np.inf)
    # After n steps the network's error is 33 / 4 + n, and AutoETS' still 66 / 4.
    share = [by_rule(33 / 4 + n, 66 / 4) if n > BLOCK else 1.0 for n in (0, 10, 11, 20)]
    np.testing.assert_allclose(quantiles[[0, 10, 11, 20], 0, MEDIAN], 4 * np.array(share), atol=0.15)
    assert Bands.from_state(after.state()).shares == after.shares
    assert (
        Shares.chosen({NETWORK: 1.0}, offers, y, times, keys, BLOCK).follow(chosen, y, times, keys, 0, 1)[0] is chosen
    )


def test_a_series_that_a_method_cannot_answer_counts_for_nobody_and_one_never_seen_teaches_nothing() -> None:
    offers = dict(said(2, network=1.0, AutoETS=-1.2))
    offers["AutoETS"][0] = np.nan
    offers[ANSWER][0] = offers[NETWORK][0]
    y, times, _ = zeros(2)
    shares = Shares({NETWORK: 1.0, "AutoETS": 1.0}, -1)
    answers, after = shares.follow(offers, y, times * 0, np.array([0, -1]), 0, BLOCK)
    assert after.errors[NETWORK] == after.errors["AutoETS"] > 1
    np.testing.assert_allclose(answers[ANSWER][0, 0], 1.0 + GAPS)
