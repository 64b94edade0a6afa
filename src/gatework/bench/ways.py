"""The time of an LSTM used step by step, with a trace, and with a loss of the last step alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import gatework
from gatework.bench.clock import seconds_of


def streaming(hidden: int = 128, steps: int = 2000, in_a_row: int = 100) -> dict[str, float]:
    """Median seconds of one step with batch 1, ours and torch's, each taking `in_a_row` steps when it is its turn.

    `ours in turns` and `torch in turns` are the same with one step at a turn: weights have left the nearest cache.
    """
    ours, theirs = gatework.nn.LSTM(hidden, hidden), nn.LSTM(hidden, hidden)
    x = torch.randn(1, hidden)
    steps_of: dict[str, Callable[[Any], Any]] = {
        "ours": lambda state: ours.step(x, state)[1],
        "torch": lambda state: theirs(x.unsqueeze(0), state)[1],
    }
    results: dict[str, float] = {}
    with torch.inference_mode():
        for ending, turn in (("", in_a_row), (" in turns", 1)):
            states: dict[str, Any] = dict.fromkeys(steps_of)
            times: dict[str, list[float]] = {name: [] for name in steps_of}
            for _ in range(max(1, steps // turn)):
                for name, step in steps_of.items():
                    for _ in range(turn):
                        start = time.perf_counter()
                        states[name] = step(states[name])
                        times[name].append(time.perf_counter() - start)
            results |= {name + ending: statistics.median(seconds) for name, seconds in times.items()}
    return results


def tracing(pairs: int = 15) -> float:
    """The median time of a run that keeps every gate over that of a plain forward run."""
    layer, x = gatework.nn.LSTM(128, 128), torch.randn(200, 32, 128)
    with torch.inference_mode():
        layer.trace(x), layer(x)
        return statistics.median(
            seconds_of(lambda: layer.trace(x)) / seconds_of(lambda: layer(x)) for _ in range(pairs)
        )


def last_step(steps: int = 400, pairs: int = 15) -> float:
    """The median time of a training step whose loss is of the last step alone over that of a loss of every step.

    The gradient of the last step fades on its way back, to subnormal numbers where nothing flushes them.
    """
    layer, x = gatework.nn.LSTM(64, 64), torch.randn(steps, 32, 64)

    def run(is_last: bool) -> None:
        output = layer(x)[0]
        (output[-1] if is_last else output).sum().backward()

    for is_last in (True, False):
        run(is_last)
    return statistics.median(seconds_of(lambda: run(True)) / seconds_of(lambda: run(False)) for _ in range(pairs))
