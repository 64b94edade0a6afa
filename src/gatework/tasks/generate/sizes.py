"""What fits a text and the minutes there are: the network's size, and what a person may expect of it."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from gatework._threads import usable_cores
from gatework.formatting import spell
from gatework.nn.precision import precision_here
from gatework.tasks.generate.options import GenerateOptions
from gatework.tasks.generate.passages import Passages
from gatework.tasks.generate.stored import StoredText
from gatework.tasks.generate.streams import Plan

if TYPE_CHECKING:
    from gatework.data.dataset import Split
    from gatework.data.pieces import Tokens
    from gatework.options import ModelOptions
    from gatework.recipe import Recipe
    from gatework.tasks.generate.data import TextDataset

# Layers and units, the smallest first; the first that is too slow or too large ends the search.
_SIZES = ((1, 64), (1, 128), (1, 192), (1, 256), (2, 256), (2, 384), (2, 512), (2, 768), (2, 1024), (3, 1024))
# Floating-point operations a second that a core reaches in training.
_SPEED = {"float32": 60e9, "bfloat16": 80e9}
# A network shall see its text so often; and no text is read more often than the last.
_PASSES, _MOST_PASSES = 3.5, 60
# Parameters for each character, beyond which a network does nothing but remember.
_SHARE, _ALWAYS = 4.0, 50_000
_CHARACTERS_OF_PIECE = 3.0
# What judging a token of the validation part costs, as a share of learning from one.
_JUDGED = 0.5
_EXPECTATIONS = (
    (20_000, "expect letters and words, and copies of what it has read; 200,000 are a better start"),
    (200_000, "expect words and phrases, some of them copied; 1,000,000 are a better start"),
    (3_000_000, "expect sentences that sound right and mean little"),
    (math.inf, "expect sentences that follow each other in style, not in thought"),
)


def sized(recipe: Recipe, dataset: TextDataset, given: Collection[str]) -> Recipe:
    """The recipe with the network and the passes that fit a text and the minutes, where a person gave none.

    Args:
        recipe: The recipe of the task.
        dataset: The text.
        given: The fields that a person gave, by their bare or qualified names.
    """
    bare = {name.rpartition(".")[2] for name in given}
    if dataset.plan.from_run:  # the size is decided
        bare |= {"hidden", "layers", "embedding", "vocabulary"}
    count, is_subword = characters(dataset.train), dataset.plan.level == "subword"
    length = int(count / _CHARACTERS_OF_PIECE) if is_subword else count
    decided: dict[str, Any] = {}
    if is_subword:
        decided["vocabulary"] = min(recipe.data.vocabulary, max(300, count // 400))
    if "epochs" in bare and "minutes" not in bare:
        decided["minutes"] = 0.0
    words = decided.get("vocabulary", 320)
    minutes = decided.get("minutes", recipe.training.minutes)
    if minutes and not bare & {"hidden", "layers"}:
        decided |= _size(recipe, length, words, minutes)
    chosen = recipe.changed(**{name: value for name, value in decided.items() if name not in bare})
    passes = _passes(chosen, length, words)
    share = min(0.5, 0.05 + 0.02 * passes)
    dropped = {"dropout": round(share, 2), "weight_drop": round(share / 2, 2)}
    if minutes and "epochs" not in bare:
        dropped["epochs"] = max(round(_MOST_PASSES / _plan(chosen, length).passes_of_epoch), 3)
    return chosen.changed(**{name: value for name, value in dropped.items() if name not in bare})


def about(dataset: TextDataset, tokens: Tokens) -> list[str]:
    """What was read, and what may be expected of it."""
    counts = [characters(part) for part in (dataset.train, dataset.validation, dataset.test)]
    of = f" in {dataset.documents:,} texts" if dataset.documents > 1 else ""
    expected = next(words for most, words in _EXPECTATIONS if counts[0] < most)
    return [
        f"{dataset.name}: {sum(counts):,} characters{of}, {counts[0]:,} for training, {counts[1]:,} for validation, "
        f"{counts[2]:,} for testing",
        f"read as {tokens.name}",
        f"{counts[0]:,} characters to learn from: {expected}",
    ]


def outlook(dataset: TextDataset, tokens: int, recipe: Recipe, step_seconds: float) -> list[str]:
    """How long training takes on this machine, and how often the text is read.

    Args:
        dataset: The text.
        tokens: Those of the training part.
        recipe: What is trained.
        step_seconds: What a step takes.
    """
    plan, limit = _plan(recipe, tokens), 60 * recipe.training.minutes
    judged = _JUDGED * characters(dataset.validation) / max(characters(dataset.train), 1)
    pass_seconds = plan.steps * step_seconds * (1 + judged / plan.passes_of_epoch)
    passes = recipe.training.epochs * plan.passes_of_epoch
    if limit and limit <= passes * pass_seconds:
        passes, time = limit / pass_seconds, f"is to end after {spell(limit)}"
    else:
        time = f"takes about {spell(passes * pass_seconds)}" + (f" (at most {spell(limit)})" if limit else "")
    return [f"training {time}, in which the text is read {passes:.2g} times"]


def characters(split: Split) -> int:
    """The characters of a part."""
    if isinstance(split, StoredText):
        return split.characters
    return split.inputs.characters if isinstance(split.inputs, Passages) else 0


def _size(recipe: Recipe, length: int, words: int, minutes: float) -> dict[str, Any]:
    """The largest network that is not too slow for these tokens and minutes, and not too large for them."""
    chosen: dict[str, Any] = {}
    for layers, hidden in _SIZES:
        wide = min(hidden, 128) if words < 1000 else max(hidden // 2, 64)
        size = {"layers": layers, "hidden": hidden, "embedding": wide}
        model = recipe.changed(**size).model
        passes = 60 * minutes * _speed(recipe) / _operations(model, words) / length
        is_too_large = _parameters(model, words) > _SHARE * length + _ALWAYS
        if chosen and (passes < _PASSES or is_too_large):
            break
        chosen = size
    return chosen


def _passes(recipe: Recipe, length: int, words: int) -> float:
    """How often a training reads its text."""
    most = recipe.training.epochs * _plan(recipe, length).passes_of_epoch
    if not recipe.training.minutes:
        return most
    return min(60 * recipe.training.minutes * _speed(recipe) / _operations(recipe.model, words) / length, most)


def _plan(recipe: Recipe, length: int) -> Plan:
    return Plan.of(length, recipe.training.batch_size, recipe.section(GenerateOptions).window)


def _speed(recipe: Recipe) -> float:
    return _SPEED[precision_here(recipe.training.precision)] * usable_cores()


def _parameters(model: ModelOptions, words: int) -> int:
    units, gates = model.hidden, 4
    layers = gates * units * (model.embedding + units + 2 * units * (model.layers - 1))
    return layers + units * model.embedding + words * (model.embedding + 1)


def _operations(model: ModelOptions, words: int) -> int:
    """Floating-point operations of one token in training: two for each weight, and twice that on the way back."""
    return 6 * _parameters(model, words)
