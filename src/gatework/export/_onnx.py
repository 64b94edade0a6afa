"""Any torch model as an ONNX file that has been checked in onnxruntime before it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from torch import nn

from gatework import __version__
from gatework._files import atomic
from gatework.errors import KindError, UsageError, nearest
from gatework.export import _names, _trace, _verify
from gatework.export._extra import need
from gatework.export._models import LayerModel, Subject
from gatework.export._weights import Weights, compact, rounded

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

METADATA = "gatework"
_OPSET = 18


@dataclass(frozen=True)
class Exported:
    """An ONNX file, once it is written.

    Attributes:
        file: Where it is.
        inputs: The shape of each input by its name; a size that may vary is a name.
        outputs: The shape of each output likewise.
        state: The output that each carried input is to be given at the next call, by the input's name.
        error: How far any output was from float64 at most, in onnxruntime.
        own_error: How far the model's own were, in float32.
        cases: How many random inputs they were compared on.
        rounding: How far the outputs moved at most where the weights were rounded.
    """

    file: Path
    inputs: Mapping[str, tuple[int | str, ...]]
    outputs: Mapping[str, tuple[int | str, ...]]
    state: Mapping[str, str]
    error: float
    own_error: float
    cases: int
    rounding: float = 0.0

    def __str__(self) -> str:
        rounded = f"; rounding the weights moved them by {self.rounding:.1e}" if self.rounding else ""
        return (
            f"{self.file}: {_listed(self.inputs)} -> {_listed(self.outputs)}; at most {self.error:.1e} from float64 in "
            f"onnxruntime on {self.cases} inputs, where the model itself was {self.own_error:.1e}{rounded}"
        )


def _listed(values: Mapping[str, tuple[int | str, ...]]) -> str:
    return ", ".join(f"{name} ({', '.join(map(str, shape))})" for name, shape in values.items())


def onnx(
    model: nn.Module,
    file: str | Path,
    inputs: Sequence[Any] | None = None,
    *,
    ragged: bool = False,
    stateful: bool = False,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    state: Mapping[str, str] | None = None,
    fixed: Mapping[str, Sequence[int]] | None = None,
    weights: Weights = "float32",
    about: Mapping[str, Any] | None = None,
) -> Exported:
    """Write a model as an ONNX file, its recurrent layers as ONNX's own operators or, for other cells, as a Scan.

    The model is exported as it computes in evaluation, in float32. It is compared with itself in float64 on random
    inputs before anything is written.

    Args:
        model: Any torch.nn.Module, with gatework's or torch.nn's recurrent layers inside.
        file: Where to write.
        inputs: What the model is called with, as an example; sizes above 1 stay free where the model allows it. May be
            left out for a recurrent layer, and for a network with `embedding`, `recurrent`, `pooling` and `output`.
        ragged: Without `inputs`: whether each sequence's length is an input.
        stateful: Without `inputs`: whether the states are inputs, as `h` and `c`, and outputs, `h_next` and `c_next`.
        input_names: What the tensors among `inputs` are called; as the arguments of `forward()` if None.
        output_names: What the outputs are called.
        state: With `inputs`: the output that each carried input is to be given at the next call, by the input's name.
        fixed: With `inputs`: the axes that keep the size that they have there, by the argument of `forward()`.
        weights: How the matrices are stored: "bfloat16" and "int8" round them and make the file a half or a quarter as
            large. The graph computes in float32 in any case.
        about: What travels beside the weights, as a tokeniser, a scaling or labels, in JSON's terms; it goes into the
            file's metadata, under "gatework".

    Returns:
        The file's inputs and outputs, and the error.

    Raises:
        UsageError: The model or an argument does not fit.
        ExportError: The export is not what the model is; nothing is written.
    """
    need("an ONNX file", "onnx", "onnxruntime", "onnxscript")
    subject = Subject.of(model, inputs, ragged=ragged, stateful=stateful)
    if inputs is not None:
        subject = replace(
            subject, input_names=input_names, output_names=output_names, state=state or {}, fixed=fixed or {}
        )
    if weights not in get_args(Weights):
        raise UsageError(f'weights="{weights}": {nearest(weights, get_args(Weights))}')
    original = None
    if weights != "float32":
        original, subject = subject.model, replace(subject, model=rounded(subject.model, weights))
    traced = _traced(subject)
    lengths = _names.lengths_of(traced.proto.graph)
    proto = _trace.complete(traced)
    if original is not None:
        compact(proto, weights)
    interface = _verify.Interface(
        subject.model, subject.inputs, lengths, subject.state, traced.ranges, subject.shortest, original
    )
    check = _verify.verify(proto, interface)
    _describe(proto, subject.state, check.error, about)
    with atomic(Path(file)) as temporary:
        temporary.write_bytes(proto.SerializeToString())
    values = (proto.graph.input, proto.graph.output)
    shapes = [{value.name: _names.shape_of(value) for value in side} for side in values]
    return Exported(
        Path(file), shapes[0], shapes[1], subject.state, check.error, check.own_error, check.cases, check.rounding
    )


def _traced(subject: Subject) -> _trace.Traced:
    """The graph with its names, its recurrent layers still to be written out."""
    if isinstance(subject.model, LayerModel):
        return _trace.of_layer(subject.model, _OPSET)
    traced = _names.name_sizes(_trace.trace(subject.model, subject.inputs, subject.fixed, _OPSET))
    _names.name_values(traced.proto.graph, subject.input_names, subject.output_names)
    _check_state(traced.proto.graph, subject.state)
    return traced


def _check_state(graph: GraphProto, state: Mapping[str, str]) -> None:
    """Raises UsageError where a pair names what the graph does not have."""
    for names, values in ((state, graph.input), (state.values(), graph.output)):
        known = [value.name for value in values]
        for name in names:
            if name not in known:
                raise UsageError(f'state: the model has no "{name}": {nearest(name, known)}')


def _describe(proto: ModelProto, state: Mapping[str, str], error: float, about: Mapping[str, Any] | None) -> None:
    """Put into the metadata what a graph cannot say."""
    facts = {"version": __version__, "state": dict(state), "error": error, "about": dict(about or {})}
    try:
        text = json.dumps(facts)
    except TypeError as problem:
        raise KindError(f"about must be made of JSON's terms: {problem}") from None
    proto.metadata_props.add(key=METADATA, value=text)
    proto.producer_name, proto.producer_version = "gatework", __version__
