"""Tensors as bytes behind the JSON of a request or an answer: Triton's binary tensor data extension.

https://github.com/triton-inference-server/server, `docs/protocol/extension_binary_data.md`. Numbers are little-endian;
a text is its length in four bytes, then its UTF-8.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from starlette.responses import Response

from gatework.errors import DataError
from gatework.serve._answers import json_bytes
from gatework.serve._protocol import InferRequest, InputTensor

HEADER = "Inference-Header-Content-Length"
"""The header that says how long the JSON is."""
_SIZE, _WISH, _WISH_ALL = "binary_data_size", "binary_data", "binary_data_output"
_TYPES = {
    "BOOL": "?", "FP32": "<f4", "FP64": "<f8", "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
}  # fmt: skip


def parted(body: bytes, length: str | None) -> tuple[bytes, bytes]:
    """The JSON of a body, and the tensors behind it.

    Args:
        body: The body.
        length: What the header says; None where there is none.

    Raises:
        DataError: The header is no length of this body.
    """
    if length is None:
        return body, b""
    if not (length.isascii() and length.isdigit() and len(length) < 12 and int(length) <= len(body)):
        raise DataError(f"{HEADER} is {length[:20]}, expected the length of the JSON, at most {len(body):,}")
    return body[: int(length)], body[int(length) :]


def fill(asked: InferRequest, tensors: bytes) -> None:
    """Gives the inputs of a request the values that stand behind it.

    Raises:
        DataError: They do not fit the inputs.
    """
    place = 0
    for tensor in asked.inputs:
        size = tensor.parameters.get(_SIZE)
        if size is None:
            continue
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= len(tensors) - place or tensor.data:
            raise DataError(
                f'input "{tensor.name[:40]}": {_SIZE} is a number of bytes behind the JSON, of which {len(tensors):,} '
                'came, and stands in place of "data"'
            )
        tensor.data = _values(tensor, tensors[place : place + size])
        place += size
    if place != len(tensors):
        raise DataError(f"{len(tensors) - place:,} bytes behind the JSON belong to no input; give each its {_SIZE}")


def _values(tensor: InputTensor, content: bytes) -> list[Any]:
    if tensor.datatype == "BYTES":
        return _texts(tensor, content)
    kind = _TYPES.get(tensor.datatype)
    if kind is None or len(content) % np.dtype(kind).itemsize:
        raise DataError(f'input "{tensor.name[:40]}" has {len(content):,} bytes, which are no {tensor.datatype[:20]}')
    values: list[Any] = np.frombuffer(content, kind).tolist()
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise DataError(f'input "{tensor.name[:40]}" holds a value that is no finite number')
    return values


def _texts(tensor: InputTensor, content: bytes) -> list[str]:
    texts, place = [], 0
    try:
        while place < len(content):
            (length,) = struct.unpack_from("<I", content, place)
            place += 4 + length
            if place > len(content):
                raise ValueError("a text ends behind the last byte")
            texts.append(content[place - length : place].decode())
    except (struct.error, ValueError) as error:
        raise DataError(f'input "{tensor.name[:40]}" is no list of texts, each behind its length: {error}') from None
    return texts


def wished(asked: InferRequest, outputs: Sequence[Mapping[str, Any]]) -> set[str]:
    """The names of the outputs that shall be answered as bytes."""
    every = asked.parameters.get(_WISH_ALL) is True
    by_name = {wish.name: wish.parameters.get(_WISH, every) is True for wish in asked.outputs}
    return {tensor["name"] for tensor in outputs if by_name.get(tensor["name"], every and not by_name)}


def response(answer: Mapping[str, Any], names: set[str]) -> Response:
    """An answer whose outputs of these names stand as bytes behind the JSON."""
    outputs, behind = [], b""
    for tensor in answer["outputs"]:
        if tensor["name"] in names:
            content = _bytes(tensor)
            rest = {key: value for key, value in tensor.items() if key != "data"}
            tensor = rest | {"parameters": {**tensor.get("parameters", {}), _SIZE: len(content)}}
            behind += content
        outputs.append(tensor)
    head = json_bytes({**answer, "outputs": outputs})
    return Response(head + behind, 200, {HEADER: str(len(head))}, media_type="application/octet-stream")


def _bytes(tensor: Mapping[str, Any]) -> bytes:
    if tensor["datatype"] == "BYTES":
        texts = [text.encode() for text in tensor["data"]]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    values = [math.nan if value is None else value for value in tensor["data"]]
    return np.array(values, _TYPES[tensor["datatype"]]).tobytes()
