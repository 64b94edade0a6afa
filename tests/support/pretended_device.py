"""A second device that there is not: tensors that say they are on it, whose numbers lie on the CPU.

As with a GPU, an operation on tensors of both devices is an error, but for what torch allows: a number, an index, a
copy. torch for the CPU knows no other device than "meta", so that is what they say.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

_aten = torch.ops.aten
# What takes tensors of both devices: copies, and indices that lie on the CPU.
_MIXES = {_aten.copy_.default, _aten._to_copy.default, _aten.index.Tensor, _aten.index_put_.default}
_MIXES |= {_aten.index_put.default, _aten._index_put_impl_.default}
# Lengths are on the CPU for the loss of alignments.
_MIXES |= {_aten._ctc_loss.Tensor, _aten._ctc_loss_backward.Tensor, _aten._ctc_loss.default}
_MIXES |= {_aten._ctc_loss_backward.default}
DEVICE = torch.device("meta")


class DeviceTensor(torch.Tensor):
    """A tensor that says it is elsewhere."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> DeviceTensor:
        made: Any = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=DEVICE,
        )  # fmt: skip
        made.inner = inner
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"DeviceTensor({self.inner})"

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["inner"], None

    @staticmethod
    def __tensor_unflatten__(inner: dict[str, Tensor], *_: Any) -> DeviceTensor:
        return DeviceTensor(inner["inner"])

    def new_tensor(self, data: Any, **given: Any) -> DeviceTensor:
        return DeviceTensor(torch.tensor(data, dtype=given.get("dtype", self.dtype)))

    def numpy(self, **_: Any) -> Any:
        raise TypeError("a tensor elsewhere is not an array; copy it with .cpu()")

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(function, args, kwargs or {})


class PretendedDevice(TorchDispatchMode):
    """Within it, `.to(DEVICE)` and `device=DEVICE` give tensors that say they are there."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(function, args, kwargs or {})


@contextlib.contextmanager
def pretended_device() -> Iterator[None]:
    """The device is there within the block; a network moves to it as a whole tensor takes another's place."""
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        with PretendedDevice():
            yield
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    flat, _ = tree_flatten((args, kwargs))
    there = [t for t in flat if isinstance(t, DeviceTensor)]
    here = [t for t in flat if isinstance(t, Tensor) and not isinstance(t, DeviceTensor) and t.dim()]
    if there and here and function not in _MIXES:
        raise RuntimeError(f"{function}: expected all tensors to be on the same device, found both")
    wrappers = {id(t.inner): t for t in there}
    device = kwargs.get("device")
    is_there = torch.device(device) == DEVICE if device is not None else bool(there)
    if function is _aten.copy_.default:
        is_there = isinstance(args[0], DeviceTensor)
    if device is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
    result = function(*tree_map(_inner, args), **tree_map(_inner, kwargs))

    def outer(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        if id(value) in wrappers:
            return wrappers[id(value)]
        return DeviceTensor(value) if is_there and not isinstance(value, DeviceTensor) else value

    if function is _aten.copy_.default:
        return args[0]
    return tree_map(outer, result)


def _inner(value: Any) -> Any:
    return value.inner if isinstance(value, DeviceTensor) else value
