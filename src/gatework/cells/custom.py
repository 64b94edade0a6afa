"""A custom cell: a person's own `step()`, checked and registered; `gatework.nn` makes layers of it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar

import torch

from gatework.cells._derive import derive
from gatework.cells._emit import struct
from gatework.cells._registry import BUILT_IN, REGISTRY
from gatework.cells._spec import CellSpec, Step
from gatework.errors import GateworkError, KindError, UsageError, nearest


class CustomCell(CellSpec):
    """A cell of a person's own. Its native code is compiled on first use; `source` shows it."""

    __hash__ = CellSpec.__hash__

    @cached_property
    def source(self) -> str:
        """The generated C++ of the forward and the backward step, each line beside the one that it comes from."""
        return "\n".join([*struct(derive(self)), ""])

    def __reduce__(self) -> tuple[Any, ...]:
        # As its function would be: by the module and the name under which it stands.
        code = self.step.__code__
        return _restored, (self.step.__module__, self.step.__qualname__, code.co_filename)

    def __deepcopy__(self, memo: Any) -> CustomCell:
        return self


def _restored(module: str, name: str, file: str) -> Any:
    """What stands under a name of a module, or of the file that it was read from."""
    try:
        value: Any = importlib.import_module(module)
    except ImportError:
        value = _module(Path(file).resolve())
    for part in name.split("."):
        value = getattr(value, part)
    return value


Kind = TypeVar("Kind", bound=CustomCell)


def made(
    kind: type[Kind],
    step: Step,
    name: str | None = None,
    title: str | None = None,
    forget_gate: str | None = None,
    unit_range: tuple[float, float] | None = None,
) -> Kind:
    """The cell of a `step()`, checked and registered; the arguments are those of `gatework.cell`.

    Raises:
        UsageError: `step()` cannot be derived; the message names the file and line, and the way out.
        KindError: `step` is not a function.
    """
    if not isinstance(step, FunctionType):
        raise KindError(f"gatework.cell: expected a function step(), got {type(step).__name__}; write it with def")
    name = name or step.__name__
    if not name.isidentifier():
        raise UsageError(f'gatework.cell: the name "{name}" must be letters, digits and underscores')
    if name in BUILT_IN:
        raise UsageError(f'gatework.cell: there is a built-in cell named "{name}"; give yours another name')
    about = title or (inspect.getdoc(step) or name).splitlines()[0].rstrip(".")
    states = _states(step)
    gates = CellSpec(name, about, step, states).gates
    if forget_gate is not None and forget_gate not in gates:
        raise UsageError(f'gatework.cell: step() has no gate "{forget_gate}": {nearest(forget_gate, gates)}')
    cell = kind(name, about, step, states, forget_gate or ("f" if "f" in gates else None), unit_range)
    _check(cell)
    REGISTRY[name] = cell
    return cell


def _states(step: FunctionType) -> tuple[str, ...]:
    """`h`, then every parameter that is neither a gate nor a learnt vector."""
    where = f"{step.__code__.co_filename}:{step.__code__.co_firstlineno}"
    states = ["h"]
    for name, parameter in inspect.signature(step).parameters.items():
        if (
            parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            or parameter.default is not parameter.empty
        ):
            raise UsageError(f'{where}: the parameter "{name}" of step() must be a plain name without a default')
        if name[:2] not in ("a_", "x_", "u_", "p_") and name != "h":
            states.append(name)
    return tuple(states)


def _check(spec: CustomCell) -> None:
    """Try the step on symbols and on tensors.

    Raises:
        UsageError: It fails, or what it returns has not the shape of its arguments.
    """
    if not spec.input_gates:
        raise UsageError(
            f'{spec.where}: step() of cell "{spec.name}" sees no input; name a parameter a_<gate> or x_<gate>'
        )
    shape = (2, 3)
    arguments = [torch.ones(shape[1:] if kind == "p" else shape) for kind, _ in spec.sources]
    try:
        derive(spec)
        values = spec.step(*arguments)
    except GateworkError:
        raise
    except Exception as error:
        path = spec.where.rpartition(":")[0]
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        where = f"{path}:{lines[-1]}" if lines else spec.where
        is_bound = isinstance(error, TypeError) and str(error).startswith(("maximum()", "minimum()"))
        way_out = "; a number bounds values by clamp(x, min=..., max=...)" if is_bound else ""
        raise UsageError(f"{where}: step() fails on values of shape (batch, hidden): {error}{way_out}") from None
    for name, value in values.items():
        if tuple(value.shape) != shape:
            raise UsageError(
                f'{spec.where}: step() of cell "{spec.name}" returns "{name}" with shape {tuple(value.shape)} for '
                f"arguments of shape {shape}; a value of each unit keeps (batch, hidden)"
            )
        if not value.is_floating_point():
            raise UsageError(
                f'{spec.where}: step() of cell "{spec.name}" returns a comparison as "{name}"; '
                "write where(condition, a, b) of two values"
            )


def load(reference: str) -> CellSpec:
    """The cell that `FILE.py:NAME` names.

    Raises:
        UsageError: There is no such file or name, the file fails, or what it names is no cell.
    """
    file, _, name = reference.rpartition(":")
    path = Path(file)
    if path.suffix != ".py" or not path.is_file():
        raise UsageError(f'the cell "{reference}": there is no file {file}; write it as mycell.py:MyCell')
    module = _module(path.resolve())
    cell = getattr(module, name, None)
    if cell is None:
        cells = [key for key, value in vars(module).items() if isinstance(value, CustomCell)]
        raise UsageError(f'the cell "{reference}": {file} has no "{name}": {nearest(name, cells)}')
    if not isinstance(cell, CellSpec):
        raise UsageError(
            f'the cell "{reference}": {name} is a {type(cell).__name__}; put @gatework.cell before its def'
        )
    return cell


def absolute(reference: str) -> str:
    """The same cell, found from any folder."""
    file, _, name = reference.rpartition(":")
    return f"{Path(file).absolute()}:{name}" if file else reference


def _module(path: Path) -> ModuleType:
    digest = hashlib.sha256(path.read_bytes() + bytes(path)).hexdigest()[:12]
    name = f"{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        if isinstance(error, GateworkError):
            raise
        raise UsageError(f"{path} fails as it is read: {type(error).__name__}: {error}") from None
    return module
