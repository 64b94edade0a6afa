"""Dataclasses that the JSON files of a run hold: one way there and one way back, checked against their fields' types.

The types of the fields must be there at run time: imported outside `TYPE_CHECKING`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import msgspec
import numpy as np


class Stored:
    """A dataclass whose fields are numbers, texts, containers, arrays of numbers and further dataclasses of such.

    What its fields must fulfil together is checked where it is made, in `__post_init__`.
    """

    def state(self) -> dict[str, Any]:
        """The fields by name, as values that JSON can hold; of an array nested lists, with None where it has NaN."""
        state: dict[str, Any] = msgspec.to_builtins(self, enc_hook=_listed)
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The one whose `state()` this is.

        Raises:
            ValueError: A field is missing, is of another type, or does not fit the others.
        """
        made: Self = converted(state, cls)
        return made


def converted(value: Any, kind: Any) -> Any:
    """A value that JSON held as one of a type, such as `tuple[str, ...]` or a dataclass.

    Raises:
        ValueError: It is of another type.
    """
    try:
        return msgspec.convert(value, kind, dec_hook=_made)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def _listed(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"JSON holds no {type(value).__name__}")
    missing = np.isnan(value)
    if not missing.any():
        return value.tolist()
    holed = value.astype(object)
    holed[missing] = None
    return holed.tolist()


def _made(_: Any, value: Any) -> Any:
    # All but arrays is made by msgspec.
    return np.array(value, dtype=np.float64)
