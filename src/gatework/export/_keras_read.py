"""Keras' files read by h5py alone.

`keras.models.load_model` runs code that a file brings along, in spite of `safe_mode` (CVE-2025-1550, -8747, -9905).
Here a file is data: the description is JSON, and of the weights only arrays of the shapes that it asks for are read.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gatework.errors import DataError, UsageError
from gatework.export._extra import need
from gatework.export._keras import WEIGHTS_SUFFIX, numbered
from gatework.export._keras_weights import KINDS, from_keras, kind_of, shapes
from gatework.nn import RecurrentLayer, recurrent
from gatework.nn.model import SequenceModel
from gatework.options import ModelOptions

_LARGEST = 2**31  # bytes of a member of the archive
_IDLE = ("InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "ActivityRegularization")
_POOLINGS = {"GlobalAveragePooling1D": "mean", "GlobalMaxPooling1D": "max"}


def read_keras(file: str | Path, into: RecurrentLayer | None = None) -> nn.Module:
    """Read a model of Keras: LSTM, GRU or SimpleRNN, in one or both directions, with what may stand around them.

    Args:
        file: A `.keras` file of a Sequential model, or of a Functional one that is a chain; or a `.weights.h5` file.
        into: The layers that the weights of a `.weights.h5` file go into.

    Returns:
        A gatework layer with `batch_first`, where the model is recurrent layers alone; a network with `embedding`,
        `recurrent`, `pooling` and `output` where it has an output. The output's softmax or sigmoid is left out, so it
        gives scores. With `into`, these layers.

    Raises:
        DataError: The file is not one of Keras', or is damaged.
        UsageError: The model has a part that gatework has not.
    """
    need("a file of Keras", "h5py")
    file = Path(file)
    if file.name.endswith(WEIGHTS_SUFFIX):
        if into is None:
            raise UsageError(f"{file} holds weights alone: give the layer that they are for as into=")
        with _opened(file, file.read_bytes()) as stored:
            kind, counts = kind_of(into), dict[str, int]()
            name = "Bidirectional" if into.bidirectional else kind.name
            folders = [numbered(name, counts) for _ in range(into.num_layers)]
            _filled(into, stored, [(folder, name, {"use_bias": into.bias}) for folder in folders])
        return into
    config, weights = _members(file)
    chain = _chain(file, config)
    with _opened(file, weights) as stored:
        return _model(chain, stored)


class _Stored:
    """A file of weights, of which only plain arrays are read."""

    def __init__(self, path: Path, file: Any) -> None:
        self.path = path
        self.file = file

    def __enter__(self) -> _Stored:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """The array of that name.

        Raises:
            DataError: There is none of this shape, or it lies in another file.
        """
        import h5py

        # TensorFlow's Keras calls the folder of the layers otherwise.
        root = "layers" if "layers" in self.file else "_layer_checkpoint_dependencies"
        node, parts = self.file, [root, *name.split("/")]
        for part in parts:
            link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
            if not isinstance(link, h5py.HardLink):
                raise DataError(f"{self.path}: there is no array {name}; the model's description asks for it")
            node = node[part]
        if not isinstance(node, h5py.Dataset) or node.is_virtual or node.external or node.dtype.kind != "f":
            raise DataError(f"{self.path}: {name} is no plain array of numbers")
        if node.shape != shape:
            raise DataError(f"{self.path}: {name} has shape {node.shape}, and the model's description asks for {shape}")
        values: np.ndarray = node[()]
        return values


def _members(file: Path) -> tuple[dict[str, Any], bytes]:
    """The description and the weights of a `.keras` file."""
    try:
        with zipfile.ZipFile(file) as archive:
            for name in ("config.json", "model.weights.h5"):
                if archive.getinfo(name).file_size > _LARGEST:
                    raise DataError(f"{file}: {name} is larger than {_LARGEST >> 30} GiB, more than a model needs")
            config = json.loads(archive.read("config.json"))
            weights = archive.read("model.weights.h5")
    except FileNotFoundError:
        raise DataError(f"there is no file {file}") from None
    # RuntimeError: encrypted, packed in a way that is not known here, or nested without end.
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, OSError, RuntimeError) as problem:
        raise DataError(f"{file} is not a .keras file of Keras 3: {problem}") from None
    if not isinstance(config, dict):
        raise DataError(f"{file}: config.json is not the description of a model")
    return config, weights


def _opened(file: Path, content: bytes) -> _Stored:
    import h5py

    try:
        return _Stored(file, h5py.File(io.BytesIO(content), "r"))
    except OSError as problem:
        raise DataError(f"{file}: the weights cannot be read: {problem}") from None


# A layer's class and its config.
_Described = tuple[str, dict[str, Any]]


def _chain(file: Path, description: dict[str, Any]) -> list[_Described]:
    """The layers of a model, one on the other.

    Raises:
        DataError: The description is not one of a model.
        UsageError: The model is no chain.
    """
    kind, config = description.get("class_name"), description.get("config")
    if kind not in ("Sequential", "Functional") or not isinstance(config, dict):
        raise UsageError(
            f"{file} holds a {kind}; gatework reads a Sequential model, or a Functional one that is a chain"
        )
    layers = config.get("layers")
    if not isinstance(layers, list) or not layers:
        raise DataError(f"{file}: config.json has no layers")
    made: list[_Described] = []
    before: Any = None
    for layer in layers:
        named = isinstance(layer, dict) and isinstance(layer.get("config"), dict)
        if not named or not isinstance(layer.get("class_name"), str):
            raise DataError(f"{file}: config.json has a layer without a class_name and a config")
        if kind == "Functional":
            name = layer.get("name")
            if layer["class_name"] != "InputLayer" and _sources(layer.get("inbound_nodes")) != [before]:
                raise UsageError(
                    f'{file}: the layer "{name}" does not take the layer before it alone; gatework reads chains'
                )
            before = name
        made.append((layer["class_name"], layer["config"]))
    return made


def _sources(nodes: Any) -> list[Any]:
    """The names of the layers that a layer of a Functional model takes, at every call."""
    if isinstance(nodes, dict):
        history = nodes.get("keras_history")
        if isinstance(history, list) and history:
            return [history[0]]
        return [name for value in nodes.values() for name in _sources(value)]
    if isinstance(nodes, list):
        return [name for value in nodes for name in _sources(value)]
    return []


@dataclass
class _Parts:
    """The layers of a chain by what they are, each with its folder in the file of weights."""

    embedding: tuple[str, dict[str, Any]] | None = None
    scans: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    pooling: str = ""
    output: tuple[str, dict[str, Any]] | None = None

    @classmethod
    def of(cls, path: Path, chain: list[_Described]) -> _Parts:
        """The parts of a chain.

        Raises:
            UsageError: A layer is nothing that gatework has.
        """
        parts, counts = cls(), dict[str, int]()
        for name, config in chain:
            folder = numbered(name, counts)
            is_open = not parts.pooling and parts.output is None
            if name in _IDLE:
                continue
            if name == "Embedding" and not parts.scans and parts.embedding is None:
                parts.embedding = folder, config
            elif name in ("LSTM", "GRU", "SimpleRNN", "Bidirectional") and is_open:
                parts.scans.append((folder, name, config))
            elif name in _POOLINGS and parts.scans and is_open:
                parts.pooling = _POOLINGS[name]
            elif name == "Dense" and parts.scans and parts.output is None:
                parts.output = folder, config
            else:
                raise UsageError(
                    f"{path}: a {name} at this place is nothing that gatework has; it reads an Embedding, then LSTM, "
                    "GRU or SimpleRNN in one or both directions, then a pooling and a Dense"
                )
        return parts


def _model(chain: list[_Described], stored: _Stored) -> nn.Module:
    """The network of a chain of layers."""
    path, parts = stored.path, _Parts.of(stored.path, chain)
    stack = _stack(path, parts.scans)
    is_network = parts.embedding is not None or parts.output is not None or bool(parts.pooling)
    if not is_network:
        width = _input_width(path, chain)
        layer = recurrent(
            stack.cell, width, stack.units, num_layers=len(parts.scans), bidirectional=stack.is_both_ways,
            batch_first=True,
        )  # fmt: skip
        return _filled(layer, stored, parts.scans)
    if parts.output is None or stack.gives_all != bool(parts.pooling):
        raise UsageError(
            f"{path}: gatework's networks have one output for a sequence: a Dense after return_sequences=False, or "
            "after a pooling"
        )
    table = None
    if parts.embedding is not None:
        folder, config = parts.embedding
        sizes = (_count(path, config, "input_dim"), _count(path, config, "output_dim"))
        table = stored.array(f"{folder}/vars/0", sizes)
    return _network(stored, parts, stack, table, _input_width(path, chain) if table is None else table.shape[1])


def _network(stored: _Stored, parts: _Parts, stack: _Stack, table: np.ndarray | None, width: int) -> SequenceModel:
    folder, config = parts.output or ("", {})
    units = _count(stored.path, config, "units")
    if config.get("activation", "linear") not in ("linear", "softmax", "sigmoid"):
        raise UsageError(
            f"{stored.path}: the Dense has the activation {config['activation']!r}; gatework's output is linear"
        )
    chosen = ModelOptions(
        cell=stack.cell, hidden=stack.units, layers=len(parts.scans), bidirectional=stack.is_both_ways,
        embedding=width, pooling="mean" if parts.pooling == "mean" else "max" if parts.pooling else "last",
    )  # fmt: skip
    vocabulary = None if table is None else len(table)
    model = SequenceModel(chosen, vocabulary=vocabulary, inputs=None if vocabulary else width, outputs=units)
    _filled(model.recurrent, stored, parts.scans)
    with torch.no_grad():
        if model.embedding is not None and table is not None:
            model.embedding.weight.copy_(torch.from_numpy(table))
        seen = model.output.in_features
        model.output.weight.copy_(torch.from_numpy(stored.array(f"{folder}/vars/0", (seen, units)).T))
        model.output.bias.zero_()
        if config.get("use_bias", True):
            model.output.bias.copy_(torch.from_numpy(stored.array(f"{folder}/vars/1", (units,))))
    return model.eval()


@dataclass(frozen=True)
class _Stack:
    """What the recurrent layers of a model have in common."""

    cell: str
    units: int
    is_both_ways: bool
    gives_all: bool


def _stack(path: Path, scans: list[tuple[str, str, dict[str, Any]]]) -> _Stack:
    """The stack that recurrent layers make.

    Raises:
        UsageError: There is none, they differ, or have options that gatework has not.
    """
    if not scans:
        raise UsageError(f"{path}: the model has no LSTM, GRU or SimpleRNN")
    stacks = [_scan(path, name, config) for _, name, config in scans]
    if any(not stack.gives_all for stack in stacks[:-1]):
        raise UsageError(f"{path}: a recurrent layer below another one has return_sequences=False")
    alike = {(stack.cell, stack.units, stack.is_both_ways) for stack in stacks}
    if len(alike) > 1:
        raise UsageError(f"{path}: the recurrent layers are not all of one class, size and direction, as a stack's are")
    return stacks[-1]


def _scan(path: Path, name: str, config: dict[str, Any]) -> _Stack:
    if name != "Bidirectional":
        cell, units, gives_all = _one_way(path, name, config, is_back=False)
        return _Stack(cell, units, False, gives_all)
    if config.get("merge_mode", "concat") != "concat":
        raise UsageError(f'{path}: a Bidirectional has merge_mode={config["merge_mode"]!r}; gatework has "concat"')
    ways = []
    for key, is_back in (("layer", False), ("backward_layer", True)):
        inner = config.get(key)
        if not isinstance(inner, dict) or not isinstance(inner.get("config"), dict):
            raise DataError(f"{path}: the description of a Bidirectional has no {key}")
        ways.append(_one_way(path, str(inner.get("class_name")), inner["config"], is_back=is_back))
    if ways[0] != ways[1]:
        raise UsageError(f"{path}: the two directions of a Bidirectional are not alike")
    return _Stack(ways[0][0], ways[0][1], True, ways[0][2])


def _one_way(path: Path, name: str, config: dict[str, Any], *, is_back: bool) -> tuple[str, int, bool]:
    """The cell, the units, and whether every step's output goes on."""
    if bool(config.get("go_backwards", False)) != is_back:
        raise UsageError(
            f"{path}: a {name} has go_backwards={not is_back}, which gatework has within Bidirectional only"
        )
    for cell, kind in KINDS.items():
        asked = {key: config.get(key, value) for key, value in kind.settings.items()}
        if kind.name == name and asked == kind.settings:
            return cell, _count(path, config, "units"), bool(config.get("return_sequences", False))
    said = ", ".join(f"{k}={config[k]!r}" for k in ("activation", "recurrent_activation", "reset_after") if k in config)
    raise UsageError(
        f"{path}: a {name} with {said} is no cell of gatework's; it has LSTM and GRU with tanh, sigmoid and "
        'reset_after=True, and SimpleRNN with "tanh" or "relu"'
    )


