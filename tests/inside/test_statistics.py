import math

import numpy as np
import pytest
import torch

from gatework import cells
from gatework.errors import UsageError
from gatework.inside import Trace, half_lives, inside_quotes, rank_units, saturation, trace
from gatework.inside._equations import logistic_gates, retention_gates
from gatework.nn import GRU, LSTM, RNN


def lstm_with(forget: np.ndarray, lengths: list[int]) -> Trace:
    """A trace of an LSTM whose forget gates are given, shape (time, batch, units); the other values are 0.5."""
    values = {name: np.full((1, 1, *forget.shape), 0.5) for name in ("i", "g", "o", "c", "h")}
    return Trace(cells.get("lstm"), values | {"f": forget[np.newaxis, np.newaxis]}, np.array(lengths))


def test_gates_and_what_they_keep_are_read_from_the_equations():
    assert logistic_gates(cells.get("lstm")) == ("i", "f", "o")
    assert logistic_gates(cells.get("gru")) == ("r", "z")
    assert logistic_gates(cells.get("rnn")) == ()
    assert retention_gates(cells.get("lstm")) == {"c": "f"}
    assert retention_gates(cells.get("gru")) == {"h": "z"}
    assert retention_gates(cells.get("rnn_relu")) == {}


def test_saturation_is_the_share_of_steps_within_the_sequences():
    forget = np.array([[[0.05, 0.95], [0.95, 0.5]], [[0.05, 0.95], [0.0, 0.0]]])
    table = saturation(lstm_with(forget, [2, 1]))
    own = {row["unit"]: row for row in table.filter(table["gate"] == "f").iter_rows(named=True)}
    assert (own[0]["closed"], own[0]["open"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (own[1]["closed"], own[1]["open"]) == (0.0, pytest.approx(2 / 3))


def test_a_memory_that_keeps_nine_tenths_a_step_is_halved_after_six_and_a_half():
    forget = np.stack([np.full((5, 1), 0.9), np.ones((5, 1)), np.zeros((5, 1))], axis=-1)
    table = half_lives(lstm_with(forget, [5]))
    assert table["unit"].to_list() == [1, 0, 2]
    assert table["half_life"].to_list() == [math.inf, pytest.approx(math.log(0.5) / math.log(0.9)), 0.0]
    assert table["kept"].to_list() == [1.0, pytest.approx(0.9), 0.0]


def test_a_half_life_may_be_taken_over_some_steps_alone():
    forget = np.full((4, 2, 1), 0.5)
    forget[1, 0] = forget[3, 1] = 0.0  # one step of each sequence at which the memory is written anew
    found = lstm_with(forget, [4, 4])
    assert half_lives(found)["half_life"].to_list() == [0.0]
    assert half_lives(found, among=forget[..., 0] > 0)["half_life"].to_list() == [pytest.approx(1.0)]
    with pytest.raises(UsageError, match="no step over which"):
        half_lives(found, among=np.zeros((4, 2), dtype=bool))


def test_a_half_life_is_how_long_a_real_cell_takes_to_forget_half():
    layer = LSTM(1, 1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.bias_ih_l0[1] = 2.0
        layer.bias_ih_l0[0] = -50.0
    found = trace(layer, torch.zeros(40, 1, 1), hx=(torch.zeros(1, 1, 1), torch.ones(1, 1, 1)))
    half = half_lives(found)["half_life"][0]
    stored = found["c"][0, 0, :, 0, 0]
    np.testing.assert_allclose(stored, 0.5 ** (np.arange(1, 41) / half), rtol=1e-5)


def test_a_vanilla_network_has_neither_saturation_nor_half_life():
    found = trace(RNN(2, 2), torch.zeros(3, 1, 2))
    with pytest.raises(UsageError, match="no gate that closes"):
        saturation(found)
    with pytest.raises(UsageError, match="no half-life"):
        half_lives(found)


def test_the_unit_that_knows_the_class_is_ranked_first():
    random = np.random.default_rng(0)
    state = random.normal(size=(1, 1, 6, 40, 5))
    classes = np.array(["bad", "good"] * 20)
    lengths = random.integers(2, 7, 40)
    state[0, 0, lengths - 1, np.arange(40), 3] = np.where(classes == "bad", 1.0, -1.0)
    table = rank_units(Trace(cells.get("gru"), {"h": state}, lengths), classes)
    assert table.row(0, named=True) == {"layer": 0, "direction": "forward", "unit": 3, "score": 1.0, "sign": -1}
    assert table["score"][1] < 0.9


def test_units_are_ranked_by_what_they_follow_step_by_step():
    random = np.random.default_rng(1)
    state = random.normal(size=(1, 1, 9, 30, 4))
    series = random.normal(size=(30, 9))
    lengths = np.full(30, 9)
    lengths[::2] = 5
    state[0, 0, :, :, 1] = -(np.arange(9)[:, np.newaxis] ** 3)
    state[0, 0, :, :, 2] = np.diff(series, axis=1, prepend=series[:, :1]).T > 0
    found = Trace(cells.get("gru"), {"h": state}, lengths)
    position = rank_units(found, "position").row(0, named=True)
    assert (position["unit"], position["score"], position["sign"]) == (1, pytest.approx(1.0), -1)
    slope = rank_units(found, "slope", inputs=series).row(0, named=True)
    assert (slope["unit"], slope["score"], slope["sign"]) == (2, 1.0, 1)


def test_many_classes_are_told_apart_by_the_variance_between_them():
    state = np.zeros((1, 1, 1, 6, 2))
    state[0, 0, 0, :, 0] = [5, 5, -1, -1, 2, 2]
    state[0, 0, 0, :, 1] = [1, -1, 1, -1, 1, -1]
    found = Trace(cells.get("gru"), {"h": state}, np.ones(6, dtype=np.int64))
    assert rank_units(found, list("aabbcc"))["score"].to_list() == [pytest.approx(1.0), pytest.approx(0.0)]


def test_quotation_marks_say_which_tokens_stand_inside():
    assert inside_quotes('He said "never mind" twice.').tolist() == [False, False, True, True, False]
    assert inside_quotes("“Ja”, sagte «er»").tolist() == [True, False, True]
    assert inside_quotes("").tolist() == []


def test_what_cannot_be_followed_is_refused():
    found = trace(GRU(1, 2), torch.randn(4, 3, 1), lengths=[4, 2, 3])
    for what, says in [
        ("colour", '"position" or "slope"'),
        ([1, 2], "3 values, one per sequence"),
        ([1, 1, 1], "never changes"),
        ([np.arange(4), np.arange(4), np.arange(3)], "one value for each"),
        ("slope", "give the series"),
    ]:
        with pytest.raises(UsageError, match=says):
            rank_units(found, what)
