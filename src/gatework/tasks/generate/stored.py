"""Texts larger than memory: packed into a store in one pass, and read from there as a ring of tokens on disk.

A few files are parted at places in all their bytes, many documents whole, by their content. What the network learns
from stays on disk; whatever else looks at the training part (n-grams, copies, pieces of words) sees a sample of it.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import polars as pl

from gatework._files import whole_folder
from gatework.data._content import existing, printable
from gatework.data._listing import files_of
from gatework.data.dataset import Provenance, Split
from gatework.data.own import text_column
from gatework.data.pieces import BOUNDARY, Tokens, clean
from gatework.data.reading import Reading
from gatework.data.store.files import INDEX, ArrayWriter, Store, StoredArray, write_index
from gatework.data.store.sources import LARGE, TableSource, is_large, is_table_path, stamps_of
from gatework.data.turns import in_turn
from gatework.errors import DataError, UsageError
from gatework.tasks._language_run import LanguageRun
from gatework.tasks.generate.data import MANY, TextDataset, decided_plan, labelled, last_of_each
from gatework.tasks.generate.passages import Passages, cut

if TYPE_CHECKING:
    from gatework.options import DataOptions
    from gatework.recipe import Recipe

SAMPLE = 20_000_000
"""The bytes of the training part that n-grams and the like see where the rest stays on disk."""
_HELD = {"validation": 250_000, "test": 1_000_000}
"""The most bytes that the validation and the test part aim at."""
_BLOCK = 1 << 20
# Pieces of a text that are kept for validation, and how long they are at least.
_MOST_BLOCKS, _SHORTEST = 20, 1000
_DOCUMENTS = 4096
_FEWEST = 100
_PARTS = ("train", "validation", "test")


class Piece(NamedTuple):
    """Text that stands together.

    Attributes:
        part: The part that it belongs to.
        document: The number of its document.
        text: The text.
        is_start: Whether nothing of its document stands right before it in the same part.
        is_end: Whether its document ends with it.
    """

    part: str
    document: int
    text: str
    is_start: bool
    is_end: bool


def is_large_text(source: Any) -> bool:
    """Whether a text, a folder of texts or a table is packed into a store where nobody says so."""
    if not isinstance(source, (str, os.PathLike)):
        return False
    path = Path(source)
    return is_large(path) if is_table_path(path) else sum(f.stat().st_size for f in _files(path)) > LARGE


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return files_of(path, "**/*.txt")
    return [path] if path.is_file() else []


@dataclass(frozen=True)
class StoredText(Split):
    """A training part on disk; as a `Split`, a sample of its passages.

    Attributes:
        store: The store: "text", the bytes of all pieces, and "pieces", where each begins among them.
    """

    store: Store | None = None

    @property
    def _kept(self) -> Store:
        if self.store is None:
            raise TypeError("a text on disk has a store")
        return self.store

    @property
    def characters(self) -> int:
        """The characters of the whole training part."""
        return int(self._kept.about["characters"])

    def pieces(self) -> Iterator[Iterator[str]]:
        """The text of each piece, block by block."""
        starts = self._kept.arrays["pieces"][:]
        ends = np.append(starts[1:], len(self._kept.arrays["text"]))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            yield self._blocks(start, end)

    def _blocks(self, start: int, end: int) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        for first in range(start, end, _BLOCK):
            yield decoder.decode(self._kept.arrays["text"][first : min(first + _BLOCK, end)].tobytes())

    def ring(self, tokens: Tokens) -> StoredArray:
        """The whole training part as one ring of tokens on disk; encoded at the first call, then kept in the store."""
        name = hashlib.sha256(repr(tokens.state()).encode()).hexdigest()[:24]
        folder = self._kept.folder / f"tokens-{name}"
        with in_turn(folder):
            if not (folder / INDEX).is_file():
                with whole_folder(folder) as temporary:
                    write_index(temporary, {}, {"ring": self._encoded(temporary, tokens)})
            return Store.open(folder).arrays["ring"]

    def _encoded(self, folder: Path, tokens: Tokens) -> dict[str, Any]:
        writer = ArrayWriter(folder / "ring.bin", np.uint16 if len(tokens) <= 1 << 16 else np.uint32)
        boundary = np.array([BOUNDARY])
        for blocks in self.pieces():
            writer.append(boundary)
            for passages in _passages(blocks):
                for ids in tokens.encode(passages):
                    writer.append(ids)
        writer.append(boundary)
        return writer.finish()


def _passages(blocks: Iterator[str]) -> Iterator[list[str]]:
    """The passages of a piece, as `cut()` gives them of the whole."""
    rest = ""
    for block in blocks:
        *passages, rest = cut(rest + block) or [""]
        if passages:
            yield passages
    if rest:
        yield [rest]


@dataclass(frozen=True)
class StoredTextDataset(TextDataset):
    """A TextDataset whose training part stays on disk."""

    @cached_property
    def sampled(self) -> TextDataset:
        """The same data with a sample of the training part, in memory."""
        kept = {name: getattr(self, name) for name in TextDataset.__dataclass_fields__}
        return TextDataset(**kept | {"train": Split(self.train.inputs, self.train.targets)})


def stored_text_dataset(source: Any, recipe: Recipe) -> StoredTextDataset:
    """A text, a folder of texts or a column of a table whose training part stays on disk.

    Args:
        source: Its path.
        recipe: Its sections `data` and `generate`.

    Raises:
        UsageError: A column must be named, or the store's folder holds something else.
        DataError: The text cannot be read, or there is too little of it.
    """
    if not isinstance(source, (str, os.PathLike)):
        raise UsageError("--store is of texts on disk; name their path, or leave --store out")
    path, config = existing(Path(source)), recipe.data
    table = TableSource.of(path, Reading.given(config)) if is_table_path(path) else None
    files = table.files if table else _files(path)
    if config.label is not None and table is None:
        raise UsageError(f"--label names a column, and {printable(str(path))} is no table; leave it out")
    if not files:
        raise DataError(f"{printable(str(path))} holds no texts: a file, or files that end with .txt, were expected")
    settings = [config.text, config.label, config.validation, config.test]
    key = hashlib.sha256(repr((stamps_of(path, files), settings)).encode()).hexdigest()

    def write(folder: Path) -> None:
        size = sum(file.stat().st_size for file in files)
        pieces = _of_table(table, config, size) if table else _of_files(files, config, size)
        _pack(pieces, folder, key, size)

    store = Store.kept(config.store, key, write, "texts")
    return _dataset(store, path, recipe)


def _dataset(store: Store, path: Path, recipe: Recipe) -> StoredTextDataset:
    where, about = printable(str(path)), store.about
    train, validation, test = (_read(store.folder / f"{part}.parquet") for part in _PARTS)
    kept = (
        f"The {about['characters']:,} characters of the training part are read from the store {store.folder}; n-grams, "
        f"copies and pieces of words are of {train.characters:,} of them, evenly spread."
    )
    provenance = Provenance(where, "yours", store.fingerprint, (*about["notes"], kept))
    plan = decided_plan(recipe, about["characters"])
    earlier = LanguageRun(plan.from_run) if plan.from_run else None
    learnt = StoredText(train, train.documents, store=store)
    held, tested = (Split(part, part.documents) for part in (validation, test))
    return StoredTextDataset(
        printable(path.resolve().name.partition(".")[0]), "text", learnt, held, tested, provenance,
        plan=plan, documents=about["documents"], is_labelled=recipe.data.label is not None, earlier=earlier,
    )  # fmt: skip


def _read(file: Path) -> Passages:
    frame = pl.read_parquet(file, glob=False)
    documents, places, is_end = (frame[name].to_numpy() for name in ("document", "place", "is_end"))
    return Passages(frame["text"], documents, places, is_end)


def _of_table(source: TableSource, config: DataOptions, size: int) -> Iterator[Piece]:
    """The documents of a column, parted by their content."""
    column, number = "", 0
    for part in source.parts(_DOCUMENTS):
        column = column or text_column(part, config)
        texts = [clean(text) for text in part.texts(column)]
        if config.label is not None:
            labels = part.labels(config.label).to_list()
            pairs = zip(labels, texts, strict=True)
            texts = [labelled(clean(label), text) if text.strip() else "" for label, text in pairs]
        for text in texts:
            if text.strip():
                yield Piece(_part_of(text, config, size), number, text, is_start=True, is_end=True)
                number += 1


def _part_of(text: str, config: DataOptions, size: int) -> str:
    """The part of a document, by its content."""
    place = int.from_bytes(hashlib.blake2b(text.strip().encode("utf-8", "replace"), digest_size=8).digest()) / 2.0**64
    test, validation = _shares(config, size)
    return "test" if place < test else "validation" if place < test + (1 - test) * validation else "train"


def _shares(config: DataOptions, size: int) -> tuple[float, float]:
    test = min(config.test, _HELD["test"] / size)
    return test, min(config.validation, _HELD["validation"] / size / (1 - test))


def _of_files(files: Sequence[Path], config: DataOptions, size: int) -> Iterator[Piece]:
    """The texts of files: many are parted whole, by their content; a few at places in all their bytes."""
    if len(files) >= MANY:
        for number, file in enumerate(files):
            text = clean("".join(_whole_characters(file, 0, file.stat().st_size)))
            if text.strip():
                yield Piece(_part_of(text, config, size), number, text, is_start=True, is_end=True)
        return
    test, validation = _shares(config, size)
    end = int(size * (1 - test))
    held = int(end * validation)
    blocks = max(min(held // _SHORTEST, _MOST_BLOCKS), 1)
    ends = [place + 1 for place in last_of_each(end, blocks)]
    bounds = [bound for stop in ends for bound in ((stop - held // blocks, "train"), (stop, "validation"))]
    yield from _cut_at([*bounds, (size, "test")], files)


def _cut_at(bounds: Sequence[tuple[int, str]], files: Sequence[Path]) -> Iterator[Piece]:
    """The pieces of files between these places, counted in bytes of all of them; each ends with a whole character."""
    first = 0
    for number, file in enumerate(files):
        size = file.stat().st_size
        at = 0
        for bound, part in bounds:
            stop = min(bound - first, size)
            if stop <= at:
                continue
            is_start = True
            for text in _whole_characters(file, at, stop):
                yield Piece(part, number, clean(text), is_start, is_end=False)
                is_start = False
            if stop == size and len(files) > 1:
                yield Piece(part, number, "", is_start=False, is_end=True)
            at = stop
        first += size


def _whole_characters(file: Path, start: int, stop: int) -> Iterator[str]:
    """The text of a file between two places, each moved on to the next whole character, in blocks of whole lines.

    Raises:
        DataError: It is not UTF-8.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")(), translate=True)
    rest = ""
    with file.open("rb") as opened:
        start, stop = (_character_at(opened, place) for place in (start, stop))
        opened.seek(start)
        try:
            while start < stop:
                content = opened.read(min(_BLOCK, stop - start))
                if b"\0" in content:
                    raise DataError(f"{printable(str(file))} is no text: it has bytes of value 0; name a text file")
                start += len(content)
                text = rest + decoder.decode(content, final=start == stop).removeprefix("\ufeff" if not rest else "")
                end = len(text) if start == stop else text.rfind("\n") + 1 or len(text)
                if end:
                    yield text[:end]
                rest = text[end:]
        except UnicodeDecodeError as error:
            place = f"near byte {start:,}"
            raise DataError(f"{printable(str(file))} is not UTF-8 {place} ({error.reason}); convert it first") from None


