"""The heat maps and curves as plotly figures, one call each, for papers, slides and notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.errors import UsageError
from gatework.inside._equations import logistic_gates
from gatework.inside._retention import half_lives as _half_lives
from gatework.inside._saturation import saturation as _saturation
from gatework.inside.attribution import Attribution
from gatework.inside.gradients import GradientFlow
from gatework.inside.traces import Trace
from gatework.pages.palette import CELL_COLOURS, OPENING, OTHER_COLOURS, SIGNED

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LAYOUT: dict[str, Any] = {
    "template": "simple_white",
    "font": {"size": 13},
    "margin": {"l": 60, "r": 20, "t": 40, "b": 50},
    "colorway": [*CELL_COLOURS.values(), *OTHER_COLOURS],
}


def heat_map(
    trace: Trace, name: str | None = None, *, sequence: int = 0, layer: int = -1, direction: int = 0
) -> go.Figure:
    """One gate or state of every unit over the steps of one sequence.

    Args:
        trace: The trace.
        name: The gate or state; every one of the cell, one below the other, if None.
        sequence: The sequence's position.
        layer: The layer.
        direction: 0 for forward, 1 for backward.
    """
    from plotly import graph_objects as go
    from plotly.subplots import make_subplots

    names = trace.names if name is None else (name,)
    values = {each: trace[each][layer, direction, : int(trace.lengths[sequence]), sequence].T for each in names}
    figure = make_subplots(rows=len(names), cols=1, shared_xaxes=True, vertical_spacing=0.16 / len(names))
    steps = (
        list(trace.steps[sequence])
        if trace.steps
        else [str(k) for k in range(1, next(iter(values.values())).shape[1] + 1)]
    )
    for row, each in enumerate(names, start=1):
        is_gate = each in logistic_gates(trace.spec)
        bound = max(float(np.abs(values[each]).max(initial=0)), 1e-12)
        drawn = go.Heatmap(
            z=values[each],
            colorscale=list(OPENING if is_gate else SIGNED),
            zmin=0 if is_gate else -bound,
            zmax=1 if is_gate else bound,
            customdata=np.broadcast_to(np.array(steps, dtype=object), values[each].shape),
            hovertemplate=f"{each}, unit %{{y}}, step %{{x}} (%{{customdata}}): %{{z:.3f}}<extra></extra>",
            colorbar={"len": 1 / len(names), "y": 1 - (row - 0.5) / len(names), "thickness": 12},
        )
        figure.add_trace(drawn, row=row, col=1)
        figure.update_yaxes(title_text=each, row=row, col=1)
    _label_steps(figure, steps, len(names))
    return figure.update_layout(**_LAYOUT, height=120 + 150 * len(names))


def unit(trace: Trace, number: int, *, sequence: int = 0, layer: int = -1, direction: int = 0) -> go.Figure:
    """Every gate and state of one unit over the steps of one sequence.

    Args:
        trace: The trace.
        number: The unit, counted from 0.
        sequence: The sequence's position.
        layer: The layer.
        direction: 0 for forward, 1 for backward.
    """
    from plotly import graph_objects as go

    figure = go.Figure()
    length = int(trace.lengths[sequence])
    for name in trace.names:
        array = trace[name]
        if not 0 <= number < array.shape[-1]:
            raise UsageError(f"there is no unit {number}: the layer has units 0 to {array.shape[-1] - 1}")
        dash = "dot" if name in logistic_gates(trace.spec) else "solid"
        figure.add_scatter(y=array[layer, direction, :length, sequence, number], name=name, line={"dash": dash})
    steps = list(trace.step_names(sequence))
    _label_steps(figure, steps, 1)
    return figure.update_layout(**_LAYOUT, yaxis_title=f"unit {number}")


def saturation(trace: Trace) -> go.Figure:
    """The share of steps at which each unit's gates are nearly open against that at which they are nearly closed."""
    from plotly import graph_objects as go

    table = _saturation(trace)
    figure = go.Figure()
    for gate in table["gate"].unique(maintain_order=True):
        rows = table.filter(table["gate"] == gate)
        names = [f"layer {row['layer']}, {row['direction']}, unit {row['unit']}" for row in rows.iter_rows(named=True)]
        figure.add_scatter(x=rows["closed"], y=rows["open"], mode="markers", name=gate, text=names)
    figure.add_scatter(x=[0, 1], y=[1, 0], mode="lines", line={"color": "#85858d", "width": 1}, showlegend=False)
    return figure.update_layout(
        **_LAYOUT, xaxis_title="share of steps below 0.1", yaxis_title="share of steps above 0.9", width=520, height=480
    )


