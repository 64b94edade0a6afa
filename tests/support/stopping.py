"""Ctrl-C in the midst of a training, without a signal: one that nobody catches would end the process of all tests."""

from __future__ import annotations

import signal

from gatework.training import Progress
from gatework.training.progress import Stop


def press(number: signal.Signals = signal.SIGINT) -> None:
    """Does to a training of this process what a signal would do."""
    handler = signal.getsignal(number)
    assert isinstance(handler, Stop), "no training of this process catches signals"
    handler(number, None)


class StopAt(Progress):
    """Presses Ctrl-C once a run has made so many steps.

    Args:
        step: How many, of one run.
        run: In which run, counted from 1.
    """

    def __init__(self, step: int = 1, run: int = 1) -> None:
        self.step = step
        self.run = run
        self.runs = 0

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Counts runs."""
        self.runs += 1

    def stepped(self, label: str, done: int, loss: float) -> None:
        """Presses Ctrl-C where it is due."""
        if (self.runs, done) == (self.run, self.step):
            press()


class Stopping(Progress):
    """Stops a training at a step of the run whose name ends so, where nobody need catch a signal.

    Args:
        end: How the name ends.
        step: Which step.
    """

    def __init__(self, end: str, step: int) -> None:
        self.end, self.step = end, step

    def stepped(self, label: str, done: int, loss: float) -> None:
        """Stops where it is due."""
        if label.endswith(self.end) and done == self.step:
            raise KeyboardInterrupt
