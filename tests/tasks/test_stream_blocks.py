"""Rows that wait together are answered as one after the other."""

import json

import polars as pl
import pytest

import gatework
from gatework.errors import DataError
from support.datasets import opinions, small, waves

POOLINGS = ["last", "mean", "max", "concat", "attention"]


def answered(run, lines, size):
    blocks = (lines[k : k + size] for k in range(0, len(lines), size))
    return [json.loads(line) for block in run.predictor.answer_blocks(blocks) for line in block]


def assert_alike(one, other):
    """Words are the same; a block is summed in another order, which may change a number's last digits."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, dict):
            assert_alike(value, other[name])
        elif isinstance(value, float):
            assert other[name] == pytest.approx(value, rel=1e-4, abs=1e-5)
        else:
            assert other[name] == value


@pytest.fixture(scope="module", params=POOLINGS)
def texts(request, tmp_path_factory):
    recipe = small(epochs=1, pooling=request.param, layers=1)
    return gatework.train("classify", opinions(), out=tmp_path_factory.mktemp("texts") / "run", recipe=recipe)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    dataset, recipe = waves()
    return gatework.train("regress", dataset, out=tmp_path_factory.mktemp("series") / "run", recipe=recipe)


@pytest.fixture(scope="module")
def sensor(tmp_path_factory):
    frame = pl.DataFrame({"time": TIMES[:240], "room": ["a", "b"] * 120, "value": [float(k % 24) for k in range(240)]})
    settings = {"time": "time", "target": "value", "series": "room", "epochs": 1, "hidden": 4, "context": 8}
    return gatework.train("detect", frame, out=tmp_path_factory.mktemp("sensor") / "run", **settings)


TIMES = [f"2024-01-{1 + k // 48:02}T{k // 2 % 24:02}:00:00" for k in range(480)]
WORDS = ["text", "good word1", "nothing known", "", "bad word2 word3 bad", "word4"] * 3
VALUES = ["v", *(f"{0.1 * (k % 7):.2f}" for k in range(20))]
ROWS = ["time,room,value", *(f"{TIMES[240 + k]},{'ab'[k % 2]},{k % 24 + 50 * (k == 30)}" for k in range(60))]


def alike_in_blocks(run, lines):
    single = answered(run, lines, 1)
    for size in (2, 7, len(lines)):
        for one, other in zip(single, answered(run, lines, size), strict=True):
            assert_alike(one, other)


def test_texts_and_every_view_of_them(texts):
    alike_in_blocks(texts, WORDS)


def test_series(series):
    alike_in_blocks(series, VALUES)


def test_several_series_under_watch(sensor):
    alike_in_blocks(sensor, ROWS)
    flagged = [answer["room"] for answer in answered(sensor, ROWS, 100) if answer["is_anomaly"]]
    assert "a" in flagged, "the jump of row 30"


def test_rows_before_a_bad_one_are_answered_first(series, sensor):
    for run, lines, bad in ((series, VALUES, "warm"), (sensor, ROWS, "2024-02-01T00:00:00,a,warm")):
        blocks = run.predictor.answer_blocks([[*lines[:4], bad, *lines[4:]]])
        assert len(next(blocks)) == 3
        with pytest.raises(DataError, match='line 5 is "warm"'):
            next(blocks)
