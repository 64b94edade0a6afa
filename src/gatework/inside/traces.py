"""Traces: every gate and state of every step, by name, as arrays and as tidy tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from gatework.cells import CellSpec
from gatework.data.dataset import Batch
from gatework.errors import UsageError
from gatework.inside._sources import answered, batch_lengths, capturing, read, recurrent_of
from gatework.inside._trace_html import trace_html
from gatework.nn import RecurrentLayer
from gatework.training.run import Run

if TYPE_CHECKING:
    import polars as pl

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True)
class Trace:
    """Every gate and state of every step of some sequences.

    Attributes:
        spec: The cell.
        values: By name, such as `i, f, g, o, c, h`: shape (layers, directions, time, batch, units); zero after a
            sequence's end.
        lengths: Steps of each sequence, shape (batch,).
        steps: What each step of each sequence reads, such as its tokens; empty where nothing is known.
    """

    spec: CellSpec
    values: Mapping[str, np.ndarray]
    lengths: np.ndarray
    steps: tuple[tuple[str, ...], ...] = field(default=())

    def __getitem__(self, name: str) -> np.ndarray:
        """One gate or state.

        Raises:
            UsageError: The cell has no such name.
        """
        if name not in self.values:
            raise UsageError(f'the cell "{self.spec.name}" has no "{name}"; it has {", ".join(self.values)}')
        return self.values[name]

    def __repr__(self) -> str:
        sizes = tuple(next(iter(self.values.values())).shape)
        names = ", ".join(self.values)
        return f"Trace({self.spec.name}: {names}; (layers, directions, time, batch, units) {sizes})"

    @property
    def names(self) -> tuple[str, ...]:
        """Every gate and state, in the order of the cell's equations."""
        return tuple(self.values)

    @cached_property
    def is_step(self) -> np.ndarray:
        """Which steps belong to their sequence, shape (time, batch)."""
        time = next(iter(self.values.values())).shape[2]
        return np.arange(time)[:, np.newaxis] < self.lengths

    def step_names(self, position: int) -> tuple[str, ...]:
        """What each step of a sequence reads, or the steps' numbers counted from 1."""
        return self.steps[position] if self.steps else tuple(str(k) for k in range(1, int(self.lengths[position]) + 1))

    def sequence(self, position: int) -> dict[str, np.ndarray]:
        """One sequence's gates and states without padding, each of shape (layers, directions, time, units)."""
        length = int(self.lengths[position])
        return {name: array[:, :, :length, position] for name, array in self.values.items()}

    def _repr_html_(self) -> str:
        """The first sequence in a notebook, the last layer of it."""
        reads = self.step_names(0) if self.steps else ()
        return trace_html(self.sequence(0), self.spec.gates, len(self.lengths), reads)

    def table(self) -> pl.DataFrame:
        """One row per sequence, step, layer, direction and unit, one column per gate and state.

        `to_pandas()` of what comes back gives a pandas frame. Where the output is projected, `h` has fewer units than
        the other columns and is missing for the rest.
        """
        import polars as pl

        layers, directions, time, batch, _ = next(iter(self.values.values())).shape
        units = max(array.shape[-1] for array in self.values.values())
        axes = np.meshgrid(*(np.arange(n) for n in (layers, directions, time, batch, units)), indexing="ij")
        layer, direction, step, sequence, unit = (axis.ravel() for axis in axes)
        columns: dict[str, Any] = {
            "sequence": sequence,
            "step": step,
            "layer": layer,
            "direction": direction,
            "unit": unit,
        }
        for name, array in self.values.items():
            missing = units - array.shape[-1]
            padded = np.pad(array, [(0, 0)] * 4 + [(0, missing)], constant_values=np.nan) if missing else array
            columns[name] = pl.Series(padded.ravel()).fill_nan(None) if missing else padded.ravel()
        is_there = np.broadcast_to(self.is_step[..., np.newaxis], axes[0].shape).ravel()
        frame = pl.DataFrame(columns).filter(is_there).sort("sequence", "step", "layer", "direction", "unit")
        names = pl.col("direction").replace_strict([0, 1], DIRECTIONS, return_dtype=pl.String)
        frame = frame.with_columns(names)
        if self.steps:
            reads = [(s, t, name) for s, step_names in enumerate(self.steps) for t, name in enumerate(step_names)]
            schema = {"sequence": pl.Int64, "step": pl.Int64, "reads": pl.String}
            keys = pl.DataFrame(reads, schema=schema, orient="row")
            frame = frame.join(keys, on=["sequence", "step"], how="left", maintain_order="left")
            frame = frame.select("sequence", "step", "reads", pl.exclude("sequence", "step", "reads"))
        return frame


def trace(source: Any, inputs: Any, *, lengths: Any = None, hx: Any = None) -> Trace:
    """Every gate and state of every step.

    Args:
        source: A run; a network with one recurrent layer; or a recurrent layer of gatework.nn or torch.nn.
        inputs: For a run, texts or series (see `Trace` for what comes back; a single one is a batch of one). For a
            network, what it is called with, such as a Batch. For a layer, its input tensor or a PackedSequence.
        lengths: For a layer: the steps of each sequence of a padded batch.
        hx: For a layer: its initial states.

    Raises:
        UsageError: The source has no recurrent layer, or the inputs do not fit.
        RunError: The run is not finished, or its task reads neither texts nor series.
    """
    if isinstance(source, Run):
        reading = read(source, inputs)
        return _network_trace(source.network, reading.batch, reading.steps)
    if isinstance(source, (RecurrentLayer, nn.RNNBase)):
        return _layer_trace(recurrent_of(source), inputs, hx, lengths)
    if isinstance(source, nn.Module):
        return _network_trace(source, inputs, ())
    raise UsageError(f"a trace needs a run, a network or a recurrent layer; got {type(source).__name__}")


def _network_trace(network: nn.Module, batch: Batch | Any, steps: tuple[tuple[str, ...], ...]) -> Trace:
    layer = recurrent_of(network)
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    inner = next(module for module in network.modules() if isinstance(module, (RecurrentLayer, nn.RNNBase)))
    was_training = network.training
    with torch.no_grad(), capturing(inner, calls):
        answered(network.eval(), batch)
    network.train(was_training)
    args, kwargs = calls[0]
    x, hx = (*args, None, None)[:2]
    return _layer_trace(layer, x, kwargs.get("hx", hx), kwargs.get("lengths"), steps)


def _layer_trace(
    layer: RecurrentLayer, x: Any, hx: Any, lengths: Any, steps: tuple[tuple[str, ...], ...] = ()
) -> Trace:
    was_training = layer.training
    with torch.no_grad():
        named = layer.eval().trace(x, hx, lengths)
    layer.train(was_training)
    if isinstance(x, PackedSequence):
        # The steps of each sequence, in the caller's order.
        sorted_lengths = (x.batch_sizes[:, None] > torch.arange(int(x.batch_sizes[0]))).sum(0)
        step_counts = (
            sorted_lengths if x.unsorted_indices is None else sorted_lengths[x.unsorted_indices.cpu()]
        ).numpy()
    else:
        step_counts = batch_lengths(x, lengths, layer.batch_first)
    return Trace(layer.spec, {name: tensor.cpu().numpy() for name, tensor in named.items()}, step_counts, steps)
