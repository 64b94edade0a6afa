"""A person's own data: a table, folder or data frame to a Dataset, and later ones to examples for a trained task."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from gatework.data._content import as_utf8, file_content, lines_of
from gatework.data.dataset import Columns, Dataset, Provenance, Split
from gatework.data.folder import read_folder
from gatework.data.inputs import Inputs, SeriesInputs
from gatework.data.listed import array, listed, of_lines
from gatework.data.reading import Reading
from gatework.data.split import divided
from gatework.data.tables import Table, is_parquet_folder, is_path, read_table
from gatework.data.text import Texts
from gatework.data.time_formats import are_times
from gatework.errors import DataError, UsageError, nearest
from gatework.options import as_list

if TYPE_CHECKING:
    from gatework.options import DataOptions, Names
Answer = Literal["label", "target"]
"""What is to be predicted: a class, or values."""
Kind = Literal["series", "text"]
_FOLDER_COLUMNS: Columns = {"text": "text", "label": "label"}
# The fewest rows of a value, on average, for them to belong together.
_ROWS_OF_ONE = 3


def read_dataset(source: Any, config: DataOptions, answer: Answer) -> Dataset:
    """Reads and splits a person's own data.

    Args:
        source: A path or a data frame.
        config: Columns, shares and seed.
        answer: Whether a "label" or a "target" is to be predicted, a class or a value.

    Raises:
        UsageError: A column must be named.
        DataError: The data is not what was expected.
    """
    table, test_table = _tables(source, config)
    if config.test_file is not None:
        test_table = _test_table(config, table, test_table)
    is_folder = _is_folder(source)
    if is_folder and answer != "label":
        raise UsageError(
            f"{table.where} holds texts by class and no values to predict; a task that predicts classes can read it"
        )
    columns = _FOLDER_COLUMNS if is_folder else chosen_columns(table, config, answer)
    table = decided(table, columns)
    classes = (
        classes_of(table.labels(str(columns["label"])), table.where, str(columns["label"])) if answer == "label" else ()
    )
    examples = examples_of(table, columns, classes)
    if isinstance(examples.inputs, Texts) and not any(examples.inputs.identities()):
        raise DataError(
            f'{table.where}: every text in the column "{columns["text"]}" is empty; name the column of the text with '
            "--text"
        )
    test = examples_of(decided(test_table, columns, table.reading), columns, classes) if test_table else None
    fingerprint = table.fingerprint
    if test_table is not None and config.test_file is not None:
        fingerprint = hashlib.sha256(f"{fingerprint} {test_table.fingerprint}".encode()).hexdigest()
    provenance = Provenance(table.where, "yours", fingerprint, (*table.notes, *_notes(table, columns, examples)))
    name = Path(source).resolve().name if is_folder else table.name
    dataset = divided(examples, config, provenance, name=name, test=test, classes=classes, columns=columns)
    return replace(dataset, reading=table.reading)


def _test_table(config: DataOptions, table: Table, official: Table | None) -> Table:
    """The table of the file to test on.

    Raises:
        UsageError: The data have a test part already.
        DataError: It is no such table.
    """
    if official is not None:
        raise UsageError(f"{table.where} has a test part of its own already; leave --test-file out")
    named, of_folder = _tables(config.test_file, config)
    return of_folder or named


def decided(table: Table, columns: Columns, kept: Reading | None = None) -> Table:
    """The table with the marks of its numbers decided, as a model's training table did where there was one."""
    target, inputs = columns.get("target"), columns.get("inputs", ())
    numbers = [*(inputs if isinstance(inputs, tuple) else (inputs,)), *([target] if isinstance(target, str) else [])]
    return table.deciding([name for name in numbers if name in table.frame.columns], kept)


def read_examples(
    source: Any, config: DataOptions, columns: Columns, classes: tuple[str, ...], reading: Reading | None = None
) -> Split:
    """Reads examples with known answers for a task that is trained already.

    Args:
        source: A path or a data frame; of a folder with train/ and test/, the test part.
        config: What the task was trained with.
        columns: The columns that it was trained on; such as fit where that was a registered data set.
        classes: The classes' names; empty for values.

    Raises:
        DataError: A column is missing, or a label is none of the classes.
    """
    table, test = _tables(source, config)
    answer: Answer = "label" if classes else "target"
    columns = _FOLDER_COLUMNS if _is_folder(source) else columns or chosen_columns(table, config, answer)
    return examples_of(decided(test or table, columns, reading), columns, classes)


