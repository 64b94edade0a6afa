"""Predictions as rows: printed, or written to a file, with the digits that a reader needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from gatework._files import atomic, finite, folder_of
from gatework.cli._digits import few_digits
from gatework.cli._terminal import without_formulas
from gatework.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


def predictions_table(rows: pl.DataFrame, given: Collection[str] = ()) -> None:
    """Prints one prediction per line, as CSV with a header where there are several.

    Args:
        rows: The predictions.
        given: The columns that a person gave, whose values keep all their digits.
    """
    if len(rows) == 1 and {"label", "probability"} <= set(rows.columns):
        print(f"{rows['label'][0]}  {rows['probability'][0]:.3f}")
    elif len(rows) == 1 and rows.columns == ["value"]:
        print(few_digits(rows)["value"].to_list()[0])
    else:
        print(for_csv(rows, given).write_csv(), end="")


def write_predictions(rows: pl.DataFrame, out: Path, given: Collection[str] = ()) -> None:
    """Writes predictions to a .csv, .json, .jsonl or .parquet file in one piece; CSV has few digits of answers.

    Args:
        rows: The predictions.
        out: The file.
        given: The columns that a person gave, whose values keep all their digits.

    Raises:
        UsageError: The file's ending is none of these.
    """
    frame = flat(rows)

    def write_json(path: Path) -> None:
        text = json.dumps(finite(rows.to_dicts()), indent=2, ensure_ascii=False, default=str) + "\n"
        path.write_text(text, encoding="utf-8")

    writers: dict[str, Callable[[Path], Any]] = {
        ".csv": lambda path: for_csv(rows, given).write_csv(path),
        ".json": write_json,
        ".jsonl": frame.write_ndjson,
        ".parquet": frame.write_parquet,
    }
    if out.suffix not in writers:
        raise UsageError(f'--out {out} ends with "{out.suffix}", expected one of {", ".join(writers)}')
    with folder_of(out), atomic(out) as temporary:
        writers[out.suffix](temporary)


def for_csv(rows: pl.DataFrame, given: Collection[str] = ()) -> pl.DataFrame:
    """A table as CSV has it: flat, with few digits of what was not given, and no spreadsheet's formula in it."""
    kept = flat(rows.select([name for name in rows.columns if name in given])).columns
    return without_formulas(few_digits(flat(rows), kept))


def flat(rows: pl.DataFrame) -> pl.DataFrame:
    """One column per number: of a structure, as the probability of each class, and of a list each in its own.

    A list of structures, as of words with their times, has no place in a flat table; JSON has it.
    """
    import polars as pl

    columns: list[pl.Series] = []
    for column in rows:
        if isinstance(column.dtype, pl.Struct):
            single = column.name.removesuffix("ies") + "y" if column.name.endswith("ies") else column.name
            columns += [part.alias(f"{single} of {part.name}") for part in column.struct.unnest()]
        elif isinstance(column.dtype, pl.List) and isinstance(column.dtype.inner, pl.Struct):
            continue
        elif column.dtype.is_nested():
            values = column if isinstance(column.dtype, pl.List) else column.arr.to_list()
            longest = max(values.list.len().to_list(), default=0)
            columns += [values.list.get(k, null_on_oob=True).alias(f"{column.name} {k + 1}") for k in range(longest)]
        else:
            columns.append(column)
    return pl.DataFrame(columns)
