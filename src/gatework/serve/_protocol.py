"""The tensors of the Open Inference Protocol (v2, REST) from and to what a model takes and answers.

https://github.com/kserve/open-inference-protocol, `specification/protocol/inference_rest.md`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import polars as pl

from gatework.errors import DataError, nearest
from gatework.serve._limits import Limits
from gatework.serve._model import ServedModel
from gatework.serve._source import Source, flattened, rows_of, series_of, texts_of

_WHOLE = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
_REAL = {"FP32": float(np.finfo(np.float32).max), "FP64": math.inf}
KINDS = ("BYTES", "BOOL", *_REAL, *_WHOLE)


class InputTensor(msgspec.Struct):
    """One named tensor of a request."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] = []
    parameters: dict[str, Any] = {}


class OutputWish(msgspec.Struct):
    """One tensor that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct):
    """A request of the protocol."""

    inputs: list[InputTensor] = []
    id: str = ""
    parameters: dict[str, Any] = {}
    outputs: list[OutputWish] = []


def input_metadata(model: ServedModel) -> list[dict[str, Any]]:
    """The tensors that a model takes: one for texts or series, or one for each column of rows."""
    if "texts" in model.takes:
        return [_metadata("text", "BYTES", [-1])]
    if "series" in model.takes:
        return [_metadata("series", "FP64", [-1, -1, model.variables or -1])]
    numbers = getattr(model.task, "columns", {}).get("target", ())
    return [_metadata(name, "FP64" if name in numbers else "BYTES", [-1]) for name in model.columns]


def output_metadata(model: ServedModel) -> list[dict[str, Any]]:
    """The tensors that a model answers, as far as its example says."""
    if model.answer is None:
        return []
    return [
        {key: value for key, value in tensor.items() if key != "data"} | {"shape": [-1, *tensor["shape"][1:]]}
        for tensor in output_tensors(model.answer)
    ]


def _metadata(name: str, datatype: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape}


def source_of_tensors(model: ServedModel, asked: InferRequest, limits: Limits) -> Source:
    """What the tensors of a request ask for, with those of its parameters that are options of a prediction.

    Raises:
        DataError: They are not those that the model takes.
    """
    inputs = asked.inputs
    options = {name: value for name, value in asked.parameters.items() if name in model.options}
    if not inputs:
        return Source("nothing", None, 1, options)
    by_name = {tensor.name: tensor for tensor in inputs}
    if len(by_name) < len(inputs):
        raise DataError("two inputs have the same name; each tensor was expected once")
    if len(inputs) == 1 and inputs[0].name == "text" and "texts" in model.takes:
        return texts_of(_flat(inputs[0]), limits, options)
    if len(inputs) == 1 and inputs[0].name == "series" and "series" in model.takes:
        return series_of(_array(inputs[0]), limits, options)
    known = [tensor["name"] for tensor in input_metadata(model)]
    if not {*known, *model.columns} & set(by_name):
        raise DataError(f'"{model.name}" has no input "{inputs[0].name[:40]}": {nearest(inputs[0].name, known)}')
    columns = {name: _flat(tensor) for name, tensor in by_name.items()}
    if len({len(values) for values in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        raise DataError(f"the columns have different lengths ({lengths}); one value a row was expected in each")
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return rows_of(rows, limits, options)


def _flat(tensor: InputTensor) -> list[Any]:
    """The values of a tensor in order, checked against its datatype and shape."""
    if tensor.datatype not in KINDS:
        raise DataError(f'input "{tensor.name[:40]}" has the datatype "{tensor.datatype[:20]}": {nearest("", KINDS)}')
    values = flattened(tensor.data)
    if any(size < 0 for size in tensor.shape) or math.prod(tensor.shape) != len(values):
        shape = " x ".join(map(str, tensor.shape[:8]))
        raise DataError(f'input "{tensor.name[:40]}" has {len(values):,} values, its shape ({shape}) says otherwise')
    is_one = _check_of(tensor.datatype)
    for value in values:
        if value is not None and not is_one(value):
            raise DataError(f'input "{tensor.name[:40]}" holds {json.dumps(value)[:40]}, which is no {tensor.datatype}')
    return values


def _check_of(datatype: str) -> Callable[[Any], bool]:
    """Whether a value of JSON is one of a datatype."""
    if datatype in ("BYTES", "BOOL"):
        kind = str if datatype == "BYTES" else bool
        return lambda value: type(value) is kind
    if datatype in _REAL:
        most = _REAL[datatype]
        return lambda value: type(value) in (int, float) and -most <= value <= most
    limits = np.iinfo(datatype.lower())
    low, high = int(limits.min), int(limits.max)
    return lambda value: type(value) is int and low <= value <= high


def _array(tensor: InputTensor) -> np.ndarray:
    values = _flat(tensor)
    if tensor.datatype in ("BYTES", "BOOL") or len(tensor.shape) not in (2, 3) or None in values:
        raise DataError(
            f'input "{tensor.name[:40]}" is {tensor.datatype} of {len(tensor.shape)} dimensions; FP32 or FP64 of shape '
            "[examples, steps] or [examples, steps, variables] was expected"
        )
    if not values:
        raise DataError(f'input "{tensor.name[:40]}" has no values; each series has at least one step')
    try:
        return np.array(values, dtype=np.float64).reshape(tensor.shape)
    except OverflowError:
        raise DataError(f'input "{tensor.name[:40]}" holds a number too large for {tensor.datatype}') from None


def output_tensors(rows: pl.DataFrame, wished: Sequence[OutputWish] = ()) -> list[dict[str, Any]]:
    """A table of answers as tensors, one for each column.

    Raises:
        DataError: A tensor is asked for that there is not.
    """
    for wish in wished:
        if wish.name not in rows.columns:
            raise DataError(f'there is no output "{wish.name[:40]}": {nearest(wish.name, rows.columns)}')
    names = [wish.name for wish in wished] or rows.columns
    return [_tensor(rows[name]) for name in names]


def tensors_of_rows(answers: Sequence[Mapping[str, Any]], wished: Sequence[OutputWish] = ()) -> list[dict[str, Any]]:
    """The answers of a stream as tensors."""
    return output_tensors(pl.DataFrame(list(answers), infer_schema_length=None, strict=False), wished)


def _tensor(column: pl.Series) -> dict[str, Any]:
    kind, values = column.dtype, column.to_list()
    if isinstance(kind, pl.Struct) and all(field.dtype.is_numeric() for field in kind.fields):
        names = [field.name for field in kind.fields]
        rows = [[(value or {}).get(name) for name in names] for value in values]
        return _numeric(column.name, rows) | {"parameters": {"names": ", ".join(names)}}
    if isinstance(kind, (pl.List, pl.Array)) and kind.inner.is_numeric() and len({len(v or ()) for v in values}) == 1:
        return _numeric(column.name, [list(value or ()) for value in values])
    if kind == pl.Boolean:
        return _metadata(column.name, "BOOL", [len(values)]) | {"data": [bool(value) for value in values]}
    if kind.is_integer() and not column.null_count():
        return _metadata(column.name, "INT64", [len(values)]) | {"data": values}
    if kind.is_numeric():
        return _metadata(column.name, "FP64", [len(values)]) | {"data": [_finite(value) for value in values]}
    return _metadata(column.name, "BYTES", [len(values)]) | {"data": [_text(value) for value in values]}


def _numeric(name: str, rows: list[list[Any]]) -> dict[str, Any]:
    width = len(rows[0]) if rows else 0
    flat = [_finite(value) for row in rows for value in row]
    return _metadata(name, "FP64", [len(rows), width]) | {"data": flat}


def _finite(value: Any) -> Any:
    return None if value is None or not math.isfinite(value) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
