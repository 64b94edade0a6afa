"""What a request asks an answer for, from JSON: texts, series, or rows of a table.

Nothing of a request is ever taken for the name of a file.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from gatework.data.lines import LineReader, as_float, text_of
from gatework.errors import DataError, nearest
from gatework.serve._limits import Limits

_INT64 = 2**63
_FORMS = ("text", "texts", "series", "row", "rows", "instances")
SEQUENCE = ("session", "end", "state", "return_state")
"""What stands beside the rows of a sequence."""
_EXPECTED = (
    'a JSON object was expected, as {"text": "..."}, {"texts": [...]}, {"series": [1.5, ...]}, {"rows": [{...}]} or '
    '{"instances": [...]}'
)


@dataclass(frozen=True)
class Source:
    """What to answer.

    Attributes:
        form: "texts", "series", "rows", or "nothing" where an answer needs none.
        value: A list of texts, an array of shape (examples, time) or (examples, time, variables), or a table.
        count: How many examples, or rows, it has.
        options: Options of the prediction, as `horizon`.
    """

    form: str
    value: list[str] | np.ndarray | pl.DataFrame | None
    count: int
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> Hashable:
        """What can be answered together with it; None where its examples depend on each other."""
        if self.form not in ("texts", "series"):
            return None
        shape = self.value.shape[1:] if isinstance(self.value, np.ndarray) else ()
        return (self.form, shape, repr(self.options))


def source_of(body: Any, limits: Limits, beside: Sequence[str] = ()) -> Source:
    """What the body of a request asks for.

    Args:
        body: Decoded JSON.
        limits: How much is accepted.
        beside: What else may stand in it.

    Raises:
        DataError: It is not what was expected, or too much.
    """
    if not isinstance(body, dict):
        raise DataError(f"the body is {_named(body)}; {_EXPECTED}")
    known = (*_FORMS, "options", *beside)
    if unknown := [name for name in body if name not in known]:
        raise DataError(f'the body has "{unknown[0][:40]}", which nothing reads: {nearest(unknown[0], known)}')
    given = [name for name in _FORMS if name in body]
    if len(given) > 1:
        raise DataError(f"the body has both {given[0]} and {given[1]}; give one of them")
    options = {} if body.get("options") is None else body["options"]
    if not isinstance(options, dict):
        raise DataError(f'"options" is {_named(options)}; an object as {{"horizon": 3}} was expected')
    form = given[0] if given else ""
    value = body.get(form)
    if form in ("text", "row"):
        return _of_list([value], {"text": str, "row": dict}[form], options, limits)
    if form == "series":
        return _of_list([value], list, options, limits)
    if form:
        return _of_list(value, {"texts": str, "rows": dict}.get(form), options, limits)
    return Source("nothing", None, 1, options)


def texts_of(texts: Sequence[Any], limits: Limits, options: Mapping[str, Any] | None = None) -> Source:
    """Texts.

    Raises:
        DataError: One is no text, or there are too many, or one is too long.
    """
    _check_count(len(texts), "texts", limits.examples)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(f"text {number} (counted from 0) is {_named(text)}; a string was expected")
        if len(text) > limits.length:
            raise DataError(f"text {number} (counted from 0) has {len(text):,} characters, expected {_at_most(limits)}")
    return Source("texts", list(texts), len(texts), options or {})


def series_of(values: np.ndarray, limits: Limits, options: Mapping[str, Any] | None = None) -> Source:
    """Series of shape (examples, time) or (examples, time, variables).

    Raises:
        DataError: There are too many, they are too long, or hold no number.
    """
    if values.ndim not in (2, 3) or values.dtype.kind not in "iuf":
        raise DataError(
            "a series is a list of numbers, or of lists of one number a variable; series of one request have one length"
        )
    _check_count(len(values), "series", limits.examples)
    if not all(values.shape):
        raise DataError("a series has no steps; a list of numbers was expected")
    if values.shape[1] > limits.length:
        raise DataError(f"a series has {values.shape[1]:,} steps, expected {_at_most(limits)}")
    return Source("series", values.astype(np.float64), len(values), options or {})


def rows_of(rows: Sequence[Any], limits: Limits, options: Mapping[str, Any] | None = None) -> Source:
    """Rows of a table, as objects by column.

    Raises:
        DataError: One is no row, or there are too many.
    """
    _check_count(len(rows), "rows", limits.length)
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise DataError(f"row {number} (counted from 0) is {_named(row)}; an object by column was expected")
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise DataError("the rows have no columns; objects with a value for each column were expected")
    if len(names) * len(rows) > 4 * (len(rows) + sum(map(len, rows))):
        raise DataError(f"the rows have {len(names):,} different columns, most of them empty; give rows of one table")
    columns = [_column(name, [row.get(name) for row in rows]) for name in names]
    return Source("rows", pl.DataFrame(columns), len(rows), options or {})


def steps_of(source: Source) -> list[dict[str, Any]]:
    """A source as the rows by which one sequence goes on.

    Raises:
        DataError: It holds several series, or nothing.
    """
    if isinstance(source.value, pl.DataFrame):
        return source.value.to_dicts()
    if isinstance(source.value, np.ndarray):
        if len(source.value) > 1:
            raise DataError("a request goes on with one sequence, not with several series")
        steps = source.value.reshape(source.value.shape[1], -1)
        return [{str(k): value for k, value in enumerate(step)} for step in steps.tolist()]
    if not source.value:
        raise DataError("there is nothing to go on with; a row, a text, or the steps of a series was expected")
    return [{"text": text} for text in source.value]


def lines_of(text: str, limits: Limits) -> Source:
    """Rows of CSV with a header, or JSON objects, one a line.

    Raises:
        DataError: A line cannot be read.
    """
    return rows_of([row for _, row in LineReader().rows(text)], limits)


def _of_list(value: Any, expected: type | None, options: Mapping[str, Any], limits: Limits) -> Source:
    """Several examples of one form, which the first tells where none is expected."""
    if not isinstance(value, list):
        raise DataError(f"the examples are {_named(value)}; a list was expected")
    form = expected or (type(value[0]) if value else str)
    if form is str:
        return texts_of(value, limits, options)
    if form is dict:
        return rows_of(value, limits, options)
    return series_of(_numbers(value), limits, options)


def _numbers(value: list[Any]) -> np.ndarray:
    if bool in map(type, flattened(value)):
        raise DataError("a series holds true or false; numbers were expected")
    try:
        return np.array(value)
    except (ValueError, OverflowError):
        # Lists of several lengths.
        return np.array([], dtype=object)


def flattened(data: list[Any]) -> list[Any]:
    """What stands in lists within lists, however deep, in one list."""
    while any(isinstance(value, list) for value in data):
        data = [item for value in data for item in (value if isinstance(value, list) else [value])]
    return data


def _column(name: str, values: list[Any]) -> pl.Series:
    """A column of numbers where all are numbers, else of texts, which are read as those of a file are."""
    for number, value in enumerate(values):
        if isinstance(value, (dict, list)):
            raise DataError(
                f'column "{name[:40]}", row {number} (counted from 0) is {_named(value)}; a number, a text or null was '
                "expected"
            )
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and all(value is None or -_INT64 <= value < _INT64 for value in values):
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds and kinds <= {int, float}:
        return pl.Series(name, [None if value is None else as_float(value) for value in values], dtype=pl.Float64)
    return pl.Series(name, [text_of(value, 10**9) for value in values], dtype=pl.String)


def _check_count(count: int, what: str, most: int) -> None:
    if not count:
        raise DataError(f"there are no {what}; at least one was expected")
    if count > most:
        raise DataError(f"there are {count:,} {what}, expected at most {most:,}; send them in several requests")


def _at_most(limits: Limits) -> str:
    return f"at most {limits.length:,}; the server's --max-length says how many"


def _named(value: Any) -> str:
    """What a value of JSON is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "missing"}
    return names.get(type(value), "a number")
