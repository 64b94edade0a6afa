"""How a table's texts become values: decided once, from the table that is trained on, and kept with the run.

A semicolon, a decimal comma, a day before a month: a small newer table may not show which of them it means. So what
the training table decided is kept, and predicting, evaluating and streaming read by it.
"""

from __future__ import annotations

import codecs
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from gatework._stored import Stored
from gatework.errors import UsageError

if TYPE_CHECKING:
    from gatework.options import DataOptions, TimeOptions


@dataclass(frozen=True)
class Reading(Stored):
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

    @classmethod
    def given(cls, data: DataOptions | None = None, time: TimeOptions | None = None) -> Reading:
        """What a person says of how a table is read.

        Raises:
            UsageError: It is no mark or no encoding.
        """
        separator, decimal, encoding = (getattr(data, name, None) for name in ("separator", "decimal", "encoding"))
        separator = {"tab": "\t", "\\t": "\t"}.get(separator or "", separator)
        if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
            raise UsageError(f'the separator is "{separator}", expected one mark, such as ; or tab')
        if decimal not in (None, ".", ","):
            raise UsageError(f'the decimal mark is "{decimal}", expected . or ,')
        try:
            encoding = codecs.lookup(encoding).name if encoding else None
        except LookupError:
            raise UsageError(f'there is no encoding "{encoding}"; expected one such as utf-8 or cp1252') from None
        thousands = None
        time_format, time_zone = (getattr(time, name, None) for name in ("time_format", "time_zone"))
        return cls(separator, encoding, decimal, thousands, time_format, time_zone)

    def overridden(self, by: Reading) -> Reading:
        """This reading with every decision that `by` has taken in place of its own."""
        changed = {name: value for name, value in asdict(by).items() if value is not None}
        if by.decimal is not None and by.decimal != self.decimal:
            changed["thousands"] = by.thousands  # the mark of the other decimals
        return replace(self, **changed)
