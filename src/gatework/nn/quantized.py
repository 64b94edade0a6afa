"""Layers on int8, for models that have learnt: a quarter of the memory, and about a quarter of the time."""

from __future__ import annotations

import copy
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from gatework.cells import CellSpec
from gatework.errors import KindError, UsageError
from gatework.nn import _arrange
from gatework.nn._accelerate import replace_modules
from gatework.nn._arrange import Input, Lengths
from gatework.nn._layer import RecurrentLayer
from gatework.nn._options import ScanOptions
from gatework.scan.layout import layout_of, padded
from gatework.scan.quantized import ByteRows, ByteScan, ByteWeights, byte_isas, has_kernel
from gatework.scan.scan import ScanWeights

Model = TypeVar("Model", bound=nn.Module)


def quantize(model: Model) -> Model:
    """A copy of a model whose recurrent layers compute on int8; all else stays as it is.

    The weights of a layer are rounded once, by row; the input and h at every step, by sequence. It needs no data to
    calibrate on. The copy answers alone: it has no derivatives.

    Args:
        model: Any module with layers of `gatework.nn`, on the CPU in float32; `gatework.accelerate(model)` puts them in
            place of torch.nn's. Or such a layer itself.

    Returns:
        The copy, in evaluation mode; a `QuantizedLayer` where the model was itself a layer.

    Raises:
        KindError: `model` is not a module.
        UsageError: It has no such layer, or one that int8 does not know: a cell of one's own, a projection, something
            around the cell, or another device or precision.
    """
    if not isinstance(model, nn.Module):
        raise KindError(f"quantize: expected a torch.nn.Module, got {type(model).__name__}")
    copied = copy.deepcopy(model).eval()
    layers = [(name, module) for name, module in copied.named_modules() if isinstance(module, RecurrentLayer)]
    if not layers:
        raise UsageError("quantize: the model has no layer of gatework.nn; call gatework.accelerate(model) first")
    for name, layer in layers:
        if (reason := _why_not(layer)) is not None:
            raise UsageError(f"quantize: {name or 'the model'}, {layer!r}, {reason}")
    made: dict[nn.Module, nn.Module] = {layer: QuantizedLayer(layer) for _, layer in layers}
    replace_modules(copied, made)
    return cast(Model, made.get(copied, copied))


