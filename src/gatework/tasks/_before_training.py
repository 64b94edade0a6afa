"""Questions to a task before a training."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from gatework.errors import DataError
from gatework.tasks._core import Core
from gatework.tasks._findings import Findings, sentence

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset
    from gatework.recipe import Recipe

_PARTS = {"train": "training", "validation": "validation", "test": "testing"}


class BeforeTraining(Core):
    """What is asked before a training: whether it can be, what is left to decide, what it will be like."""

    @classmethod
    def check(cls, source: Any, recipe: Recipe) -> Findings:
        """What a dry look at data says: what was read, and what would stop a training.

        Args:
            source: As for `load()`.
            recipe: What would be trained.
        """
        try:
            dataset = cls.load(source, recipe)
        except DataError as error:
            return Findings((), (sentence(error),))
        return Findings(tuple(cls.fit(dataset, recipe.data).about(dataset)), (), dataset.provenance.notes)

    @classmethod
    def decided(cls, recipe: Recipe, dataset: Dataset, given: Collection[str]) -> Recipe:
        """The task's own recipe with what depends on the data; the recipe itself by default.

        Args:
            recipe: The recipe.
            dataset: The data.
            given: The fields that a person gave, by their bare or qualified names, which stay as they are.
        """
        return recipe

    @classmethod
    def bound(cls, recipe: Recipe, dataset: Dataset, given: Collection[str]) -> Recipe:
        """Any recipe with what a network that it begins from leaves no choice about; the recipe itself by default.

        Args:
            recipe: The recipe.
            dataset: The data.
            given: The fields that a person gave, by their bare or qualified names.
        """
        return recipe

    def about(self, dataset: Dataset) -> list[str]:
        """What was read, in lines for a person: how many examples for what."""
        parts = (f"{len(getattr(dataset, name)):,} for {word}" for name, word in _PARTS.items())
        return [f"{dataset.name}: {', '.join(parts)}"]

    def outlook(self, dataset: Dataset, recipe: Recipe, step_seconds: Callable[[], float]) -> list[str]:
        """What a person may expect of a training before it begins, in lines; nothing by default.

        Args:
            dataset: The data.
            recipe: What is trained.
            step_seconds: Measures what a step takes, which takes some steps.
        """
        return []