def half_lives(trace: Trace) -> go.Figure:
    """The half-life of every unit's memory, longest first, on a logarithmic scale."""
    from plotly import graph_objects as go

    table = _half_lives(trace)
    figure = go.Figure()
    for (layer, direction), rows in table.group_by(["layer", "direction"], maintain_order=True):
        figure.add_scatter(
            y=rows["half_life"], mode="lines+markers", name=f"layer {layer}, {direction}", text=rows["unit"]
        )
    figure.update_yaxes(type="log", title_text="half-life in steps")
    return figure.update_layout(**_LAYOUT, xaxis_title="units, longest memory first")


def gradient_flow(
    flows: Mapping[str, GradientFlow], *, layer: int = -1, direction: int = 0, is_carried_shown: bool = True
) -> go.Figure:
    """The gradient's norm at each step back, relative to the last step, on a logarithmic scale.

    Args:
        flows: By label, as `{"rnn": ..., "lstm, at the start": ...}`.
        layer: The layer.
        direction: 0 for forward, 1 for backward.
        is_carried_shown: Whether the product of the gate that keeps the state is drawn beside it.
    """
    from plotly import graph_objects as go

    figure = go.Figure()
    for k, (label, flow) in enumerate(flows.items()):
        colour = CELL_COLOURS.get(flow.spec.name, OTHER_COLOURS[k % len(OTHER_COLOURS)])
        dash = "dash" if "start" in label else "solid"
        figure.add_scatter(y=_drawable(flow.curve(layer, direction)), name=label, line={"color": colour, "dash": dash})
        carried = flow.carried_curve(layer, direction)
        if is_carried_shown and carried is not None:
            gate = "forget gates" if flow.spec.forget_gate else "update gates"
            line = {"color": colour, "dash": "dot", "width": 1}
            figure.add_scatter(y=_drawable(carried), name=f"{label}: product of {gate}", line=line)
    figure.update_yaxes(type="log", title_text="gradient norm, last step = 1", exponentformat="power")
    return figure.update_layout(**_LAYOUT, xaxis_title="steps back")


def attribution(attributed: Attribution) -> go.Figure:
    """What each step contributed, as bars."""
    from plotly import graph_objects as go

    colours = np.where(attributed.values >= 0, "#0b5fa8", "#b3431e")
    steps = list(attributed.steps) or [str(k) for k in range(1, len(attributed.values) + 1)]
    figure = go.Figure(go.Bar(y=attributed.values, marker_color=colours, customdata=steps))
    figure.update_traces(hovertemplate="%{customdata}: %{y:.3g}<extra></extra>")
    _label_steps(figure, steps, 1)
    return figure.update_layout(**_LAYOUT, yaxis_title=f"contribution to {attributed.target}", title=attributed.method)


def _drawable(values: np.ndarray) -> list[float | None]:
    """Values for a logarithmic axis: a gap where there is none above zero."""
    return [float(v) if np.isfinite(v) and v > 0 else None for v in values]


def _label_steps(figure: go.Figure, steps: list[str], rows: int) -> None:
    """Writes under the last row what the steps read, where that is words and there is room."""
    if len(steps) <= 60 and steps != [str(k) for k in range(1, len(steps) + 1)]:
        figure.update_xaxes(
            tickvals=list(range(len(steps))), ticktext=steps, tickangle=-60, row=rows if rows > 1 else None
        )
    else:
        figure.update_xaxes(title_text="step", row=rows if rows > 1 else None)
