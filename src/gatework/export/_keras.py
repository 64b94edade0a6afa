"""Networks as Keras' own files: a `.keras` that `keras.models.load_model` opens, or the weights alone."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from gatework import __version__
from gatework._files import atomic
from gatework.errors import UsageError
from gatework.export._extra import need
from gatework.export._keras_weights import kind_of, to_keras
from gatework.export._models import is_network
from gatework.export._nodes import numbers
from gatework.nn import RecurrentLayer
from gatework.nn._accelerate import taken_over
from gatework.nn.pair_vectors import plain

_POOLINGS = {"mean": "GlobalAveragePooling1D", "max": "GlobalMaxPooling1D"}
WEIGHTS_SUFFIX = ".weights.h5"
# Keras takes a file of its third version from any of its versions from here on.
_KERAS_VERSION = "3.0.0"


def keras(model: nn.Module, file: str | Path, *, mask_zero: bool = False) -> Path:
    """Write a network as a Sequential model of Keras, or its weights for one.

    Args:
        model: An LSTM, GRU or RNN, gatework's or torch.nn's, or a network of an optional `embedding`, such a
            `recurrent` layer, a `pooling` of "last", "mean" or "max", and an `output`.
        file: Where to write: `NAME.keras`, or `NAME.weights.h5` for the weights alone.
        mask_zero: Whether the embedding masks the token 0, which is for batches padded with it.

    Returns:
        The file.

    Raises:
        UsageError: Keras has no layer for a part, or the file has another suffix.
    """
    file = Path(file)
    if not file.name.endswith((".keras", WEIGHTS_SUFFIX)):
        raise UsageError(f"Keras opens files named .keras, or .weights.h5 for weights alone, and not {file.name}")
    need("a file of Keras", "h5py")
    layers = _layers(model, mask_zero)
    weights = _weights_file(layers)
    if file.suffix == ".keras":
        about = {"keras_version": _KERAS_VERSION, "written_by": f"gatework {__version__}"}
        config = {"name": "sequential", "trainable": True, "dtype": "float32", "layers": [made for made, _ in layers]}
        described = {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}
        members = {"metadata.json": json.dumps(about), "config.json": json.dumps(described)}
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, text in members.items():
                archive.writestr(name, text)
            archive.writestr("model.weights.h5", weights)
        weights = packed.getvalue()
    with atomic(file) as temporary:
        temporary.write_bytes(weights)
    return file


# A layer as Keras describes it, and its variables by their folder in the file of weights.
_Layer = tuple[dict[str, Any], dict[str, list[np.ndarray]]]


def _layers(model: nn.Module, mask_zero: bool) -> list[_Layer]:
    if isinstance(model, nn.RNNBase):
        model = taken_over(model)
    if isinstance(model, RecurrentLayer):
        return [_input([None, None, model.input_size], "float32"), *_recurrent(model, gives_all=True)]
    if not is_network(model):
        raise UsageError(
            f"a {type(model).__name__} is neither a recurrent layer nor a network with embedding, recurrent, pooling "
            "and output; gatework.export.onnx takes any model"
        )
    parts: Any = model
    kind, recurrent = parts.pooling.kind, parts.recurrent
    if kind not in ("last", *_POOLINGS):
        raise UsageError(
            f'Keras has no layer for the pooling "{kind}"; write it by --to onnx, js or c, which have every pooling, '
            "or train a network for Keras with --pooling last, mean or max"
        )
    made = [_input([None, None, recurrent.input_size], "float32")]
    vectors = plain(parts.embedding)
    if vectors is not None:
        sizes = dict(zip(("input_dim", "output_dim"), vectors.weight.shape, strict=True))
        table = {"vars": [numbers(vectors.weight)]}
        made = [_input([None, None], "int32"), _layer("Embedding", table, **sizes, mask_zero=mask_zero)]
    made += _recurrent(recurrent, gives_all=kind != "last")
    if kind in _POOLINGS:
        made.append(_layer(_POOLINGS[kind], {}))
    output: nn.Linear = parts.output
    arrays = [numbers(output.weight).T, *([] if output.bias is None else [numbers(output.bias)])]
    use_bias = output.bias is not None
    return [*made, _layer("Dense", {"vars": arrays}, units=output.out_features, activation="linear", use_bias=use_bias)]


def _input(shape: list[int | None], dtype: str) -> _Layer:
    return _layer("InputLayer", {}, batch_shape=shape, dtype=dtype)


def _layer(class_name: str, variables: dict[str, list[np.ndarray]], **config: Any) -> _Layer:
    described = {"module": "keras.layers", "class_name": class_name, "config": config, "registered_name": None}
    return described, variables


def _recurrent(layer: RecurrentLayer, *, gives_all: bool) -> list[_Layer]:
    """One layer of Keras for each of the stack."""
    kind = kind_of(layer)
    made: list[_Layer] = []
    for level in range(layer.num_layers):
        is_last = level == layer.num_layers - 1
        config: dict[str, Any] = {
            "units": layer.hidden_size,
            "use_bias": layer.bias,
            "return_sequences": gives_all or not is_last,
        }
        config |= dict(kind.settings)
        first = level * layer.num_directions
        if not layer.bidirectional:
            made.append(_layer(kind.name, {"cell/vars": to_keras(layer, first)}, **config))
            continue
        forward, backward = (
            _layer(kind.name, {}, **config, name=name, go_backwards=is_back)[0]
            for name, is_back in (("forward", False), ("backward", True))
        )
        variables = {
            f"{name}_layer/cell/vars": to_keras(layer, first + direction)
            for direction, name in enumerate(("forward", "backward"))
        }
        made.append(_layer("Bidirectional", variables, layer=forward, backward_layer=backward, merge_mode="concat"))
    return made


def _weights_file(layers: list[_Layer]) -> bytes:
    import h5py

    buffer = io.BytesIO()
    counts: dict[str, int] = {}
    with h5py.File(buffer, "w") as file:
        for described, variables in layers:
            folder = numbered(described["class_name"], counts)
            for where, arrays in variables.items():
                for place, array in enumerate(arrays):
                    file.create_dataset(f"layers/{folder}/{where}/{place}", data=array.astype(np.float32))
    return buffer.getvalue()


def numbered(name: str, counts: dict[str, int]) -> str:
    """The folder of a layer in Keras' file of weights: its class in snake case, numbered from the second one on."""
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()
    counts[snake] = counts.get(snake, -1) + 1
    return f"{snake}_{counts[snake]}" if counts[snake] else snake