def read_inputs(
    source: Any, config: DataOptions, columns: Columns, kind: Kind, reading: Reading | None = None
) -> tuple[Inputs, pl.DataFrame | None]:
    """Reads inputs without answers for a task that is trained already.

    Args:
        source: For texts one text, a list of texts, a .txt file with a text per line, a table's path or a data frame;
            for series one series as numbers with spaces or commas between or as a list, an array of shape (examples,
            time), a list of series of any length, a table's path or a frame.
        config: What the task was trained with.
        columns: The columns that the task was trained on; such as fit where that was a registered data set.
        kind: What the task reads.

    Returns:
        The inputs, and the table that they were read from where there is one.

    Raises:
        DataError: A file or column is missing, or a number is none.
    """
    from_lines = of_lines if kind == "series" else Texts.of
    if isinstance(source, np.ndarray):
        return array(source), None
    if (
        isinstance(source, (list, tuple))
        and source
        and kind == "series"
        and not any(isinstance(one, str) for one in source)
    ):
        return listed(source), None
    if isinstance(source, (list, tuple)):
        return from_lines([_plain(str(line)) for line in source]), None
    if isinstance(source, str) and not is_path(source):
        return from_lines([_plain(source)]), None
    if isinstance(source, (str, os.PathLike)) and str(source).lower().endswith(".txt"):
        return from_lines(_lines(Path(source))), None
    table, test = _tables(source, config)
    if _is_folder(source):
        return _inputs(test or table, _FOLDER_COLUMNS), (test or table).frame
    columns = columns or _input_columns(table, config, kind, None)
    return _inputs(decided(table, columns, reading), columns), table.frame


