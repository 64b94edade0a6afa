"""Pairs of sentences to a Dataset: tidied by told rules, and split so that no sentence is in two parts."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gatework import data
from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.pair_rules import groups_of, tidied
from gatework.data.pairs import Pairs, examples_of, read_pairs, read_parts
from gatework.data.sets import REGISTRY
from gatework.data.split import split
from gatework.data.text import Texts
from gatework.errors import DataError, UsageError, nearest
from gatework.options import DataOptions, as_list
from gatework.recipe import Recipe
from gatework.tasks.translate.options import TranslateOptions

MOST_HELD_BACK = 2000
"""Pairs: more than these tell little more of a translation, and cost time after every epoch."""


@dataclass(frozen=True)
class PairDataset(Dataset):
    """A Dataset of pairs of sentences.

    Attributes:
        settings: How they are to be translated.
    """

    settings: TranslateOptions = field(default_factory=TranslateOptions)


def load_pairs(source: Any, recipe: Recipe) -> PairDataset:
    """Reads, tidies and splits pairs.

    Args:
        source: A registered data set of pairs, a path, or a data frame.
        recipe: What is trained.

    Raises:
        UsageError: There is no such data set or file, or a side must be named.
        DataError: The data are not what was expected.
    """
    settings, config = recipe.section(TranslateOptions), recipe.data
    if isinstance(source, str) and source in REGISTRY:
        return _registered(source, config, settings)
    if isinstance(source, str) and not (os.path.exists(source) or "." in source or os.sep in source):
        raise UsageError(f'there is no data set and no file "{source}": {nearest(source, REGISTRY)}')
    names = sides(config, settings)
    if isinstance(source, (str, os.PathLike)) and Path(source).is_dir():
        return _of_folder(Path(source), config, settings, names)
    pairs = tidied(read_pairs(source, config, names))
    return divided(pairs, config, settings)


def read_known(source: Any, recipe: Recipe, columns: tuple[str, str]) -> Split:
    """Pairs with known translations, every one as it stands; of a data set or a folder its test part."""
    settings, config = recipe.section(TranslateOptions), recipe.data
    if isinstance(source, str) and source in REGISTRY:
        return _registered(source, config, settings).test
    if isinstance(source, (str, os.PathLike)) and Path(source).is_dir():
        parts = read_parts(Path(source), config, columns)
        return _split_of(parts.get("test", parts["train"]))
    return _split_of(read_pairs(source, config, columns))


def sides(config: DataOptions, settings: TranslateOptions) -> tuple[str | None, str | None]:
    """The names of both sides, where they were given.

    Raises:
        UsageError: Several columns are named for one side.
    """
    targets = as_list(config.target)
    if len(targets) > 1:
        raise UsageError(f"one column holds the translations; {', '.join(targets)} are {len(targets)}, name one")
    return settings.source_column, targets[0] if targets else None


def sides_of(split: Split) -> tuple[list[str], list[str]]:
    """The sentences of a split and their translations."""
    return split.table()["text"].to_list(), split.targets.tolist()


def divided(pairs: Pairs, config: DataOptions, settings: TranslateOptions) -> PairDataset:
    """A Dataset whose parts share no sentence on either side.

    Raises:
        DataError: The pairs are too few.
    """
    if len(pairs) < 2:
        raise DataError(f"{pairs.where} holds {len(pairs)} pairs that can be learnt from; give more")
    groups = groups_of(pairs.source, pairs.target)
    most = MOST_HELD_BACK / len(pairs)
    shares = {"validation": min(config.validation, most), "test": min(config.test, most)}
    parts = split(groups, None, **shares, seed=config.split_seed)
    examples = _split_of(pairs)
    alike = len(pairs) - len(np.unique(groups))
    note = f"{alike:,} of {len(pairs):,} pairs share a sentence with another and went to the same part as that."
    train, validation, test = (examples.take(part) for part in parts)
    return _dataset(pairs, (train, validation, test), settings, (note,) if alike else ())


def _of_folder(
    folder: Path, config: DataOptions, settings: TranslateOptions, names: tuple[str | None, str | None]
) -> PairDataset:
    """The parts of a folder; a part that it lacks is cut from the training part."""
    parts = read_parts(folder, config, names)
    train = tidied(parts["train"])
    cut = divided(train, config, settings)
    validation, test = (_split_of(parts[part]) if part in parts else None for part in ("validation", "test"))
    fingerprint = hashlib.sha256("".join(part.fingerprint for part in parts.values()).encode()).hexdigest()
    return dataclasses.replace(
        cut,
        name=folder.resolve().name,
        train=_split_of(train) if validation and test else cut.train,
        validation=validation or cut.validation,
        test=test or cut.test,
        provenance=Provenance(str(folder), "yours", fingerprint, (*train.notes, *_shared(train, parts))),
    )


def _shared(train: Pairs, parts: dict[str, Pairs]) -> list[str]:
    """How many test sentences are known from training, where the parts were given."""
    if "test" not in parts:
        return []
    test = parts["test"]
    known = int((test.source.is_in(train.source.implode()) | test.target.is_in(train.target.implode())).sum())
    return [f"{known:,} of the {len(test):,} test pairs share a sentence with the training part."] if known else []


def _dataset(
    pairs: Pairs, parts: tuple[Split, Split, Split], settings: TranslateOptions, notes: tuple[str, ...]
) -> PairDataset:
    provenance = Provenance(pairs.where, "yours", pairs.fingerprint, (*pairs.notes, *notes))
    columns = {"source": pairs.columns[0], "target": pairs.columns[1]}
    return PairDataset(pairs.name, "pairs", *parts, provenance, columns=columns, settings=settings)


def _registered(name: str, config: DataOptions, settings: TranslateOptions) -> PairDataset:
    """A registered data set of pairs, turned round where the sides are named so."""
    dataset = data.load(name, config)
    if dataset.kind != "pairs":
        raise UsageError(f'"{name}" holds no pairs of sentences; name a file of pairs or another data set')
    source, target = sides(config, settings)
    known = dict(dataset.columns)
    if any(side not in (None, *known.values()) for side in (source, target)):
        raise UsageError(
            f'"{name}" holds {known["source"]} and {known["target"]}; name these with --source and --target'
        )
    if source == known["target"] or target == known["source"]:
        dataset = _turned(dataset)
    values = {f.name: getattr(dataset, f.name) for f in dataclasses.fields(Dataset)}
    return PairDataset(**values, settings=settings)


def _turned(dataset: Dataset) -> Dataset:
    columns = {"source": dataset.columns["target"], "target": dataset.columns["source"]}
    train, validation, test = (_turned_part(part) for part in (dataset.train, dataset.validation, dataset.test))
    return dataclasses.replace(dataset, train=train, validation=validation, test=test, columns=columns)


def _turned_part(part: Split) -> Split:
    sources, targets = sides_of(part)
    return Split(Texts.of(targets), np.array(sources, dtype=object))


def _split_of(pairs: Pairs) -> Split:
    return examples_of(pairs.source, pairs.target)
