"""A trained run as a file for other people's systems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatework.errors import UsageError
from gatework.export._models import is_network
from gatework.export._write import write
from gatework.training.predictor import Predictor


def run(predictor: Predictor, to: str, file: Path) -> str:
    """Writes the network of a run with what it needs to predict: tokeniser, scaling, labels.

    Args:
        predictor: The run, opened.
        to: The target, one of `TARGETS`.
        file: Where to write.

    Returns:
        A sentence for a person: what was written, and how it was checked.

    Raises:
        UsageError: There is no such target, or it has nothing for the network.
        ExportError: The export is not what the network is; nothing is written.
    """
    task, network = predictor.task, predictor.network
    about: dict[str, Any] = {"task": predictor.run.recipe.task, **task.state()}
    if not is_network(network):
        raise UsageError(
            f'a network of the task "{predictor.run.recipe.task}" cannot be exported from its run yet; '
            "gatework.export.onnx(run.network, FILE, inputs=...) writes one from an example of what it takes"
        )
    return write(network, to, file, about=about)