class QuantizedLayer(nn.Module):
    """A stack of layers of one cell on int8, with the shapes, states and lengths of `gatework.nn.RecurrentLayer`.

    Its `state_dict` has each weight matrix in int8 and, under the same name with `_scale`, what a byte of 1 is worth in
    each row. What is said of a sequence does not depend on what else is in the batch, to the last bit.

    Args:
        layer: The layer whose weights are rounded.
    """

    def __init__(self, layer: RecurrentLayer) -> None:
        super().__init__()
        self.spec: CellSpec = layer.spec
        self.input_size, self.hidden_size, self.num_layers = layer.input_size, layer.hidden_size, layer.num_layers
        self.bidirectional, self.batch_first = layer.bidirectional, layer.batch_first
        self._suffixes = [
            f"_l{place // layer.num_directions}" + ("_reverse" if place % layer.num_directions else "")
            for place in range(layer.num_layers * layer.num_directions)
        ]
        with torch.inference_mode(mode=False):  # of tensors made in that mode nothing tells when they change
            for place, suffix in enumerate(self._suffixes):
                self._round(suffix, layer.weights_at(place))
        self._packed = _LastPacked()
        self.eval()

    def _round(self, suffix: str, weights: ScanWeights) -> None:
        """Makes the buffers of one layer and direction."""
        for kind, weight in weights._asdict().items():
            if kind in ("weight_ih", "weight_hh"):
                rows = ByteRows.of(weight.detach().numpy())
                self.register_buffer(kind + suffix, torch.from_numpy(rows.values))
                self.register_buffer(f"{kind}{suffix}_scale", torch.from_numpy(rows.scales))
            elif weight is not None:
                self.register_buffer(kind + suffix, torch.from_numpy(weight.detach().numpy().copy()))

    @property
    def num_directions(self) -> int:
        """2 when bidirectional, otherwise 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """The features of `h` in one direction."""
        return self.hidden_size

    @property
    def first_weight(self) -> Tensor:
        """A tensor, whatever its shape, whose device and dtype are those of the computation."""
        return self.get_buffer(f"weight_ih{self._suffixes[0]}_scale")

    def forward(
        self, input: Input, hx: Any = None, *, lengths: Lengths = None, reset: Tensor | None = None
    ) -> tuple[Any, Any]:
        """Run the layers over a batch of sequences; everything as for `RecurrentLayer.forward()`.

        Args:
            input: Shape (time, batch, input), (batch, time, input) with `batch_first`, (time, input) of a single
                sequence, or a PackedSequence; float32 on the CPU.
            hx: The initial states, each of shape (layers x directions, batch, hidden); zero if None.
            lengths: The steps of each sequence of a padded batch, shape (batch,).
            reset: Where the state is zero before a step, in the first two dimensions of `input`.

        Raises:
            UsageError: Something does not fit, or a derivative is wanted.
        """
        batch = _arrange.arrange(self, input, hx, lengths, reset)
        self._check(batch)
        output, finals = self._run(batch)
        return batch.restore_output(output), batch.restore_states(finals)

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Go on by one time step; everything as for `RecurrentLayer.step()`.

        Args:
            x: Shape (batch, input), or (input,) for a single sequence.
            state: What the previous call returned; None at the start.

        Raises:
            UsageError: The layer is bidirectional, something does not fit, or a derivative is wanted.
        """
        if self.bidirectional:
            raise UsageError(
                "QuantizedLayer: a bidirectional layer needs whole sequences; give them to the layer itself"
            )
        batch = _arrange.arrange_step(self, x, state)
        self._check(batch)
        output, finals = self._run(batch)
        return output[0] if batch.is_batched else output[0, 0], batch.restore_states(finals)

    def _check(self, batch: _arrange.ArrangedBatch) -> None:
        if torch.compiler.is_compiling():
            raise UsageError(
                "QuantizedLayer: nothing compiles or exports a layer on int8; compile what is around it, or export the "
                'model that it was made of, by gatework.export.onnx(..., weights="int8")'
            )
        if batch.x.dtype != torch.float32 or not batch.x.is_cpu:
            raise UsageError(f"QuantizedLayer: x is {batch.x.dtype} on {batch.x.device}, expected float32 on the CPU")
        if torch.is_grad_enabled() and (batch.x.requires_grad or any(s.requires_grad for s in batch.states)):
            raise UsageError(
                "QuantizedLayer: layers on int8 have no derivatives; call the model inside torch.inference_mode()"
            )

    def _run(self, batch: _arrange.ArrangedBatch) -> tuple[Tensor, tuple[Tensor, ...]]:
        x, states = batch.x.contiguous(), [state.contiguous() for state in batch.states]
        finals = tuple([torch.empty_like(state) for state in states])
        count = states[0].shape[1]
        sizes = batch.batch_sizes
        rows = padded(*x.shape[:2]) if sizes is None else layout_of(x, self.input_size, count, sizes)
        if not x.numel():
            return x.new_zeros(*x.shape[:-1], self.num_directions * self.hidden_size), tuple(states)
        scans, threads = self.scans(), torch.get_num_threads()
        for first in range(0, len(scans), self.num_directions):
            outputs = [x.new_empty(*x.shape[:-1], self.hidden_size) for _ in range(self.num_directions)]
            for direction, output in enumerate(outputs):
                place = first + direction
                scans[place].run(
                    rows.record, reverse=direction == 1, threads=threads, x=x.data_ptr(),
                    initial=[state[place].data_ptr() for state in states],
                    final=[state[place].data_ptr() for state in finals], output=output.data_ptr(),
                )  # fmt: skip
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, -1)
        return x, finals

    def scans(self) -> list[ByteScan]:
        """Each layer and direction as the kernels read it, laid out anew where a buffer has changed."""
        buffers = [buffer for buffer in self._buffers.values() if buffer is not None]
        key = (byte_isas()[-1], *[(b.data_ptr(), 0 if b.is_inference() else b._version) for b in buffers])
        if self._packed.key != key:
            self._packed.scans = [ByteScan(self.spec.name, self._weights(suffix)) for suffix in self._suffixes]
            self._packed.key = key
        return self._packed.scans

    def _weights(self, suffix: str) -> ByteWeights:
        arrays: dict[str, np.ndarray] = {name: buffer.numpy() for name, buffer in self.named_buffers()}
        given, recurrent = (
            ByteRows(arrays[name + suffix], arrays[f"{name}{suffix}_scale"]) for name in ("weight_ih", "weight_hh")
        )
        vectors = (arrays.get(name + suffix) for name in ("bias_ih", "bias_hh", "weight_unit"))
        return ByteWeights(given, recurrent, *vectors)

    def extra_repr(self) -> str:
        """The cell and the sizes."""
        return f"{self.spec.name}, {self.input_size}, {self.hidden_size}, num_layers={self.num_layers}" + (
            ", bidirectional=True" if self.bidirectional else ""
        )


class _LastPacked:
    """The weights of a layer as the kernels read them, for itself alone: a copy of the layer lays out its own."""

    key: tuple[Any, ...] = ()
    scans: list[ByteScan] = []  # noqa: RUF012 - replaced, never changed

    def __reduce__(self) -> tuple[type[_LastPacked], tuple[()]]:
        return _LastPacked, ()


def _why_not(layer: RecurrentLayer) -> str | None:
    """What keeps a layer from int8, or None."""
    weight = layer.first_weight
    if not has_kernel(layer.spec.name):
        return "has a cell of your own, and int8 knows the built-in ones; leave it in float32"
    if layer.proj_size or layer.options != ScanOptions():
        return "has a projection or something around its cell, which int8 does not know; leave it in float32"
    if weight.dtype != torch.float32 or not weight.is_cpu:
        return f"is {weight.dtype} on {weight.device}, expected float32 on the CPU; call .float().cpu() first"
    return None
