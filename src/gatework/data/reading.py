"""How a table's texts become values: decided once, from the table that is trained on, and kept with the run.

A semicolon, a decimal comma, a day before a month: a small newer table may not show which of them it means. So what
the training table decided is kept, and predicting, evaluating and streaming read by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Reading:
    """The decisions of a reader; None where one is still open.

    Attributes:
        separator: What stands between the fields of a delimited file.
        encoding: The encoding of a text file, as Python names it.
        decimal: What stands before the decimals of a number, "." or ",".
        thousands: What stands between the thousands of a number; empty where nothing does.
        time_format: The format of the time column: as in strptime, or one of the words of `gatework.data.time_formats`.
        time_zone: The zone of stamps that name none.
    """

    separator: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    time_format: str | None = None
    time_zone: str | None = None

    def overridden(self, by: Reading) -> Reading:
        """This reading with every decision that `by` has taken in place of its own."""
        return replace(self, **{name: value for name, value in asdict(by).items() if value is not None})

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Reading:
        """The reading whose `state()` this is."""
        return cls(**state)
