r"""What a classifier learns by.

The loss of classes is the cross-entropy, $-\log \mathrm{softmax}(outputs)_{target}$; of an example of no class it is
the mean of that of all classes, which is least where none is likelier than another. A network that hears also learns
whether there is a word at all, by the binary cross-entropy over the recordings of words and those of none.

Source: A. Dhamija, M. Günther and T. Boult, "Reducing network agnostophobia", 2018, for the loss of no class.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from gatework.tasks._task import Loss
from gatework.tasks.classify.augmented import MixedBatch

if TYPE_CHECKING:
    from gatework.data.dataset import Batch

NO_CLASS = -1
"""The target of a recording of no word."""


def class_loss(
    outputs: Tensor, targets: Tensor, weights: Sequence[float] = (), of_examples: Tensor | None = None
) -> Loss:
    """The cross-entropy, summed over examples.

    Args:
        outputs: Shape (examples, classes).
        targets: Class indices, or `NO_CLASS`, shape (examples,); or how probable each class is, (examples, classes).
        weights: How many times an example of each class counts; once if empty.
        of_examples: How many times each example counts besides, shape (examples,); once if None.
    """
    if targets.dim() > 1:
        right = (outputs.detach().argmax(1) == targets.argmax(1)).sum()
        return Loss(cross_entropy(outputs, targets, reduction="sum"), len(targets), {"accuracy": float(right)})
    right, known = (outputs.detach().argmax(1) == targets).sum(), targets != NO_CLASS
    each = outputs.new_tensor(weights) if weights else None
    if of_examples is None:
        total = cross_entropy(outputs, targets, each, reduction="sum", ignore_index=NO_CLASS)
    else:
        total = cross_entropy(outputs, targets, each, reduction="none", ignore_index=NO_CLASS) @ of_examples
    if not known.all():
        total = total - outputs[~known].log_softmax(1).mean(1).sum()
    count = int(known.sum()) if each is None else float(each[targets[known]].sum())
    return Loss(total, count, {"accuracy": float(right)})


def heard_loss(network: Any, batch: Batch, is_word: Tensor, weights: Sequence[float] = ()) -> Loss:
    """The loss of a network that also says whether there is a word.

    Args:
        network: A `Classifier` that listens for its classes.
        batch: Recordings.
        is_word: Whether a class is a word, shape (classes,); a recording without a class has none.
        weights: As `class_loss()` takes them.
    """
    outputs, presence = network.heard(**batch.tensors())
    plain, targets = class_loss(outputs, batch.targets, weights), batch.targets
    if isinstance(batch, MixedBatch):
        other = class_loss(outputs, batch.others, weights)  # of the same weight: the same recordings in another order
        # The logit stays in the sum so that every weight has a gradient at each step.
        total = torch.lerp(other.total, plain.total, batch.share) + 0.0 * presence.sum()
        return Loss(total, plain.weight, plain.sums)
    words = is_word.to(targets.device)[targets.clamp_min(0)] & (targets != NO_CLASS)
    heard = binary_cross_entropy_with_logits(presence, words.to(presence.dtype), reduction="sum")
    return Loss(plain.total + heard, plain.weight, plain.sums)


def withstanding_loss(network: Any, batch: Batch, share: float, weights: Sequence[float] = ()) -> Loss:
    """The mean loss over a batch of texts and its worst neighbour; see `Classifier.withstanding()`."""
    outputs = network.withstanding(lambda scores: cross_entropy(scores, batch.targets), share, **batch.tensors())
    plain, moved = (class_loss(half, batch.targets, weights) for half in outputs.chunk(2))
    return Loss((plain.total + moved.total) / 2, plain.weight, plain.sums)


def training_loss(
    model: nn.Module,
    batch: Batch,
    words: Collection[str],
    classes: Sequence[str],
    weights: Sequence[float] = (),
    adversarial: float = 0.0,
) -> Loss | None:
    """What a network learns by where that is more than the loss of its classes; None where it is not.

    Args:
        model: The network.
        batch: What it learns from.
        words: The classes that a stream is searched for.
        classes: All of them.
        weights: As `class_loss()` takes them.
        adversarial: How far word vectors are moved, as a share of their length; they are not if 0.
    """
    if not model.training:
        return None
    if adversarial:
        return withstanding_loss(model, batch, adversarial, weights)
    if getattr(model, "presence", None) is None:
        return None
    return heard_loss(model, batch, torch.tensor([name in words for name in classes]), weights)
