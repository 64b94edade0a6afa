r"""Self-training: what a network and the best linear model say of texts without labels is learnt from as well.

A first network learns from the labels alone. With weights that the validation part chooses, it and the linear model
answer as a run does; the probabilities $q$ of that answer stand in the place of labels. From fresh weights a network
learns by

$$\mathcal{L} = -\sum_{labelled} \log p_y - \sum_{unlabelled} \sum_k q_k \log p_k$$

and so does the linear model: each learns what the other alone knows, on many more texts. They are those of the run, or
of several rounds they label the texts anew for the next ones.

Sources: H. Scudder, "Probability of error of some adaptive pattern-recognition machines", IEEE Transactions on
Information Theory 1965; G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network", 2015, for
probabilities in the place of classes; Q. Xie, M. Luong, E. Hovy and Q. Le, "Self-training with noisy student improves
ImageNet classification", CVPR 2020, for rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.dataset import Dataset, Split
from gatework.data.text import Texts, texts_of
from gatework.options import AnswerOptions
from gatework.tasks._task import Before
from gatework.tasks.classify.beside import candidates
from gatework.tasks.classify.options import PretrainingOptions

if TYPE_CHECKING:
    from torch import Tensor

    from gatework.recipe import Recipe
    from gatework.tasks.classify.task import ClassifyTask
    from gatework.tasks.classify.unlabelled import UnlabelledDataset

_SHARE = 0.3
"""The share of the minutes that training on labels alone may take, where two networks are trained."""


def labelling_network(task: ClassifyTask, dataset: UnlabelledDataset, recipe: Recipe, done: int) -> Before:
    """The training of a network that labels texts: as the run's own, the first one from the labels alone.

    Args:
        task: The run's, whose words it reads.
        dataset: The run's data, with the labels of the round before.
        recipe: The run's, with the minutes that are left.
        done: How many such networks there are.
    """
    plain = Dataset(**{each.name: getattr(dataset, each.name) for each in fields(Dataset)})
    rounds = recipe.section(PretrainingOptions).rounds
    share = 1 / (rounds + 1 - done) if done else _SHARE / rounds
    return Before(f"network-{done + 1}", task, plain, recipe.changed(minutes=share * recipe.training.minutes))


def with_answers(
    task: ClassifyTask, dataset: UnlabelledDataset, recipe: Recipe, weights: Mapping[str, Tensor], seconds: float
) -> tuple[Dataset, Recipe]:
    """The data with the texts without labels in the training part, and the recipe with the minutes that are left.

    Args:
        task: The run's.
        dataset: The run's data, with the labels of the round before.
        recipe: The run's.
        weights: Those of the network that labels.
        seconds: What its training took.
    """
    network: Any = task.model(recipe.model)
    network.load_state_dict(weights)
    held, further = dataset.validation, Split(dataset.unlabelled, task.no_targets(len(dataset.unlabelled)))
    outputs, others = (task.outputs(network, task.encode(split))[0] for split in (held, further))
    methods = candidates(dataset) if recipe.section(AnswerOptions).blend else []
    network.joining.join(methods, outputs, held.targets)
    scores = network.joining.joint.together(others, dataset.unlabelled)
    likely = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(np.float32)
    texts, known = texts_of(dataset.train), dataset.train.targets
    if known.ndim == 1:
        texts = Texts.joined([texts, dataset.unlabelled])
        known = np.eye(len(task.classes), dtype=np.float32)[known]
    targets = np.concatenate([known[: len(texts) - len(likely)], likely])
    if recipe.training.minutes:
        recipe = recipe.changed(minutes=max(recipe.training.minutes - seconds / 60, _SHARE * recipe.training.minutes))
    return replace(dataset, train=Split(texts, targets)), recipe