def _count(path: Path, config: dict[str, Any], key: str) -> int:
    value = config.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _LARGEST:
        raise DataError(f"{path}: a layer's {key} is {value!r}; expected a whole number above 0")
    return value


def _input_width(path: Path, chain: list[_Described]) -> int:
    """The features of a model's input."""
    for name, config in chain:
        shape = config.get("batch_shape") if name == "InputLayer" else None
        if isinstance(shape, list) and len(shape) == 3 and isinstance(shape[2], int) and shape[2] > 0:
            return shape[2]
    raise UsageError(f"{path}: the model does not say how many features its input has; save it once it is built")


def _filled(layer: RecurrentLayer, stored: _Stored, scans: list[tuple[str, str, dict[str, Any]]]) -> RecurrentLayer:
    """The layer with the weights of the file."""
    kind, folders = kind_of(layer), [folder for folder, _, _ in scans]
    has_bias = [bool(config.get("layer", {}).get("config", config).get("use_bias", True)) for _, _, config in scans]
    with torch.no_grad():
        for place in range(layer.num_layers * layer.num_directions):
            level, direction = divmod(place, layer.num_directions)
            way = ("forward_layer/", "backward_layer/")[direction] if layer.bidirectional else ""
            width = layer.input_size if level == 0 else layer.output_size * layer.num_directions
            asked = shapes(kind, width, layer.hidden_size, has_bias=has_bias[level])
            names = [f"{folders[level]}/{way}cell/vars/{number}" for number in range(len(asked))]
            arrays = from_keras(kind, [stored.array(n, shape) for n, shape in zip(names, asked, strict=True)])
            for name, weight in layer.weights_at(place)._asdict().items():
                if weight is not None and name in arrays:
                    weight.copy_(torch.from_numpy(arrays[name]))
                elif weight is not None and name.startswith("bias"):
                    weight.zero_()
    return layer
