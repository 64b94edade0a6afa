"""Texts to learn from: a file, a folder, or a column of a table, split in their order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gatework.data._content import as_utf8, existing, file_content, printable
from gatework.data._listing import files_of
from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.known_lines import line_keys
from gatework.data.own import text_column
from gatework.data.pieces import clean
from gatework.data.reading import Reading
from gatework.data.sets import REGISTRY
from gatework.data.tables import SUFFIXES, is_parquet_folder, read_table
from gatework.errors import DataError, UsageError
from gatework.formatting import counted
from gatework.tasks._language_run import LanguageRun
from gatework.tasks.generate.options import GenerateOptions, Level
from gatework.tasks.generate.passages import Passages

if TYPE_CHECKING:
    import polars as pl

    from gatework.options import DataOptions
    from gatework.recipe import Recipe

# So many documents are kept whole; of fewer, the parts are cut where the shares say.
MANY = 20
_FEWEST = 100
# Pieces of a text that are kept for validation, and how long they are at least.
_MOST_BLOCKS, _BLOCK = 20, 1000
# Characters, from which on pieces of words are learnt faster than they are spelt.
_LONG = 8_000_000


@dataclass(frozen=True)
class TextDataset(Dataset):
    """A Dataset of passages.

    Attributes:
        plan: How the text is read, with the level decided.
        documents: How many documents there are.
        is_labelled: Whether each begins with its label.
        earlier: The language model that training goes on from; None where it begins anew.
    """

    plan: GenerateOptions = field(kw_only=True)
    documents: int = field(kw_only=True)
    is_labelled: bool = field(default=False, kw_only=True)
    earlier: LanguageRun | None = field(default=None, kw_only=True)


class Documents(NamedTuple):
    """Texts as they were read.

    Attributes:
        texts: The documents, none of them empty.
        where: Where they stand, for messages.
        name: What the data are called.
        fingerprint: SHA-256 of the content.
        notes: What was found in them, one sentence each.
    """

    texts: list[str]
    where: str
    name: str
    fingerprint: str
    notes: tuple[str, ...] = ()


def text_dataset(source: Any, recipe: Recipe) -> TextDataset:
    """Reads and splits texts.

    Args:
        source: A text file, a folder of .txt files, a table's path, or a data frame.
        recipe: Its sections `data` and `generate`.

    Raises:
        UsageError: A column must be named.
        DataError: The text cannot be read, or there is too little of it.
    """
    read = read_documents(source, recipe.data)
    count = sum(map(len, read.texts))
    if count < _FEWEST:
        what = f"{counted(count, 'character')} of text" if count else "no text"
        raise DataError(
            f"{read.where} holds {what}, and at least {_FEWEST} characters are needed to learn from; give more text"
        )
    *parts, notes = _parted(read, recipe.data)
    plan = decided_plan(recipe, count)
    earlier = LanguageRun(plan.from_run) if plan.from_run else None
    provenance = Provenance(read.where, "yours", read.fingerprint, (*read.notes, *notes))
    train, validation, test = (Split(part, part.documents) for part in parts)
    return TextDataset(
        read.name, "text", train, validation, test, provenance, plan=plan,
        documents=len(read.texts), is_labelled=recipe.data.label is not None, earlier=earlier,
    )  # fmt: skip


def decided_plan(recipe: Recipe, characters: int) -> GenerateOptions:
    """How a text of so many characters is read."""
    plan = recipe.section(GenerateOptions)
    level: Level = ("char" if characters <= _LONG else "subword") if plan.level == "auto" else plan.level
    return replace(plan, level=level)


def learnt_lines(dataset: TextDataset) -> pl.DataFrame:
    """The lines of the training part, and of what the run that training goes on from has learnt: the column "line"."""
    import polars as pl

    passages, joined = dataset.train.inputs, list[str]()
    if isinstance(passages, Passages):
        for text, follows in zip(passages.texts, passages.follows, strict=True):
            if follows:
                joined[-1] += text
            else:
                joined.append(text)
    keys = line_keys(pl.Series("text", joined, dtype=pl.String))
    before = dataset.earlier.learnt_lines if dataset.earlier else keys[:0]
    return pl.DataFrame({"line": np.union1d(keys, before)})


def read_documents(source: Any, config: DataOptions) -> Documents:
    """The documents of a file, a folder, a table or a frame.

    Raises:
        UsageError: A column must be named.
        DataError: It cannot be read, or is no text.
    """
    if isinstance(source, str) and source in REGISTRY:
        raise UsageError(f'"{source}" is a data set of another task; name a text file, a folder of texts, or a table')
    is_path = isinstance(source, (str, os.PathLike))
    path = Path(source) if is_path else Path()
    if config.label is not None and is_path and not _is_table(path):
        raise UsageError(f"--label names a column, and {printable(str(path))} is no table; leave it out")
    if is_path and existing(path).is_dir() and not is_parquet_folder(path):
        return _folder(path)
    if is_path and not _is_table(path):
        return _file(path)
    table = read_table(source, Reading.given(config))
    column = text_column(table, config)
    texts = [clean(text) for text in table.texts(column)]
    kept = [text for text in texts if text.strip()]
    if config.label is not None:
        labels = table.labels(config.label).to_list()
        kept = [labelled(clean(label), text) for label, text in zip(labels, texts, strict=True) if text.strip()]
    empty = len(texts) - len(kept)
    notes = (f"{empty:,} of the {len(texts):,} texts are empty and were left out.",) if empty else ()
    return Documents(kept, table.where, table.name, table.fingerprint, (*table.notes, *notes))


def _is_table(path: Path) -> bool:
    return printable(path.name).lower().removesuffix(".gz").endswith(SUFFIXES) or is_parquet_folder(path)


def labelled(label: str, text: str = "") -> str:
    """A document that begins with its label, on a line of its own."""
    return f"{label.strip()}\n{text}"


def text_of_file(path: Path) -> tuple[str, bytes, tuple[str, ...]]:
    """The text of a file, its bytes, and what is to be said of them.

    Raises:
        DataError: It cannot be read, or is no text.
    """
    content = file_content(path)
    utf8, encoding, notes = as_utf8(content, path)
    if b"\0" in utf8:
        raise DataError(
            f"{printable(str(path))} is no text: it has bytes of value 0 and was read as {encoding}; name a text file"
        )
    return clean(utf8.decode()), content, notes


def _file(path: Path) -> Documents:
    text, content, notes = text_of_file(path)
    where, name = printable(str(path)), printable(path.name.partition(".")[0] or path.name)
    return Documents([text] if text.strip() else [], where, name, hashlib.sha256(content).hexdigest(), notes)


def _folder(path: Path) -> Documents:
    where = printable(str(path))
    files = files_of(path, "**/*.txt")
    if not files:
        raise DataError(f"{where} holds no texts: files that end with .txt were expected in it")
    digest, texts = hashlib.sha256(), []
    notes: tuple[str, ...] = ()
    for file in files:
        text, content, said = text_of_file(file)
        digest.update(os.fsencode(file.relative_to(path)) + f"\0{len(content)}\0".encode())
        digest.update(content)
        notes += said
        texts += [text] if text.strip() else []
    if len(texts) < len(files):
        notes += (f"{len(files) - len(texts):,} of the {len(files):,} files are empty and were left out.",)
    return Documents(texts, where, printable(path.resolve().name), digest.hexdigest(), notes)


def _parted(read: Documents, config: DataOptions) -> tuple[Passages, Passages, Passages, list[str]]:
    """The last documents or passages for testing, and for validation some of those before them, evenly spread.

    A text changes as it goes on: what is learnt up to its last tenth should reach up to it, names and all.
    """
    texts, ends = read.texts, np.cumsum([len(text) for text in read.texts])
    test = int(ends[-1] * (1 - config.test))
    if len(texts) < MANY:
        return *_cut_anywhere(texts, test, config.validation), []
    first_test = min(max(int(np.searchsorted(ends, test, side="right")), 2), len(texts) - 1)
    held = last_of_each(first_test, max(round(first_test * config.validation), 1))
    train = sorted(set(range(first_test)) - set(held))
    seen = {texts[number] for number in train}
    validation = [number for number in held if texts[number] not in seen] or held
    seen |= {texts[number] for number in validation}
    tested = [number for number in range(first_test, len(texts)) if texts[number] not in seen]
    tested = tested or list(range(first_test, len(texts)))
    dropped = len(texts) - len(train) - len(validation) - len(tested)
    notes = [
        f"{dropped:,} of the documents for validation and testing also stand, word for word, before them or in the "
        "training part and were left out."
    ]
    parts = [Passages.of([texts[number] for number in part], part) for part in (train, validation, tested)]
    return parts[0], parts[1], parts[2], notes if dropped else []


def _cut_anywhere(texts: Sequence[str], test: int, share: float) -> tuple[Passages, Passages, Passages]:
    """Three parts of a few documents, cut at places in all their characters; a cut document goes on elsewhere."""
    count = sum(map(len, texts))
    size = int(test * share)
    blocks = max(min(size // _BLOCK, _MOST_BLOCKS), 1)
    ends = (np.arange(1, blocks + 1) * test // blocks).tolist()
    starts = [end - size // blocks for end in ends]
    bounds = (list(zip([0, *ends], starts, strict=False)), list(zip(starts, ends, strict=True)), [(test, count)])
    parts = []
    for part in bounds:
        pieces = [piece for low, high in part for piece in _pieces(texts, low, high)]
        numbers, cut, does_end = zip(*pieces, strict=True) if pieces else ((), (), ())
        parts.append(Passages.of(cut, numbers, does_end))
    return parts[0], parts[1], parts[2]


def last_of_each(count: int, parts: int) -> list[int]:
    """The last place of each of so many even parts."""
    return (np.arange(1, parts + 1) * count // parts - 1).tolist()


def _pieces(texts: Sequence[str], low: int, high: int) -> list[tuple[int, str, bool]]:
    """What stands between two places in all characters: document, text, and whether the document ends there."""
    starts = np.cumsum([0, *map(len, texts)]).tolist()
    return [
        (number, text[max(low - start, 0) : high - start], start + len(text) <= high and len(texts) > 1)
        for number, (text, start) in enumerate(zip(texts, starts, strict=False))
        if start < high and start + len(text) > low and low < high
    ]
