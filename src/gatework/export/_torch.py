"""A model as torch's exported program, for systems that run torch."""

from __future__ import annotations

import copy
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch as pytorch
from torch import nn

from gatework._files import atomic
from gatework.errors import UsageError
from gatework.export import _trace
from gatework.export._models import Subject
from gatework.export._verify import Comparison, Interface, feeds, run, shapes_of
from gatework.nn import RecurrentLayer, accelerate
from gatework.scan import exported


def torch(
    model: nn.Module,
    file: str | Path,
    inputs: Sequence[Any] | None = None,
    *,
    ragged: bool = False,
    stateful: bool = False,
) -> Path:
    """Write a model as a `.pt2` file of torch.export, with any batch and time; each recurrent layer is one operator.

    `torch.export.load()` opens it after `import gatework.nn`, whose operator computes the layers. It is compared with
    the model in float64 before it is written, as `onnx()` does.

    Args:
        model: Any torch.nn.Module, with gatework's or torch.nn's recurrent layers inside.
        file: Where to write.
        inputs: As for `onnx()`.
        ragged: As for `onnx()`.
        stateful: As for `onnx()`.

    Returns:
        The file.

    Raises:
        UsageError: The model does not fit.
        ExportError: The program is not what the model is; nothing is written.
    """
    subject = Subject.of(model, inputs, ragged=ragged, stateful=stateful)
    replica = accelerate(copy.deepcopy(subject.model), verbose=False).cpu().eval().float()
    for name, layer in replica.named_modules():
        if isinstance(layer, RecurrentLayer) and not exported.is_known(layer.spec):
            raise UsageError(f'{name}: the cell "{layer.spec.name}" is not registered; make it with @gatework.cell')
    program = _trace.program_of(replica, subject.inputs)
    _check(program, subject)
    packed = io.BytesIO()  # torch ends the process where a file of its own cannot be written
    pytorch.export.save(program, packed)
    with atomic(Path(file)) as temporary:
        temporary.write_bytes(packed.getbuffer())
    return Path(file)


def _check(program: pytorch.export.ExportedProgram, subject: Subject) -> None:
    """Compare a program with the model, on inputs of other sizes."""
    shapes, ranges = _trace.shapes_of(program), _trace.ranges_of(program)
    names = dict(zip(subject.input_names or shapes, shapes, strict=True))
    lengths = {names["lengths"]} if "lengths" in names else set()
    for name in lengths:
        time = next(
            size for shape in shapes.values() for size in shape if isinstance(size, str) and size != shapes[name][0]
        )
        shapes = {k: tuple("time" if size == time else size for size in shape) for k, shape in shapes.items()}
        ranges = {"time" if size == time else size: limits for size, limits in ranges.items()}
    interface = Interface(subject.model, subject.inputs, lengths, {}, ranges, subject.shortest)
    comparison, module = Comparison(interface), program.module()
    for feed, _ in feeds(shapes, interface):
        arguments = [pytorch.from_numpy(value) for value in feed.values()]
        wanted = comparison.exact(arguments, shapes_of(feed))
        outputs = run(module, subject.inputs, arguments, pytorch.float32)
        comparison.add({str(k): value.numpy() for k, value in enumerate(outputs)}, wanted, arguments, shapes_of(feed))
    comparison.check()
