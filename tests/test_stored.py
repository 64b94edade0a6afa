"""What a run's JSON holds comes back as it was, and what was damaged is refused in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from gatework._stored import Stored
from gatework.data.dataset import columns_from_state
from gatework.data.series import Scale
from gatework.tasks.forecast.options import ForecastOptions


@dataclass(frozen=True)
class Part(Stored):
    shares: Mapping[str, float]

    def __post_init__(self) -> None:
        if sum(self.shares.values()) > 1:
            raise ValueError("shares of more than the whole")


@dataclass(frozen=True, eq=False)
class Whole(Stored):
    names: tuple[str, ...]
    part: Part
    values: np.ndarray
    other: Part | None = None


WHOLE = Whole(("a", "b"), Part({"a": 0.25, "b": 0.5}), np.array([[0.1, np.nan], [1 / 3, 1e300]]))


def test_what_went_through_json_is_what_it_was() -> None:
    text = json.dumps(WHOLE.state(), allow_nan=False)
    again = Whole.from_state(json.loads(text))
    assert (again.names, again.part, again.other) == (WHOLE.names, WHOLE.part, None)
    np.testing.assert_array_equal(again.values, WHOLE.values)
    assert json.dumps(again.state()) == text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"names": ["a", 1]}, r"Expected `str`, got `int` - at `\$.names\[1\]`"),
        ({"part": {"shares": {"a": 2.0}}}, "shares of more than the whole"),
        ({"values": [[1.0], [1.0, 2.0]]}, "inhomogeneous"),
        ({"values": ["far"]}, "could not convert"),
        ({"part": None}, "Expected `object`, got `null`"),
    ],
)
def test_a_damaged_state_is_refused_in_words(changed: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Whole.from_state({**WHOLE.state(), **changed})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ValueError, match="missing required field `part`"):
        Whole.from_state({name: value for name, value in WHOLE.state().items() if name != "part"})


def test_options_go_through_json_and_are_checked_as_those_of_a_recipe() -> None:
    options = ForecastOptions(horizon=12, networks=3)
    assert ForecastOptions.from_state(json.loads(json.dumps(options.__dict__))) == options
    with pytest.raises(ValueError, match=r"max_origins is None, expected a whole number"):
        ForecastOptions.from_state({"max_origins": None})
    with pytest.raises(ValueError, match=r"horizon is -1, expected"):
        ForecastOptions.from_state({"horizon": -1})


@pytest.mark.parametrize(("mean", "std"), [(1e300, 1.0), (np.nan, 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, np.inf)])
def test_a_scale_is_of_numbers_that_can_be_divided_by(mean: float, std: float) -> None:
    with pytest.raises(ValueError, match="none of the numbers that float32 holds"):
        Scale.from_state({"mean": [mean], "std": [std]})


def test_columns_have_texts_for_names() -> None:
    assert columns_from_state({"inputs": ["a", "b"], "label": "c"}) == {"inputs": ("a", "b"), "label": "c"}
    for damaged in ({"inputs": ["a", 1]}, {"label": None}, ["a"]):
        with pytest.raises(ValueError, match="Expected"):
            columns_from_state(damaged)
