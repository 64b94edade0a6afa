"""The Large Movie Review Dataset: 25,000 reviews for training and 25,000 for testing, half of them positive.

The reviews are read straight from the official archive. They and their tokens are kept in the cache, under the
archive's fingerprint and the tokeniser's version, so that the second time takes a second.

Source: A. L. Maas et al., "Learning word vectors for sentiment analysis", ACL 2011. No licence is stated; cite the
paper.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import re
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gatework._files import cache_folder, whole_folder
from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.download import official_file
from gatework.data.sets._spec import SetSpec
from gatework.data.split import divided
from gatework.data.text import Texts
from gatework.data.tokens import TOKENISER_VERSION, Tokens, tokenise
from gatework.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from gatework.options import DataOptions

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
LICENCE = "none stated; cite Maas et al. 2011"
CLASSES = ("neg", "pos")
_REVIEW = re.compile(r"aclImdb/(train|test)/(neg|pos)/(\d+)_\d+\.txt")
_UNLABELLED = re.compile(r"aclImdb/(train)/(unsup)/(\d+)_\d+\.txt")
_PARTS = {(part, label) for part in ("train", "test") for label in CLASSES}


def load(config: DataOptions) -> Dataset:
    """The official training and test parts; `config` gives the validation part's share and seed.

    Raises:
        DataError: The archive cannot be downloaded, or is truncated or not the official one.
    """
    archive = official_file("imdb", URL, MD5)
    fingerprint = _fingerprint(archive.path)
    reviews, tokens = _parsed(archive.path, fingerprint, is_labelled=True)
    examples = Split(Texts.with_tokens(reviews["text"], tokens), reviews["label"].to_numpy().astype(np.int64))
    is_train = (reviews["part"] == "train").to_numpy()
    train, test = (examples.take(np.flatnonzero(chosen)) for chosen in (is_train, ~is_train))
    provenance = Provenance(URL, LICENCE, fingerprint, archive.notes)
    return divided(train, config, provenance, name=SPEC.name, test=test, classes=CLASSES)


def unlabelled() -> Texts:
    """The 50,000 reviews without a label; none of them is in the training or the test part.

    Raises:
        DataError: As for `load()`.
    """
    archive = official_file("imdb", URL, MD5).path
    reviews, tokens = _parsed(archive, _fingerprint(archive), is_labelled=False)
    return Texts.with_tokens(reviews["text"], tokens)


def _fingerprint(archive: Path) -> str:
    with open(archive, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parsed(archive: Path, fingerprint: str, *, is_labelled: bool) -> tuple[pl.DataFrame, Tokens]:
    """The reviews and their tokens, from the cache if they are there."""
    import polars as pl

    name = "reviews" if is_labelled else "unlabelled"
    kept = cache_folder() / "imdb" / f"{name}-{fingerprint[:16]}-{TOKENISER_VERSION}"
    try:
        return _read_kept(kept)
    except FileNotFoundError:
        pass
    except (pl.exceptions.PolarsError, OSError):
        shutil.rmtree(kept, ignore_errors=True)
    reviews = _read_archive(archive, is_labelled=is_labelled)
    tokens = tokenise(reviews["text"])
    _keep(kept, reviews, tokens)
    return reviews, tokens


def _read_archive(archive: Path, *, is_labelled: bool) -> pl.DataFrame:
    """Every labelled review with its part and class, or every other, in the order of the official numbers."""
    import polars as pl

    rows = []
    names, parts = (_REVIEW, _PARTS) if is_labelled else (_UNLABELLED, {("train", "unsup")})
    try:
        with gzip.open(archive) as content, tarfile.open(fileobj=content, mode="r|") as tar:
            for member in tar:
                match = names.fullmatch(member.name)
                review = tar.extractfile(member) if match else None
                if match and review:
                    part, label, number = match.groups()
                    rows.append((part, label, int(number), review.read().decode("utf-8")))
            while content.read(1 << 20):
                pass  # to the end, where the checksum is
    except (EOFError, gzip.BadGzipFile, tarfile.ReadError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{archive} is truncated or damaged ({error}); delete it and download it again") from None
    missing = parts - {(part, label) for part, label, *_ in rows}
    if missing:
        folders = ", ".join(sorted(f"aclImdb/{part}/{label}" for part, label in missing))
        raise DataError(f"{archive} is not the official archive: it holds no reviews in {folders}")
    schema = {"part": pl.String, "label": pl.String, "number": pl.Int32, "text": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row").sort("part", "label", "number")
    frame = frame.with_columns((pl.col("label") == CLASSES[1]).cast(pl.UInt8))
    return frame.with_columns(pl.col("text").str.replace_all("<br />", "\n", literal=True))


def _read_kept(folder: Path) -> tuple[pl.DataFrame, Tokens]:
    import polars as pl

    reviews = pl.read_parquet(folder / "reviews.parquet", glob=False)
    ids = pl.read_parquet(folder / "ids.parquet", glob=False)["id"].to_numpy()
    types = pl.read_parquet(folder / "types.parquet", glob=False)["token"]
    lengths = reviews["tokens"].to_numpy()
    return reviews, Tokens(types, ids, np.cumsum(lengths) - lengths, lengths)


def _keep(folder: Path, reviews: pl.DataFrame, tokens: Tokens) -> None:
    """Writes the cache in one piece; without room for it, the next time is as slow as this one."""
    import polars as pl

    with contextlib.suppress(OSError, pl.exceptions.PolarsError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(folder) as temporary:
            kept = reviews.with_columns(tokens=pl.Series(tokens.lengths))
            kept.write_parquet(temporary / "reviews.parquet", compression="lz4")
            pl.DataFrame({"id": tokens.ids}).write_parquet(temporary / "ids.parquet", compression="lz4")
            tokens.types.to_frame("token").write_parquet(temporary / "types.parquet", compression="lz4")


SPEC = SetSpec(
    name="imdb",
    title="50,000 film reviews, positive or negative (Maas et al. 2011)",
    licence=LICENCE,
    load=load,
    recipe="imdb",
    is_built_in=False,
    url=URL,
    unlabelled=unlabelled,
)
