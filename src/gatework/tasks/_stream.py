"""The interfaces of streams: rows, or bytes of sound, as they come, each answered at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

Row = tuple[str, Mapping[str, Any]]
"""What to call a row in messages, and its values by column."""


class Stream(Protocol):
    """Answers rows one by one; what it carries from row to row does not grow.

    It may have a method `answers(rows)`, which answers several rows in less time than one after the other; its answers
    agree with those of `answer()` to rounding, and those before a row that raises come out first.

    It may have the attributes `reading`, how texts become values as in the training table, and `columns`, those that a
    row must have, by which the separator of rows of CSV is known.
    """

    def answer(self, row: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The answer for the row that comes next.

        Args:
            row: Its values by column, as texts or numbers.
            where: What to call it in messages, such as "line 12".

        Returns:
            Values that JSON can hold.

        Raises:
            DataError: A column is missing, or a value is not what was expected.
        """
        ...


@runtime_checkable
class PortableStream(Stream, Protocol):
    """A stream that another one of the same run can go on from, in another process too."""

    def carried(self) -> Sequence[np.ndarray]:
        """What it carries as float32 arrays; none before the first row.

        Raises:
            UsageError: This network's cannot be given away.
        """
        ...

    def go_on_from(self, arrays: Sequence[np.ndarray]) -> None:
        """Takes the place of the stream that carried this.

        Raises:
            UsageError: As for `carried()`.
            ValueError: It was the stream of another network.
        """
        ...


class ByteStream(Protocol):
    """Answers bytes piece by piece, the same however they are cut; what it carries on does not grow.

    It may have the attribute `notes`, what there is to say before it begins.
    """

    def answer_bytes(self, piece: bytes) -> Iterable[dict[str, Any]]:
        """The answers that are known once this piece has come, as values that JSON can hold."""
        ...

    def finish(self) -> Iterable[dict[str, Any]]:
        """The answers that are left when nothing comes any more."""
        ...


def answers_of(stream: Stream, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """The answers to rows that wait together, in their order.

    Raises:
        DataError: A row cannot be answered; the answers to those before it have come out.
    """
    answers = getattr(stream, "answers", None)
    if answers is not None and len(rows) > 1:
        yield from answers(rows)
    else:
        for where, row in rows:
            yield stream.answer(row, where)
