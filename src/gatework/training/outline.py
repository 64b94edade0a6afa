"""A network in a few lines: every part with the shape of what it gives and the number of its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatework.data.dataset import Examples


def outline(model: nn.Module, examples: Examples) -> list[str]:
    """The lines of a table with a row for each part of a network, and their sum.

    Args:
        model: The network; it is run once on an example, in evaluation.
        examples: Gives the example.
    """
    shapes: dict[str, str] = {}
    hooks = [part.register_forward_hook(_noting(shapes, name)) for name, part in model.named_children()]
    is_training = model.training
    try:
        with torch.no_grad():
            model.eval()(**examples.batch(np.arange(1)).tensors())
    finally:
        model.train(is_training)
        for hook in hooks:
            hook.remove()
    rows = [("part", "what", "output", "parameters")]
    parts = dict(model.named_children())
    # In the order of computing; what is never called, but has weights, comes last, and what acts only once the network
    # is trained not at all.
    for name in [*shapes, *(name for name in parts if name not in shapes and _count(parts[name]))]:
        part = parts[name]
        rows.append((name, type(part).__name__.lstrip("_"), shapes.get(name, ""), f"{_count(part):,}"))
    loose = sum(p.numel() for p in model.parameters(recurse=False))
    rows += [("(learnt)", "", "", f"{loose:,}")] if loose else []
    rows.append(("total", "", "", f"{_count(model):,}"))
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    return ["  ".join(f"{cell:{'>' if k == 3 else '<'}{widths[k]}}" for k, cell in enumerate(row)) for row in rows]


def _noting(shapes: dict[str, str], name: str) -> Callable[[nn.Module, Any, Any], None]:
    def note(_: nn.Module, __: Any, output: Any) -> None:
        shapes.setdefault(name, _shape(output))

    return note


def _count(part: nn.Module) -> int:
    return sum(p.numel() for p in part.parameters())


def _shape(output: Any) -> str:
    """The shape of a tensor, or of the first of several, without the batch where that is 1."""
    first = output[0] if isinstance(output, tuple) else output
    return " x ".join(map(str, first.shape)) if isinstance(first, Tensor) else ""