def _character_at(file: BinaryIO, place: int) -> int:
    """The place of the first character that begins at a place or behind it."""
    file.seek(place)
    return place + next((k for k, byte in enumerate(file.read(4)) if byte & 0xC0 != 0x80), 0)


@dataclass
class _Gathered:
    """Pieces that are held in memory, to become passages."""

    texts: list[list[str]] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)
    ends: list[bool] = field(default_factory=list)
    is_open: bool = False

    def add(self, piece: Piece) -> None:
        """Takes in a piece, which goes on with the last one or begins anew."""
        if (piece.is_start or not self.is_open) and piece.text:
            self.texts.append([])
            self.documents.append(piece.document)
            self.ends.append(False)
        if self.texts and piece.document == self.documents[-1]:
            self.texts[-1].append(piece.text)
            self.ends[-1] = piece.is_end
        self.is_open = True

    def write(self, file: Path) -> Passages:
        """Writes the passages of what was gathered."""
        passages = Passages.of(["".join(texts) for texts in self.texts], self.documents, self.ends)
        columns = {"text": passages.texts, "document": passages.documents, "place": passages.places}
        pl.DataFrame({**columns, "is_end": passages.is_end}).write_parquet(file)
        return passages


def _pack(pieces: Iterator[Piece], folder: Path, key: str, size: int) -> None:
    """Writes a store, in one pass over the pieces.

    Raises:
        DataError: There is too little text.
    """
    text, starts = ArrayWriter(folder / "text.bin", np.uint8), ArrayWriter(folder / "pieces.bin", np.int64)
    gathered = {part: _Gathered() for part in _PARTS}
    stride, documents, characters = -(-size // SAMPLE), -1, 0
    for piece in pieces:
        documents = max(documents, piece.document)
        if piece.part != "train":
            gathered[piece.part].add(piece)
            continue
        if piece.is_start and piece.text:
            starts.append(np.array([text.rows]))
        if (text.rows // _BLOCK) % stride == 0:
            gathered["train"].add(piece)
        else:
            gathered["train"].is_open = False
        text.append(np.frombuffer(piece.text.encode("utf-8", "replace"), dtype=np.uint8))
        characters += len(piece.text)
    parts = {part: each.write(folder / f"{part}.parquet") for part, each in gathered.items()}
    if characters < _FEWEST or not all(len(part) for part in parts.values()):
        raise DataError(f"{characters:,} characters of text are too few to learn from and to hold back any; give more")
    held = ", ".join(f"{parts[part].characters:,} for {part}" for part in _PARTS[1:])
    notes = [f"Characters that are held back: {held}; all others are learnt from."]
    about = {"key": key, "characters": characters, "documents": documents + 1, "notes": notes}
    write_index(folder, about, {"text": text.finish(), "pieces": starts.finish()})
