"""Which path computes a layer."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd import forward_ad

from gatework.cells import CellSpec
from gatework.nn import _torch
from gatework.scan import exported, operators, reference, stack

Path = Literal["native", "operator", "torch", "reference"]

# The paths that scan layer by layer; all have the same `scan()` and `trace()`.
SCANS: dict[Path, Any] = {"native": operators, "operator": exported, "reference": reference}


def choose(spec: CellSpec, x: Tensor, weight: Tensor, *, is_traced: bool = False) -> Path:
    """What computes a layer.

    - `operator`: one node of a program that is being compiled or exported, which computes with the paths below.
    - `reference`: the cell's `step()` in a loop; any cell, any device, every transform of torch.
    - `native`: gatework's kernels.
    - `torch`: torch's operator for the whole stack of layers, as on another device. It shows no gates, refuses
      sequences without steps, and knows neither function transforms nor forward-mode derivatives.

    Args:
        spec: The layer's cell.
        x: The input, in either layout.
        weight: Any weight of the layer, which says the device and the dtype of the computation.
        is_traced: Whether every gate and state is wanted.
    """
    if torch.compiler.is_compiling():
        # A kernel is a node of its own that keeps its gates for the backward pass; but shapes must not depend on
        # lengths, and an exported program keeps nothing.
        if x.dim() == 3 and not is_traced and not torch.compiler.is_exporting() and operators.has_kernel(spec, weight):
            return "native"
        return "operator" if exported.is_known(spec) else "reference"
    if _is_transformed():
        return "reference"
    if operators.has_kernel(spec, weight):
        return "native"
    if not is_traced and x.numel() > 0 and _torch.has_operator(spec):
        return "torch"
    return "reference"


def is_quick(x: Any) -> bool:
    """Whether x is a plain tensor and nothing but autograd listens to what happens to it.

    What runs on the kernels needs no other look at the path then.
    """
    if type(x) is not Tensor or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
        return False
    return not (_is_transformed() or stack.is_watched())


def _is_transformed() -> bool:
    """Whether a function transform or a forward-mode derivative is under way."""
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0
