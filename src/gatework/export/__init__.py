"""Models in other people's systems: ONNX, Keras, JavaScript and C; an ONNX file is checked before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.export._c import c
    from gatework.export._hub import hub, push
    from gatework.export._javascript import js
    from gatework.export._keras import keras
    from gatework.export._keras_read import read_keras
    from gatework.export._mlflow import mlflow
    from gatework.export._onnx import Exported, onnx
    from gatework.export._run import run
    from gatework.export._torch import torch
    from gatework.export._write import TARGETS, write

__all__ = [
    "TARGETS",
    "Exported",
    "c",
    "hub",
    "js",
    "keras",
    "mlflow",
    "onnx",
    "push",
    "read_keras",
    "run",
    "torch",
    "write",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_c": ("c",),
        "_hub": ("hub", "push"),
        "_javascript": ("js",),
        "_keras": ("keras",),
        "_keras_read": ("read_keras",),
        "_mlflow": ("mlflow",),
        "_onnx": ("Exported", "onnx"),
        "_run": ("run",),
        "_torch": ("torch",),
        "_write": ("TARGETS", "write"),
    },
)
