"""The NAB score, by arithmetic done by hand, by the benchmark's published rows, and by a plain count of every case."""

import json
import math
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatework.bench import nab
from gatework.bench.nab import Scored
from gatework.tasks.detect.baselines import windowed_gaussian

# From results/windowedGaussian of numenta/NAB, version 1.1: the sum of weights of each file at the
# detector's published threshold of 1.
WINDOWED_GAUSSIAN = {
    "artificialWithAnomaly/art_load_balancer_spikes.csv": -0.692444609523,
    "realKnownCause/rogue_agent_key_updown.csv": -1.3964908955,
    "realKnownCause/ec2_request_latency_system_failure.csv": 2.02150685678,
    "realKnownCause/rogue_agent_key_hold.csv": -2.44,
    "realKnownCause/cpu_utilization_asg_misconfiguration.csv": -1.11,
    "realKnownCause/nyc_taxi.csv": -5.0,
    "realKnownCause/ambient_temperature_system_failure.csv": -2.0,
    "realKnownCause/machine_temperature_system_failure.csv": -4.0,
    "artificialWithAnomaly/art_daily_jumpsup.csv": -1.0,
}


def sigma(place):
    return 2 / (1 + math.exp(5 * place)) - 1


def flagged(rows, *at):
    scores = np.zeros(rows)
    scores[list(at)] = 1.0
    return scores


def test_a_flag_on_the_first_row_of_a_window_is_worth_a_whole_point():
    found = nab.score({"a": Scored(flagged(1000, 500), [(500, 599)])})
    assert found.sums["a"] == pytest.approx(1.0)
    assert found.score == pytest.approx(100.0)


def test_a_later_flag_is_worth_less_by_the_scaled_sigmoid():
    found = nab.score({"a": Scored(flagged(1000, 549), [(500, 599)])})
    # Row 549 is 51 rows from the end, counted inclusively, of a window of 100.
    assert found.sums["a"] == pytest.approx(sigma(-0.51) / sigma(-1))


def test_the_best_of_several_flags_in_a_window_counts_once():
    found = nab.score({"a": Scored(flagged(1000, 520, 510, 598), [(500, 599)])})
    assert found.sums["a"] == pytest.approx(sigma(-0.90) / sigma(-1))


def test_a_false_flag_costs_little_just_after_a_window_and_the_full_weight_before_any():
    windows = [(500, 599)]
    after = nab.score_at({"a": Scored(flagged(1000, 500, 609), windows)}, 0.5)
    before = nab.score_at({"a": Scored(flagged(1000, 400, 500), windows)}, 0.5)
    far = nab.score_at({"a": Scored(flagged(1000, 500, 999), windows)}, 0.5)
    assert after.sums["a"] == pytest.approx(1 + 0.11 * sigma(10 / 99))
    assert before.sums["a"] == pytest.approx(1 - 0.11)
    assert far.sums["a"] == pytest.approx(1 - 0.11)


def test_rows_of_the_probation_count_neither_way():
    assert nab.probation(1000) == 150
    assert nab.probation(22695) == 750
    assert nab.probation(1882) == 282
    found = nab.score_at({"a": Scored(flagged(1000, 10, 149, 500), [(500, 599)])}, 0.5)
    assert found.sums["a"] == pytest.approx(1.0)


def test_a_detector_that_never_flags_scores_0():
    found = nab.score({"a": Scored(np.full(1000, 0.5), [(500, 599)]), "b": Scored(np.full(400, 0.5), [])})
    assert found.score == 0
    assert found.threshold == math.inf


@settings(max_examples=60)
@given(data=st.data())
def test_the_best_threshold_is_the_best_of_all_that_could_be_tried(data):
    corpus = {}
    for name in "abc":
        rows = data.draw(st.integers(20, 60))
        scores = np.array(data.draw(st.lists(st.integers(0, 8), min_size=rows, max_size=rows))) / 8
        first = data.draw(st.integers(1, rows // 2))
        last = data.draw(st.integers(first + 1, rows - 1))
        corpus[name] = Scored(scores, [(first, last)] if data.draw(st.booleans()) else [])
    if not any(series.windows for series in corpus.values()):
        return
    tried = [nab.score_at(corpus, threshold).score for threshold in [*(np.arange(9) / 8), math.inf]]
    assert nab.score(corpus).score == pytest.approx(max(tried))


def series(name):
    root = Path(os.environ.get("GATEWORK_DATA", "")) / "anomaly" / "nab"
    if not os.environ.get("GATEWORK_DATA") or not root.is_dir():
        pytest.skip("GATEWORK_DATA holds no anomaly/nab")
    table = pl.read_csv(root / "data" / name)
    rows = {stamp: row for row, stamp in reversed(list(enumerate(table["timestamp"].str.slice(0, 19))))}
    windows = json.loads((root / "labels" / "combined_windows.json").read_text())[name]
    return table["value"].to_numpy().astype(float), [(rows[a[:19]], rows[b[:19]]) for a, b in windows]


@pytest.mark.data
@pytest.mark.parametrize("name", WINDOWED_GAUSSIAN)
def test_the_windowed_gaussian_row_is_the_published_one(name):
    values, windows = series(name)
    # The published scores were written with 12 digits, so those a hair below 1 count as 1.
    found = nab.score_at({name: Scored(windowed_gaussian(values).round(12), windows)}, 1.0)
    assert found.sums[name] == pytest.approx(WINDOWED_GAUSSIAN[name], abs=1e-9)
