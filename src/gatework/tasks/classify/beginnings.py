"""What is trained before a classifier, and what the classifier then begins from and learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gatework.data.text import TextEncoder
from gatework.errors import UsageError
from gatework.tasks import classify
from gatework.tasks.classify.options import PretrainingOptions
from gatework.tasks.classify.unlabelled import BegunDataset, UnlabelledDataset

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gatework.data.dataset import Dataset
    from gatework.recipe import Recipe
    from gatework.tasks._task import Before, Earlier
    from gatework.tasks.classify.task import ClassifyTask


def before(task: ClassifyTask, dataset: Dataset, recipe: Recipe, earlier: Sequence[Earlier]) -> Before | None:
    """The next training of a language model, or of a first network; None where no more is wanted.

    Raises:
        UsageError: The texts without labels are not in the dataset.
    """
    plan = recipe.section(PretrainingOptions)
    if plan.pretrain is None and plan.unlabelled is None:
        return None
    if not isinstance(dataset, UnlabelledDataset) or not isinstance(task.encoder, TextEncoder):
        what = "unlabelled is" if plan.pretrain is None else "pretrain is"
        raise UsageError(f"{what} read with the data; name a file, a frame or a data set in place of a Dataset")
    if not earlier and (plan.unlabelled is None or plan.contextual):
        return classify.before(task.encoder, dataset, recipe)
    if plan.unlabelled is None or len(earlier) > bool(plan.contextual):
        return None
    return classify.first_network(task, dataset, recipe, earlier)


def following(
    task: ClassifyTask, dataset: Dataset, recipe: Recipe, earlier: Sequence[Earlier]
) -> tuple[Dataset, Recipe, Mapping[str, Tensor]]:
    """As `Task.following()`: where a first network has answered texts without labels they are learnt too, afresh."""
    plan = recipe.section(PretrainingOptions)
    if not isinstance(dataset, UnlabelledDataset) or plan.unlabelled is None:
        return dataset, recipe, earlier[-1].weights if earlier else {}
    return *classify.with_answers(task, dataset, recipe, earlier), earlier[0].weights if plan.contextual else {}


def begin(model: nn.Module, dataset: Dataset, earlier: Mapping[str, Tensor]) -> None:
    """Gives a network what a language model has learnt, which a run of its own holds, or `earlier` does."""
    if isinstance(dataset, BegunDataset):
        dataset.earlier.given_to(model.get_submodule("embedding"), "embedding.")
        dataset.earlier.given_to(model.get_submodule("recurrent"), "recurrent.")
    elif earlier:
        context: nn.Module | None = getattr(model, "context", None)
        classify.take_over(model if context is None else context, earlier)
