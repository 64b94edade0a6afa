"""Texts without labels beside those with labels: how they are read, and how a classifier that knows them is trained."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.dataset import Dataset, Split
from gatework.data.inputs import Inputs
from gatework.data.known_lines import is_known
from gatework.data.pieces import PieceVocabulary, SubwordTokens
from gatework.data.store.inputs import PackedInputs
from gatework.data.text import Texts, texts_of
from gatework.data.unlabelled import read_unlabelled
from gatework.errors import UsageError
from gatework.tasks._language_run import LanguageRun
from gatework.tasks.classify.options import LossOptions, PretrainingOptions

if TYPE_CHECKING:
    from gatework.recipe import Recipe

_OF_PRETRAINED: Mapping[str, Any] = {
    "hidden": 256,
    "embedding": 200,
    "pooling": "concat",
    "dropout": 0.2,
    "embedding_dropout": 0.3,
    "learning_rate": 5e-3,
    "epochs": 5,
}
"""What a network that begins from a language model needs."""
_SHARE = 0.5
"""The share of the minutes that the pre-training takes where nothing else is said."""


@dataclass(frozen=True)
class UnlabelledDataset(Dataset):
    """A Dataset of labelled texts, with further ones.

    Attributes:
        unlabelled: Texts without labels, none of which is in the validation or the test part.
        contextual: The units of the language model of these texts that is read beside words; 0 without one.
    """

    unlabelled: Texts = field(kw_only=True)
    contextual: int = 0

    @property
    def without_labels(self) -> tuple[Inputs, ...]:
        """The further texts."""
        return (self.unlabelled,)


@dataclass(frozen=True)
class BegunDataset(Dataset):
    """A Dataset of labelled texts, with a language model that has read none of those that are held back.

    Attributes:
        earlier: The language model.
        pieces: What it reads texts as.
    """

    earlier: LanguageRun = field(kw_only=True)
    pieces: PieceVocabulary = field(kw_only=True)


def with_unlabelled(dataset: Dataset, recipe: Recipe) -> Dataset:
    """A dataset with the texts without labels, or the language model, that a recipe names; itself where it names none.

    Raises:
        UsageError: The data are series, or the recipe's network cannot begin so.
        DataError: The texts cannot be read.
    """
    plan = recipe.section(PretrainingOptions)
    flags = {"--pretrain": plan.pretrain, "--unlabelled": plan.unlabelled, "--from": plan.from_run}
    given = [flag for flag, value in flags.items() if value is not None]
    if plan.contextual:
        _check_context(recipe, is_unlabelled=plan.unlabelled is not None)
    if not given:
        return dataset
    train, flag = dataset.train.inputs, given[0]
    if isinstance(train, PackedInputs):
        raise UsageError(
            f"{flag} needs the texts in memory, and they are in a store; leave it out, or give fewer texts"
        )
    if not isinstance(train, Texts):
        raise UsageError(f'{flag} is of texts, and "{dataset.name}" holds series; leave it out')
    if plan.unlabelled is not None:
        _check_self_training(recipe, given)
        return _with_texts(dataset, plan.unlabelled, recipe, train)
    if plan.pretrain is None:
        return _begun(dataset, LanguageRun(str(plan.from_run)))
    if plan.from_run is not None:
        raise UsageError(
            "--pretrain learns a language model and --from takes one that is there: give one of them, or go on with "
            f"that model first: gatework train generate FILE --from {plan.from_run}"
        )
    if recipe.model.bidirectional and recipe.model.layers > 1:
        raise UsageError(
            "--pretrain: of several layers that read both ways the upper ones know the word to predict; "
            "give --layers 1 or --no-bidirectional"
        )
    return _with_texts(dataset, plan.pretrain, recipe, train)


def _check_context(recipe: Recipe, *, is_unlabelled: bool) -> None:
    """Refuses a language model beside a network that has no texts for it, or that reads one way."""
    if not is_unlabelled:
        raise UsageError("--contextual is a language model of more texts; give some without labels: --unlabelled FILE")
    if not recipe.model.bidirectional:
        raise UsageError("--contextual is a language model that reads both ways; give --bidirectional")


def _check_self_training(recipe: Recipe, given: Sequence[str]) -> None:
    """Refuses what does not go with texts that a first network labels."""
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are two ways to begin; give one of them")
    if recipe.section(LossOptions).class_weights is not None:
        raise UsageError("--class-weights counts labels, and --unlabelled gives texts probabilities; leave one out")
    if recipe.section(PretrainingOptions).label_curve:
        raise UsageError("--label-curve needs a beginning that knows no label; leave it out, or --unlabelled")


def _with_texts(dataset: Dataset, source: str, recipe: Recipe, train: Texts) -> UnlabelledDataset:
    held = [part.inputs for part in (dataset.validation, dataset.test) if isinstance(part.inputs, Texts)]
    texts, fingerprint, notes = read_unlabelled(source, recipe.data, train, held)
    units = recipe.section(PretrainingOptions).contextual
    return UnlabelledDataset(**_with_more(dataset, fingerprint, notes), unlabelled=texts, contextual=units)


def _begun(dataset: Dataset, earlier: LanguageRun) -> BegunDataset:
    """A dataset without the held texts that a language model has read."""
    if not isinstance(earlier.tokens, SubwordTokens):
        raise UsageError(
            f"--from {earlier.folder} reads characters, and a classifier reads too few of them to know a text; train "
            "one with --level subword"
        )
    parts, notes = {}, []
    for name, words in (("validation", "that validate"), ("test", "to be tested on")):
        part: Split = getattr(dataset, name)
        is_read = is_known(texts_of(part).strings, earlier.learnt_lines)
        if 2 * is_read.sum() > len(part):
            raise UsageError(
                f"--from {earlier.folder} has read {is_read.sum():,} of the {len(part):,} texts {words}, which would "
                "tell nothing of new ones; train a language model of others"
            )
        parts[name] = part.take(np.flatnonzero(~is_read))
        if is_read.any():
            notes.append(
                f"{is_read.sum():,} of the {len(part):,} texts {words} were read by the language model and left out."
            )
    fingerprint = hashlib.sha256(b"".join(w.numpy().tobytes() for w in earlier.weights.values())).hexdigest()
    kept = _with_more(dataset, fingerprint, notes) | parts
    return BegunDataset(**kept, earlier=earlier, pieces=PieceVocabulary(earlier.tokens))


def _with_more(dataset: Dataset, fingerprint: str, notes: Sequence[str]) -> dict[str, Any]:
    """The fields of a dataset, its provenance with that of what else is learnt from."""
    before = dataset.provenance
    both = hashlib.sha256(f"{before.fingerprint} {fingerprint}".encode()).hexdigest()
    provenance = replace(before, fingerprint=both, notes=(*before.notes, *notes))
    return {each.name: getattr(dataset, each.name) for each in fields(Dataset)} | {"provenance": provenance}


def bound_recipe(recipe: Recipe, earlier: LanguageRun, named: Collection[str]) -> Recipe:
    """A recipe with the size of the language model that its network begins from.

    Args:
        recipe: The task's.
        earlier: The language model.
        named: The fields that a person gave.

    Raises:
        UsageError: They gave another size.
    """
    sizes = earlier.sizes | {"bidirectional": False}
    wrong = [name for name in sizes if name in named and getattr(recipe.model, name) != sizes[name]]
    if wrong:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in wrong)
        raise UsageError(f"the network begins from --from {earlier.folder} and has its size; leave out {flags}")
    return recipe.changed(**sizes)


def pretrained_recipe(recipe: Recipe, named: Collection[str]) -> Recipe:
    """The recipe of a network that begins from a language model.

    Args:
        recipe: The task's.
        named: The fields that a person gave, which stay as they are.
    """
    changes = dict(_OF_PRETRAINED)
    plan = recipe.section(PretrainingOptions)
    if plan.from_run is not None:
        del changes["hidden"], changes["embedding"]
    elif recipe.training.minutes and "pretrain_minutes" not in named:
        changes |= {"pretrain_minutes": _SHARE * recipe.training.minutes}
        recipe = recipe.changed(minutes=(1 - _SHARE) * recipe.training.minutes)
    return recipe.changed(**{name: value for name, value in changes.items() if name not in named})


def unfrozen(plan: PretrainingOptions, share: float) -> tuple[float, float, float]:
    """What the learning rates of the output, the layers and the word vectors are multiplied by.

    The output learns alone at first, then with the layers, then all learn; each part at a lower rate than the one above
    it. Source: J. Howard and S. Ruder, "Universal language model fine-tuning for text classification", ACL 2018.

    Args:
        plan: When a part begins, and how much lower its rate is.
        share: The share of the training that is done.
    """
    layers = 1 / plan.falling if share >= plan.unfreezing else 0.0
    words = 1 / plan.falling**2 if share >= 2 * plan.unfreezing else 0.0
    return 1.0, layers, words