def _plain(text: str) -> str:
    """A text that UTF-8 can hold: bytes that are not UTF-8 come as lone surrogates from a terminal or a pipe.

    Raises:
        DataError: It holds one.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        byte = ord(text[error.start]) & 0xFF
        raise DataError(
            f"a text to predict has the byte 0x{byte:02x}, which is not valid UTF-8; convert it first"
        ) from None
    return text


def _is_folder(source: Any) -> bool:
    """Whether a source is a folder of texts by class."""
    return isinstance(source, (str, os.PathLike)) and Path(source).is_dir() and not is_parquet_folder(Path(source))


def _tables(source: Any, config: DataOptions) -> tuple[Table, Table | None]:
    return read_folder(Path(source)) if _is_folder(source) else (read_table(source, Reading.given(config)), None)


def chosen_columns(table: Table, config: DataOptions, answer: Answer) -> Columns:
    """Which columns play which role: those that the configuration names, or the only ones that can."""
    wanted = config.label if answer == "label" else _only(config.target)
    name = wanted or _called(answer, table.frame.columns)
    if name is None:
        both = answer == "label" and config.text is None
        raise UsageError(
            f"which column of {table.where} is to be predicted? Name it with --{answer}"
            + (", and that of the text with --text; a number with --target, and a column of times with --time" * both)
            + f": there is {', '.join(table.frame.columns)}"
            + (f"; gatework check {table.where} shows what each of them suits" if Path(table.where).exists() else "")
        )
    table.column(name)
    kind: Kind | None = "series" if answer == "target" and config.text is None else None
    return {**_input_columns(table, config, kind, name), answer: name}


def _called(role: str, names: Sequence[str]) -> str | None:
    """The column that has the name of its role, or that name in other letters if it is the only one."""
    alike = [name for name in names if name.strip().casefold() == role]
    return role if role in alike else alike[0] if len(alike) == 1 else None


def _only(names: Names) -> str | None:
    """The one column that is named, if any is.

    Raises:
        UsageError: Several are.
    """
    listed = as_list(names)
    if len(listed) > 1:
        raise UsageError(f"one value is predicted per example; {', '.join(listed)} are {len(listed)} columns, name one")
    return listed[0] if listed else None


def _input_columns(table: Table, config: DataOptions, kind: Kind | None, answer: str | None) -> Columns:
    """The column of the text, or those of the steps of a series.

    Args:
        table: The table.
        config: May name the column of the text.
        kind: "text" or "series"; what the columns look like if None.
        answer: The column that is to be predicted, if the table has it.
    """
    if config.text is not None:
        table.column(config.text)
        return {"text": config.text}
    others = [name for name in table.frame.columns if name != answer]
    numeric = [name for name in others if table.is_numeric(name)]
    words = [name for name in others if table.frame[name].dtype == pl.String and name not in numeric]
    if numeric:
        words = [name for name in words if not are_times(table.frame[name])]
    text = _called("text", words)
    if text is None and kind is None and not all(_is_id(table.frame[name]) for name in numeric):
        words = [name for name in words if not _is_category(table.frame[name])]
        if len(numeric) > 1:
            words = [name for name in words if not _are_codes(table.frame[name])]
    text = text or (words[0] if len(words) == 1 else None)
    if kind != "series" and text is not None:
        return {"text": text}
    if numeric and (kind == "series" or (kind is None and not words)):
        return {"inputs": tuple(numeric)}
    if kind == "series":
        raise DataError(f"{table.where} has no column of numbers to predict from: there is {', '.join(others)}")
    raise UsageError(f"which column of {table.where} holds the text? Name it with --text: there is {', '.join(others)}")


def _is_category(column: pl.Series) -> bool:
    """Whether a column of words says which of a few kinds each row is of, as a colour: single words that come again."""
    present = column.drop_nulls().str.strip_chars()
    is_single = present.str.contains(r"^\S*$").mean()
    return present.n_unique() <= len(present) / 10 and isinstance(is_single, float) and is_single > 0.5


def _are_codes(column: pl.Series) -> bool:
    """Whether a column of words names the rows, as S001: one word each with a digit in it, and none twice."""
    return column.n_unique() == len(column) and bool(column.str.contains(r"^\s*\S*\d\S*\s*$").all())


def _is_id(column: pl.Series) -> bool:
    """Whether a column of numbers only numbers the rows."""
    return column.n_unique() == len(column) and bool(column.cast(pl.String).str.contains(r"^\s*\d+\s*$").all())


def text_column(table: Table, config: DataOptions) -> str:
    """The column of a table that holds the text: the one that is named, or the only one that can.

    Raises:
        DataError: There is no such column.
        UsageError: It must be named.
    """
    return str(_input_columns(table, config, "text", config.label)["text"])


def classes_of(labels: pl.Series, where: str, column: str, unit: str = "row") -> tuple[str, ...]:
    """The distinct labels: numbers in their order, words in that of their code points.

    Args:
        labels: The label of each example.
        where: The table, for messages.
        column: The column that they stand in.
        unit: What an example is called there.

    Raises:
        DataError: All are the same, or each is another.
    """
    count = len(labels)
    labels = labels.unique()
    numbers = labels.cast(pl.Float64, strict=False)
    order = labels.to_frame("label").with_columns(number=numbers)
    classes = tuple(order.sort("label" if numbers.null_count() else "number", "label")["label"])
    if len(classes) == 1:
        raise DataError(
            f'{where}: every label in column "{column}" is "{classes[0]}"; examples of two classes at least are needed'
        )
    if len(classes) == count > 2:
        raise DataError(
            f'{where}: every {unit} has another label in column "{column}"; name the column of the classes with --label'
        )
    return classes


def examples_of(table: Table, columns: Columns, classes: tuple[str, ...]) -> Split:
    """The examples of a table whose reading is decided.

    Args:
        table: The table.
        columns: The columns, by role.
        classes: The classes' names; empty for values.

    Raises:
        DataError: A value is missing or wrong, or a label is none of the classes.
    """
    if not {"label" if classes else "target"} <= set(columns):
        raise DataError(f"{table.where}: nothing says which of its columns is the answer; train again")
    if not classes:
        target = str(columns["target"])
        return Split(_inputs(table, columns), table.numbers(target)[:, np.newaxis])
    labels = table.labels(str(columns["label"]), classes)
    unknown = (~labels.is_in(classes)).arg_true()
    if len(unknown):
        raise DataError(
            f'{table.where}, {table.row(unknown[0])}: the label "{labels[unknown[0]]}" is none of the classes: '
            f"{nearest(labels[unknown[0]], classes)}"
        )
    positions = labels.cast(pl.Enum(classes)).to_physical().to_numpy().astype(np.int64)
    return Split(_inputs(table, columns), positions)


def _inputs(table: Table, columns: Columns) -> Inputs:
    if "text" in columns:
        texts = Texts(table.texts(str(columns["text"])))
        _ = texts.tokens  # made once, shared by the parts
        return texts
    if "inputs" not in columns:
        raise DataError(f"{table.where}: nothing says which of its columns are the inputs; train again")
    return SeriesInputs.of(np.stack([table.numbers(name) for name in columns["inputs"]], axis=1)[..., np.newaxis])


def _notes(table: Table, columns: Columns, examples: Split) -> tuple[str, ...]:
    if "inputs" not in columns:
        return examples.inputs.notes()
    used = {str(columns.get("target", columns.get("label"))), *columns["inputs"]}
    unused = [name for name in table.frame.columns if name not in used]
    if not unused:
        return ()
    way = "; --text NAME reads one of them in place of the numbers" if "label" in columns else ""
    left_out = f"Columns that hold no numbers were left out: {', '.join(unused)}{way}."
    tied = next((name for name in unused if "label" in columns and _has_one_class(table, name, columns)), None)
    if tied is None:
        return (left_out,)
    return (
        left_out,
        f'All rows of one value of column "{tied}" have the same class, and stand in training and testing: figures may '
        "be better than those of new ones. If such rows are the steps of a series, say so: "
        f"--series {shlex.quote(tied)}.",
    )


def _has_one_class(table: Table, name: str, columns: Columns) -> bool:
    """Whether a column's values, more than there are classes, come again and again, each beside one class alone."""
    label = str(columns["label"])
    pairs = table.frame.select(pl.col(name).cast(pl.String).alias("of"), pl.col(label).cast(pl.String).alias("class"))
    values, classes = pairs["of"].n_unique(), pairs["class"].n_unique()
    return classes < values <= len(pairs) / _ROWS_OF_ONE and pairs.n_unique() == values


def _lines(path: Path) -> list[str]:
    return lines_of(as_utf8(file_content(path), path)[0].decode())
