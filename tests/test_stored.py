"""What a run's JSON holds comes back as it was, and what was damaged is refused in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from gatework._stored import Stored


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
