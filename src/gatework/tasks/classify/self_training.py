r"""Self-training: what a first network and the best linear model say of texts without labels is learnt from as well.

The first network learns from the labels alone. With weights that the validation part chooses, it and the linear model
answer as a run does; the probabilities $q$ of that answer stand in the place of labels. From fresh weights the run's
own network learns by

$$\mathcal{L} = -\sum_{labelled} \log p_y - \sum_{unlabelled} \sum_k q_k \log p_k$$

and so does the linear model that answers beside it: each learns what the other alone knows, on many more texts.

Sources: H. Scudder, "Probability of error of some adaptive pattern-recognition machines", IEEE Transactions on
Information Theory 1965; G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network", 2015, for
probabilities in the place of classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.dataset import Dataset, Split
from gatework.data.text import Texts, texts_of
from gatework.options import AnswerOptions
from gatework.tasks._task import Before
from gatework.tasks.classify.beside import candidates

if TYPE_CHECKING:
    from gatework.recipe import Recipe
    from gatework.tasks._task import Earlier
    from gatework.tasks.classify.task import ClassifyTask
    from gatework.tasks.classify.unlabelled import UnlabelledDataset

NAME = "first-network"
"""The folder of the first network in that of a run."""
_SHARE = 0.3
"""The share of the minutes that its training may take."""


def first_network(task: ClassifyTask, dataset: UnlabelledDataset, recipe: Recipe, earlier: Sequence[Earlier]) -> Before:
    """The training of the first network: as the run's own, from the labels alone.

    Args:
        task: The run's, whose words it reads.
        dataset: The run's data.
        recipe: The run's.
        earlier: The language model that it reads with words, if any.
    """
    labelled = Dataset(**{each.name: getattr(dataset, each.name) for each in fields(Dataset)})
    changed = recipe.changed(minutes=_SHARE * recipe.training.minutes)
    return Before(NAME, task, labelled, changed, earlier[-1].weights if earlier else {})


def with_answers(
    task: ClassifyTask, dataset: UnlabelledDataset, recipe: Recipe, earlier: Sequence[Earlier]
) -> tuple[Dataset, Recipe]:
    """The data with the texts without labels in the training part, and the recipe with the minutes that are left.

    Args:
        task: The run's.
        dataset: The run's data.
        recipe: The run's.
        earlier: The trainings before, the last of which is that of the first network.
    """
    network: Any = task.model(recipe.model)
    network.load_state_dict(earlier[-1].weights)
    held, further = dataset.validation, Split(dataset.unlabelled, task.no_targets(len(dataset.unlabelled)))
    outputs, others = (task.outputs(network, task.encode(split))[0] for split in (held, further))
    methods = candidates(dataset) if recipe.section(AnswerOptions).blend else []
    network.joining.join(methods, outputs, held.targets)
    scores = network.joining.joint.together(others, dataset.unlabelled)
    known = np.eye(len(task.classes), dtype=np.float32)[dataset.train.targets]
    likely = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(np.float32)
    texts = Texts.joined([texts_of(dataset.train), dataset.unlabelled])
    if minutes := recipe.training.minutes:
        left = minutes - sum(each.seconds for each in earlier) / 60
        recipe = recipe.changed(minutes=max(left, _SHARE * minutes))
    return replace(dataset, train=Split(texts, np.concatenate([known, likely]))), recipe
