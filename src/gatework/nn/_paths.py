"""Which path computes a layer: the one place that decides."""

from __future__ import annotations

from itertools import chain
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd import forward_ad

from gatework.errors import ExportError
from gatework.nn import _torch
from gatework.nn._stack import LayerStack
from gatework.scan import exported, operators, stack_native, triton_kernels
from gatework.scan.options import PLAIN
from gatework.scan.stack import StackScan
from gatework.scan.weights import CheckedStack

Path = Literal["stack", "operators", "exported", "torch", "triton", "reference"]


def choose(stack: StackScan, *, is_traced: bool, allows_torch: bool) -> Path:
    """What computes a stack of layers.

    - `stack`: gatework's kernels, all layers and directions in one call and one node of the graph of derivatives.
    - `operators`: gatework's kernels scan by scan, each an operator of torch.
    - `exported`: one node for each scan of a program that is being compiled or exported, which computes as `operators`.
    - `torch`: torch's operator for the whole stack, as on another device. It shows no gates, refuses sequences without
      steps, and knows neither function transforms nor forward-mode derivatives.
    - `triton`: kernels printed for a GPU, one a step; any cell, and what acts on its states, but no layer norm.
    - `reference`: the cell's `step()` in a loop; any cell, any device, every transform of torch.

    Args:
        stack: The layers and what they are given.
        is_traced: Whether every gate and state is wanted.
        allows_torch: Whether torch's operators know all that the layer does besides.
    """
    spec, x, weight = stack.spec, stack.x, stack.weights[0].weight_ih
    options = stack.options[0] if stack.options else PLAIN
    if torch.onnx.is_in_onnx_export():
        return _for_onnx(stack, is_known=allows_torch and not is_traced)
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        # A kernel is a node of its own that saves its gates for the backward pass; but shapes must not depend on
        # lengths, and an exported program saves nothing.
        is_exported = torch.compiler.is_exporting() or torch.jit.is_tracing()
        is_node = x.dim() == 3 and not (is_traced or stack.options or is_exported)
        if is_node and operators.has_kernel(spec, weight):
            return "operators"
        return "exported" if exported.is_known(spec) else "reference"
    if _is_transformed():
        return "reference"
    if operators.has_kernel(spec, weight, options):
        is_whole = not is_traced and not stack.options
        tensors = chain((x, *stack.states), *stack.weights)
        return "stack" if is_whole and stack_native.is_plain(tensors) else "operators"
    if allows_torch and not is_traced and not stack.options and x.numel() > 0 and _torch.has_operator(spec):
        return "torch"
    is_on_gpu = weight.is_cuda and not is_traced and stack.weights[0].weight_hr is None
    return "triton" if is_on_gpu and triton_kernels.takes(weight, options) else "reference"


def _for_onnx(stack: StackScan, *, is_known: bool) -> Path:
    """torch's operator, the only form of a layer that torch's own exporters to ONNX know.

    Raises:
        ExportError: torch has no such layer.
    """
    if is_known and not stack.options and _torch.has_operator(stack.spec):
        return "torch"
    raise ExportError(
        f'torch.onnx.export has no operator for layers of the cell "{stack.spec.name}" with what acts around it; '
        "gatework.export.onnx writes any of them"
    )


def direct(layer: LayerStack, x: Any) -> CheckedStack | None:
    """The checked weights of a layer, where x may go to the kernels with nothing to arrange or to choose, else None.

    A small batch takes less time than looking at all that a batch may be.
    """
    return layer.checked_stack(x.dtype) if is_direct(x) else None


def is_direct(x: Any) -> bool:
    """Whether x is a plain tensor and nothing but autograd listens to what happens to it."""
    if type(x) is not Tensor or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
        return False
    return not (_is_transformed() or stack_native.is_watched())


def _is_transformed() -> bool:
    """Whether a function transform or a forward-mode derivative is under way."""
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0
