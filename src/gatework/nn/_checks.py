"""What a caller may get wrong: torch's exception types, and sentences that say the way out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gatework.errors import KindError, TensorError, UsageError


def check_options(
    name: str,
    sizes: dict[str, Any],
    flags: dict[str, Any],
    dropout: Any,
    proj_size: int,
) -> None:
    """Check the arguments of a layer's constructor.

    Args:
        name: The layer's class, for the message.
        sizes: `input_size`, `hidden_size` and `num_layers`.
        flags: `bias` and `batch_first`.
        dropout: The share of outputs dropped between layers.
        proj_size: The size of the projected output, 0 for none.

    Raises:
        KindError: An argument has the wrong type.
        UsageError: An argument is out of its range.
    """
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
        raise UsageError(
            f"{name}: dropout is the probability that an element is zeroed, a number from 0 to 1; got {dropout!r}"
        )
    for argument, flag in flags.items():
        if not isinstance(flag, bool):
            raise KindError(f"{name}: {argument} must be True or False, got {flag!r}; are the arguments in order?")
    for argument, size in sizes.items():
        if not isinstance(size, int):
            raise KindError(f"{name}: {argument} must be an int, got {size!r} ({type(size).__name__})")
        if size <= 0:
            raise UsageError(f"{name}: {argument} must be greater than zero, got {size}")
    if not 0 <= proj_size < sizes["hidden_size"]:
        raise UsageError(
            f"{name}: proj_size must be 0, for no projection, or from 1 to below hidden_size ({sizes['hidden_size']}); "
            f"got {proj_size}"
        )
    if dropout > 0 and sizes["num_layers"] == 1:
        warnings.warn(
            f"{name}: dropout={dropout} has no effect with num_layers=1, because it acts between layers; "
            "put a torch.nn.Dropout after the layer instead",
            stacklevel=4,
        )


def check_input(name: str, x: Tensor, input_size: int, weight: Tensor, *, is_packed: bool) -> None:
    """Check the input of a layer: its dimensions, its features, its dtype and its device.

    Args:
        name: The layer's class, for the message.
        x: Shape (time, batch, input), (batch, time, input) or (time, input); of a PackedSequence (rows, input).
        input_size: The features that the layer reads.
        weight: A weight of the layer, whose dtype and device the input must share.
        is_packed: Whether it is the data of a PackedSequence.

    Raises:
        KindError: The input is not a tensor.
        UsageError: The number of dimensions or the dtype is wrong.
        TensorError: The number of features or the device is wrong.
    """
    if not isinstance(x, Tensor):
        raise KindError(
            f"{name}: the input must be a Tensor or a PackedSequence, got {type(x).__name__}; convert it with "
            "torch.as_tensor(x, dtype=torch.float32)"
        )
    if is_packed:
        if x.dim() != 2:
            raise TensorError(f"{name}: the data of a PackedSequence must have 2 dimensions, got {x.dim()}")
    elif x.dim() not in (2, 3):
        raise UsageError(
            f"{name}: the input must have 3 dimensions, or 2 for a single sequence, got {x.dim()} (shape "
            f"{tuple(x.shape)}); a batch of univariate series needs x.unsqueeze(-1)"
        )
    if x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
        raise UsageError(
            f"{name}: the input is {x.dtype} and the weights are {weight.dtype}; convert the input with "
            f"x.to({weight.dtype}) or the layer with layer.to({x.dtype})"
        )
    if x.shape[-1] != input_size:
        raise TensorError(
            f"{name}: the last dimension of the input must be input_size, {input_size}; got {x.shape[-1]} (shape "
            f"{tuple(x.shape)})"
        )
    if x.device != weight.device:
        raise TensorError(
            f"{name}: the input is on {x.device} and the weights are on {weight.device}; move one with .to(device)"
        )


def check_states(name: str, hx: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]], x: Tensor) -> None:
    """Check the initial states of a layer against the shapes that they must have.

    Args:
        name: The layer's class, for the message.
        hx: The states that the caller gave, as a tuple.
        names: The states of the cell.
        shapes: The shape that each must have.
        x: The input, whose dtype and device they must share.

    Raises:
        KindError: A state is not a tensor.
        TensorError: There are too few or too many states, or one has the wrong shape, dtype or device.
    """
    if len(hx) != len(names):
        raise TensorError(f"{name}: hx must hold {len(names)} states ({', '.join(names)}), got {len(hx)}")
    for state_name, state, shape in zip(names, hx, shapes, strict=True):
        if not isinstance(state, Tensor):
            raise KindError(f"{name}: the initial state {state_name} must be a Tensor, got {type(state).__name__}")
        if state.shape != shape:
            meaning = "layers x directions, batch, features" if len(shape) == 3 else "layers x directions, features"
            raise TensorError(
                f"{name}: the initial state {state_name} must have shape {tuple(shape)} ({meaning}), "
                f"got {tuple(state.shape)}"
            )
        if state.device != x.device:
            raise TensorError(
                f"{name}: the initial state {state_name} is on {state.device} and the input on {x.device}"
            )
        if state.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type):
            raise TensorError(f"{name}: the initial state {state_name} is {state.dtype} and the input is {x.dtype}")


def refuse_projection(name: str, proj_size: int | None) -> None:
    """Say that only an LSTM projects its output.

    Raises:
        UsageError: A projection was asked for.
    """
    if proj_size is not None:
        raise UsageError(f"{name}: proj_size is only for LSTM; leave it out, or put a torch.nn.Linear after the layer")
