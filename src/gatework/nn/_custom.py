"""A custom cell as the maker of its layers: `@gatework.cell` on a `step()`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from gatework.cells._spec import Step
from gatework.cells.custom import CustomCell, made
from gatework.nn._recurrent import Recurrent


class LayerCell(CustomCell):
    """A custom cell that makes layers: `MyCell(input_size, hidden_size, num_layers=2)`."""

    __hash__ = CustomCell.__hash__

    def __call__(self, input_size: int, hidden_size: int, num_layers: int = 1, **options: Any) -> Recurrent:
        """Layers of this cell; the arguments are those of `gatework.nn.Recurrent`."""
        return Recurrent(self, input_size, hidden_size, num_layers, **options)


@overload
def cell(step: Step, /) -> LayerCell: ...
@overload
def cell(
    *,
    name: str | None = None,
    title: str | None = None,
    forget_gate: str | None = None,
    unit_range: tuple[float, float] | None = None,
) -> Callable[[Step], LayerCell]: ...
def cell(
    step: Step | None = None,
    /,
    *,
    name: str | None = None,
    title: str | None = None,
    forget_gate: str | None = None,
    unit_range: tuple[float, float] | None = None,
) -> LayerCell | Callable[[Step], LayerCell]:
    """Make a cell of the equations of one time step; a decorator, with or without arguments.

    The names of the parameters say what they are: `a_<gate>` both products of a gate, `x_<gate>` the input's alone,
    `u_<gate>` the recurrent one alone, `p_<name>` a learnt vector, and any other the previous value of a state that
    `step()` returns. `h`, the output, is always a state.

    Args:
        step: Takes tensors of shape (batch, hidden) and returns a dictionary of every gate and state by name; it may
            use `+ - * /`, comparisons, sigmoid, tanh, relu, silu, exp, log, softplus, abs, maximum, minimum,
            clamp and where.
        name: What the cell is called; the function's name if None.
        title: What reports call it; the first line of its docstring, or the name, if None.
        forget_gate: The gate whose bias `forget_bias` sets; `f` where there is one, if None.
        unit_range: What learnt vectors are drawn from at first, uniformly; as other weights if None.

    Raises:
        UsageError: `step()` cannot be derived; the message names the file and line, and the way out.
        KindError: `step` is not a function.
    """
    if step is None:
        return lambda step: made(LayerCell, step, name, title, forget_gate, unit_range)
    return made(LayerCell, step, name, title, forget_gate, unit_range)
