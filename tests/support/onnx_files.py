"""ONNX files as others run them, with onnxruntime alone."""

from __future__ import annotations

from pathlib import Path

import torch


def run(file: Path, **inputs: torch.Tensor) -> list[torch.Tensor]:
    """Every output of a file for these inputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return [torch.from_numpy(v) for v in session.run(None, {k: v.detach().numpy() for k, v in inputs.items()})]


def operators(file: Path) -> set[str]:
    """The operators that a file's graph is made of."""
    import onnx

    return {node.op_type for node in onnx.load(file).graph.node}


def closest(found: torch.Tensor, wanted: torch.Tensor) -> None:
    """Agreement up to some roundings a step, over ten steps of values around 1."""
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
