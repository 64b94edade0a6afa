"""A person's own cell: `@gatework.cell` on a `step()` makes a layer of it that has what the built-in ones have."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, overload

import torch

from gatework.cells._derive import derive
from gatework.cells._emit import struct
from gatework.cells._spec import CellSpec, Step
from gatework.errors import GateworkError, KindError, UsageError, nearest

if TYPE_CHECKING:
    from gatework.nn import Recurrent


class Cell(CellSpec):
    """A cell of one's own, and the maker of its layers: `MyCell(input_size, hidden_size, num_layers=2)`.

    Its native code is compiled on first use; `source` shows it.
    """

    __hash__ = CellSpec.__hash__

    def __call__(self, input_size: int, hidden_size: int, num_layers: int = 1, **options: Any) -> Recurrent:
        """Layers of this cell; the arguments are those of `gatework.nn.Recurrent`."""
        from gatework.nn import Recurrent

        return Recurrent(self, input_size, hidden_size, num_layers, **options)

    @cached_property
    def source(self) -> str:
        """The generated C++ of the forward and the backward step, each line beside the one that it comes from."""
        return "\n".join([*struct(derive(self)), ""])

    def __reduce__(self) -> tuple[Any, ...]:
        # As its function would be: by the module and the name under which it stands.
        code = self.step.__code__
        return _found_again, (self.step.__module__, self.step.__qualname__, code.co_filename)

    def __deepcopy__(self, memo: Any) -> Cell:
        return self


def _found_again(module: str, name: str, file: str) -> Any:
    """What stands under a name of a module, or of the file that it was read from."""
    try:
        found: Any = importlib.import_module(module)
    except ImportError:
        found = _module(Path(file).resolve())
    for part in name.split("."):
        found = getattr(found, part)
    return found


@overload
def cell(step: Step, /) -> Cell: ...
@overload
def cell(
    *,
    name: str | None = None,
    title: str | None = None,
    forget_gate: str | None = None,
    unit_range: tuple[float, float] | None = None,
) -> Callable[[Step], Cell]: ...
def cell(
    step: Step | None = None,
    /,
    *,
    name: str | None = None,
    title: str | None = None,
    forget_gate: str | None = None,
    unit_range: tuple[float, float] | None = None,
) -> Cell | Callable[[Step], Cell]:
    """Make a cell of the equations of one time step; a decorator, with or without arguments.

    The names of the parameters say what they are: `a_<gate>` both products of a gate, `x_<gate>` the input's alone,
    `u_<gate>` the recurrent one alone, `p_<name>` a learnt vector, and any other the previous value of a state that
    `step()` returns. `h`, the output, is always a state.

    Args:
        step: Takes tensors of shape (batch, hidden) and returns a dictionary of every gate and state by name; it may
            use `+ - * /`, comparisons, sigmoid, tanh, relu, exp, log, softplus, maximum, minimum and where.
        name: What the cell is called; the function's name if None.
        title: What reports call it; the first line of its docstring, or the name, if None.
        forget_gate: The gate whose bias `forget_bias` sets; `f` where there is one, if None.
        unit_range: What learnt vectors are drawn from at first, uniformly; as other weights if None.

    Raises:
        UsageError: `step()` cannot be derived; the message names the file and line, and the way out.
        KindError: `step` is not a function.
    """
    if step is None:
        return lambda found: _made(found, name, title, forget_gate, unit_range)
    return _made(step, name, title, forget_gate, unit_range)


def _made(
    step: Step, name: str | None, title: str | None, forget_gate: str | None, unit_range: tuple[float, float] | None
) -> Cell:
    from gatework.cells import BUILT_IN, REGISTRY

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
    made = Cell(name, about, step, states, forget_gate or ("f" if "f" in gates else None), unit_range)
    _check(made)
    REGISTRY[name] = made
    return made


def _states(step: FunctionType) -> tuple[str, ...]:
    """`h`, then every parameter that is neither a gate nor a learnt vector."""
    where = f"{step.__code__.co_filename}:{step.__code__.co_firstlineno}"
    found = ["h"]
    for name, parameter in inspect.signature(step).parameters.items():
        if (
            parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            or parameter.default is not parameter.empty
        ):
            raise UsageError(f'{where}: the parameter "{name}" of step() must be a plain name without a default')
        if name[:2] not in ("a_", "x_", "u_", "p_") and name != "h":
            found.append(name)
    return tuple(found)


def _check(spec: Cell) -> None:
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
        raise UsageError(f"{where}: step() fails on values of shape (batch, hidden): {error}") from None
    for name, value in values.items():
        if tuple(value.shape) != shape:
            raise UsageError(
                f'{spec.where}: step() of cell "{spec.name}" returns "{name}" with shape {tuple(value.shape)} for '
                f"arguments of shape {shape}; a value of each unit keeps (batch, hidden)"
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
    found = getattr(module, name, None)
    if found is None:
        own = [key for key, value in vars(module).items() if isinstance(value, Cell)]
        raise UsageError(f'the cell "{reference}": {file} has no "{name}": {nearest(name, own)}')
    if not isinstance(found, CellSpec):
        raise UsageError(
            f'the cell "{reference}": {name} is a {type(found).__name__}; put @gatework.cell before its def'
        )
    return found


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
