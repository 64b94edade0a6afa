"""The precision of the recurrent layers' products while a network is trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatework.nn import AttentionDecoder, RecurrentLayer
from gatework.options import Device, Precision
from gatework.scan import kernels


def precision_here(precision: Precision, device: Device = "cpu") -> Precision:
    """The precision that "auto" stands for on this machine: bfloat16 where the processor is faster in it."""
    if precision != "auto":
        return precision
    return "bfloat16" if device == "cpu" and kernels.gains_by_bfloat16() else "float32"


def train_in_bfloat16(model: nn.Module) -> None:
    """Lets the recurrent layers of a network multiply in bfloat16 while it is trained.

    Weights, sums, states inside a call and what follows the layers stay float32, but for the gradients of a
    `RoundedOutput`; a network that is evaluated computes in float32 throughout.
    """
    for module in model.modules():
        if isinstance(module, RecurrentLayer):
            Rounded(module)
        elif isinstance(module, AttentionDecoder):
            for part in module.modules():
                if isinstance(part, nn.Linear):
                    Rounded(part)
        elif isinstance(module, RoundedOutput):
            module.rounds_factors = True


class RoundedOutput(nn.Module):
    """A network whose output over a vocabulary may round what its gradients are products of.

    Attributes:
        rounds_factors: Whether it does, as `linear_cross_entropy()` takes it.
    """

    rounds_factors: bool = False


class Rounded:
    """A recurrent layer that computes under autocast to bfloat16 in training, and gives float32 back.

    Args:
        layer: The layer.
    """

    def __init__(self, layer: nn.Module) -> None:
        self._under_way: list[torch.autocast] = []
        layer.register_forward_pre_hook(self._begin, with_kwargs=True)
        layer.register_forward_hook(self._end, with_kwargs=True, always_call=True)

    def _begin(self, layer: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        if layer.training:
            cast = torch.autocast(next(layer.parameters()).device.type, torch.bfloat16)
            cast.__enter__()
            self._under_way.append(cast)

    def _end(self, layer: nn.Module, given: tuple[Any, ...], named: dict[str, Any], result: Any) -> Any:
        if not self._under_way:
            return result
        self._under_way.pop().__exit__(None, None, None)
        return _as_float32(result)


def _as_float32(value: Any) -> Any:
    """Tensors in float32, those of tuples too."""
    if isinstance(value, (Tensor, PackedSequence)):
        return value.float()
    return tuple(map(_as_float32, value)) if isinstance(value, tuple) else value
