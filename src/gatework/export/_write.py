"""One call for every target: what a command that exports a run stands on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from gatework._files import write_text
from gatework.errors import KindError, UsageError, nearest
from gatework.export._c import c
from gatework.export._javascript import js
from gatework.export._keras import keras
from gatework.export._onnx import onnx
from gatework.export._torch import torch

_Writer = Callable[[nn.Module, Path, Mapping[str, Any]], str]


def write(model: nn.Module, to: str, file: str | Path, *, about: Mapping[str, Any] | None = None) -> str:
    """Write a network, and what travels beside it: inside the file where it has room for it, else as `FILE.json`.

    Args:
        model: A network of an optional `embedding`, a `recurrent` layer, a `pooling` and an `output`, or a recurrent
            layer. Batches are ragged, where the target knows batches.
        to: The target, one of `TARGETS`.
        file: Where to write.
        about: The tokeniser, the scaling and the labels, in JSON's terms; see `js()`.

    Returns:
        A sentence for a person: what was written, and how it was checked.

    Raises:
        UsageError: There is no such target, or it has nothing for a part of the model.
        ExportError: The export is not what the model is; nothing is written.
    """
    if to not in TARGETS:
        raise UsageError(f'there is no target "{to}": {nearest(to, TARGETS)}')
    return TARGETS[to](model, Path(file), dict(about or {}))


def _onnx(model: nn.Module, file: Path, about: Mapping[str, Any]) -> str:
    return str(onnx(model, file, ragged=True, about=about))


def _js(model: nn.Module, file: Path, about: Mapping[str, Any]) -> str:
    js(model, file, about=about)
    return f"{file}: {_size(file)}; in node: require({json.dumps(f'./{file.name}', ensure_ascii=False)}).answer(input)"


def _torch(model: nn.Module, file: Path, about: Mapping[str, Any]) -> str:
    text = _text(about)
    torch(model, file, ragged=True)
    return f"{file}: {_size(file)}; torch.export.load() opens it after import gatework.nn{_beside(file, text)}"


def _keras(model: nn.Module, file: Path, about: Mapping[str, Any]) -> str:
    text = _text(about)
    mask_zero = about.get("encoder", {}).get("padding") == "mask"
    keras(model, file, mask_zero=mask_zero)
    return f"{file}: {_size(file)}; keras.models.load_model() opens it{_beside(file, text)}"


def _c(model: nn.Module, file: Path, about: Mapping[str, Any]) -> str:
    text = _text(about)
    c(model, file)
    return f"{file}: {_size(file)}; it opens with how it is called{_beside(file, text)}"


TARGETS: Mapping[str, _Writer] = {"onnx": _onnx, "torch": _torch, "keras": _keras, "js": _js, "c": _c}
"""What writes each target, and gives the sentence."""


def _text(about: Mapping[str, Any]) -> str:
    try:
        return json.dumps(about, ensure_ascii=False, indent=2) if about else ""
    except TypeError as problem:
        raise KindError(f"about must be made of JSON's terms: {problem}") from None


def _beside(file: Path, text: str) -> str:
    if not text:
        return ""
    beside = file.with_name(f"{file.name}.json")
    write_text(beside, text + "\n")
    return f"; what travels with it is in {beside}"


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 1000:.0f} kB"
