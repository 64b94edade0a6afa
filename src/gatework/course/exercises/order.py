"""Exercises of lesson 1: sequences and their order."""

from __future__ import annotations

from typing import Any

from gatework.course.exercises._spec import Exercise, Mistake


def windows(series: list[float], width: int) -> list[tuple[list[float], float]]:
    """Every window of `width` values with the value that follows it."""
    pairs = []
    for start in range(len(series) - width):
        pairs.append((series[start : start + width], series[start + width]))
    return pairs


def _with_its_own_last(series: list[float], width: int) -> Any:
    return [(series[k : k + width], series[k + width - 1]) for k in range(len(series) - width + 1)]


def _without_the_last(series: list[float], width: int) -> Any:
    return windows(series, width)[:-1]


def _one_too_late(series: list[float], width: int) -> Any:
    return [(series[k : k + width], series[k + width + 1]) for k in range(len(series) - width - 1)]


def _side_by_side(series: list[float], width: int) -> Any:
    return [(series[k : k + width], series[k + width]) for k in range(0, len(series) - width, width)]


def carried(step: Any, inputs: list[float], start: float) -> list[float]:
    """The state after each step, each computed from the one before."""
    states = []
    state = start
    for value in inputs:
        state = step(value, state)
        states.append(state)
    return states


def _never_carried(step: Any, inputs: list[float], start: float) -> Any:
    return [step(value, start) for value in inputs]


def _only_the_end(step: Any, inputs: list[float], start: float) -> Any:
    return carried(step, inputs, start)[-1]


def _with_the_start(step: Any, inputs: list[float], start: float) -> Any:
    return [start, *carried(step, inputs, start)]


def _halves(value: float, state: float) -> float:
    return 0.5 * state + value


def _rests(value: float, state: float) -> float:
    return value - 0.3 * state


EXERCISES = (
    Exercise(
        windows,
        (([1.0, 2.0, 3.0, 5.0, 8.0, 13.0], 2), ([4.0, 1.0, 0.0, 2.0, 9.0], 3)),
        (
            Mistake(
                _with_its_own_last,
                "The value to predict is the last value of the window itself, so the answer stands in the question: "
                "take the value that comes after the window.",
            ),
            Mistake(_without_the_last, "The last window is missing: look at where your range ends."),
            Mistake(
                _one_too_late,
                "You skip a step: the value right after a window that starts at k stands at k + width.",
            ),
            Mistake(_side_by_side, "Windows may overlap: begin one at every step, not only at every width-th."),
        ),
        "Each window is paired with the value that follows it, and none looks into its own future.",
        "Write the windows of a list of five numbers on paper first.",
    ),
    Exercise(
        carried,
        ((_halves, [1.0, 0.0, 0.0, 2.0], 0.0), (_rests, [1.0, 2.0, -1.0], 0.5)),
        (
            Mistake(
                _never_carried,
                "Every step begins from the start, so no step knows what came before it. That is a feedforward "
                "network: hand each step the state that the step before returned.",
            ),
            Mistake(_only_the_end, "This is the last state alone; collect the state after every step in a list."),
            Mistake(_with_the_start, "The list begins with the start, before any input was read; leave that out."),
        ),
        "This loop is the whole idea of a recurrent network: the same step, over and over, with its state handed on.",
        "One call of step per input, and what it returns is the state for the next call.",
    ),
)
