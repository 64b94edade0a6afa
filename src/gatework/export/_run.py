"""A trained run as a file for other people's systems."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatework._files import atomic
from gatework.errors import UsageError
from gatework.export._models import is_network
from gatework.export._onnx import Exported, onnx
from gatework.export._write import write
from gatework.tasks._after_training import Exportable
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
    task, blend = predictor.task, predictor.task.blend
    about: dict[str, Any] = {"task": predictor.run.recipe.task, **task.state()}
    written = _written(predictor, to, file, about)
    if blend is None or blend.is_network:
        return written
    return f"{written}; it holds the network alone, and the run answers with {blend.name}"


def _written(predictor: Predictor, to: str, file: Path, about: dict[str, Any]) -> str:
    task, network = predictor.task, predictor.network
    if is_network(network):
        return write(task.calibrated(network).eval(), to, file, about=about)
    parts, name = task.exportable(network), predictor.run.recipe.task
    if not parts:
        raise UsageError(
            f'a network of the task "{name}" cannot be written from its run; gatework.export.onnx(run.network, FILE, '
            "inputs=...) writes its ONNX from an example of what it takes"
        )
    if to != "onnx":
        raise UsageError(f'a network of the task "{name}" is not written as {to}; --to onnx writes it')
    return "\n".join(map(str, _together(parts, file, about)))


def _together(parts: Exportable, file: Path, about: dict[str, Any]) -> list[Exported]:
    """Writes the parts of a network, each as a file beside the others; none where one is not what the network is."""
    written = []
    with ExitStack() as stack:
        for name, (module, named) in parts.items():
            place = file.with_suffix(f".{name}{file.suffix}") if name else file
            exported = onnx(module, stack.enter_context(atomic(place)), about=about, **named)
            written.append(replace(exported, file=place))
    return written
