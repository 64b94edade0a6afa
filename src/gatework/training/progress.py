"""Watching a training run: what is told while it goes on, and how it is stopped in good order."""

from __future__ import annotations

import contextlib
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

from gatework.errors import StoppedError
from gatework.formatting import is_animated, printable, wrapped
from gatework.tasks import metric_title


class Progress:
    """Receives what happens in a training and shows nothing by default; `label` names the run."""

    def noted(self, notes: Sequence[str]) -> None:
        """Receives what was decided about the data by a rule, one sentence each."""

    def described(self, lines: Sequence[str]) -> None:
        """Receives what was read, and the network that learns from it, as lines for a person."""

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Training begins or goes on.

        Args:
            label: The run.
            epochs: The epochs of the whole training.
            steps: The steps of each epoch.
            done: The steps done already, over all epochs.
        """

    def limited(self, label: str, seconds: float, spent: float) -> None:
        """Training, which begins or goes on next, ends after so many seconds, some of which are spent already."""

    def stepped(self, label: str, done: int, loss: float) -> None:
        """A step is done.

        Args:
            label: The run.
            done: The steps done since the start of training.
            loss: The mean loss of this step.
        """

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """An epoch is done; the record is its line of `metrics.jsonl`."""

    def finished(self, label: str) -> None:
        """Training is over."""

    def testing(self, label: str) -> None:
        """What follows training begins: simple methods are fitted, and the test part is asked."""

    def tested(self, label: str) -> None:
        """The run is whole."""

    def dropped(self, label: str) -> None:
        """A run is no longer followed, such as a trial of a search that has ended."""


class PassedOn(Progress):
    """Passes on whatever it is told, each event by its name."""

    def pass_on(self, event: str, *told: Any) -> None:
        """Takes an event.

        Args:
            event: The name of a method of `Progress`.
            told: Its arguments.
        """
        raise NotImplementedError

    def noted(self, notes: Sequence[str]) -> None:
        """Passes it on."""
        self.pass_on("noted", notes)

    def described(self, lines: Sequence[str]) -> None:
        """Passes it on."""
        self.pass_on("described", lines)

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Passes it on."""
        self.pass_on("started", label, epochs, steps, done)

    def limited(self, label: str, seconds: float, spent: float) -> None:
        """Passes it on."""
        self.pass_on("limited", label, seconds, spent)

    def stepped(self, label: str, done: int, loss: float) -> None:
        """Passes it on."""
        self.pass_on("stepped", label, done, loss)

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """Passes it on."""
        self.pass_on("epoch_done", label, record)

    def finished(self, label: str) -> None:
        """Passes it on."""
        self.pass_on("finished", label)

    def testing(self, label: str) -> None:
        """Passes it on."""
        self.pass_on("testing", label)

    def tested(self, label: str) -> None:
        """Passes it on."""
        self.pass_on("tested", label)

    def dropped(self, label: str) -> None:
        """Passes it on."""
        self.pass_on("dropped", label)


class Lines(Progress):
    """One plain line per epoch on standard error, for logs and pipes."""

    def noted(self, notes: Sequence[str]) -> None:
        """Prints the notes."""
        tell(notes)

    def described(self, lines: Sequence[str]) -> None:
        """Prints the lines."""
        print(*lines, sep="\n", file=sys.stderr, flush=True)

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """Prints the epoch's losses and metrics."""
        print(f"{label}  {describe(record)}", *texts_of(record), sep="\n", file=sys.stderr, flush=True)


class Bars(Progress):
    """A live bar per run on standard error, with loss, metric and time left."""

    def __init__(self) -> None:
        from rich import progress as rich_progress
        from rich import table as rich_table
        from rich.console import Console

        console = Console(stderr=True)
        self.is_narrow = console.width < _WIDE
        # Nothing but the name may be cut: on a narrow terminal the bar is short and one metric stands beside it.
        name = rich_table.Column(max_width=14, no_wrap=True, overflow="ellipsis")
        whole = [rich_table.Column(no_wrap=True, overflow="crop") for _ in range(3)]
        self.bars = rich_progress.Progress(
            rich_progress.TextColumn("{task.description}", markup=False, table_column=name),
            rich_progress.BarColumn(bar_width=12 if self.is_narrow else 24),
            rich_progress.TextColumn("{task.fields[where]}", table_column=whole[0]),
            rich_progress.TimeRemainingColumn(elapsed_when_finished=True, table_column=whole[1]),
            rich_progress.TextColumn("{task.fields[told]}", table_column=whole[2]),
            console=console,
        )
        self.tasks: dict[str, Any] = {}
        self.shape: dict[str, tuple[int, int]] = {}
        self.clocks: dict[str, tuple[float, float]] = {}

    def __enter__(self) -> Bars:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def noted(self, notes: Sequence[str]) -> None:
        """Prints the notes above the bars."""
        for note in notes:
            self.bars.console.print(printable(f"note: {note}"), markup=False, highlight=False)

    def described(self, lines: Sequence[str]) -> None:
        """Prints the lines above the bars."""
        for line in lines:
            self.bars.console.print(printable(line), markup=False, highlight=False)

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Adds the run's bar."""
        self.shape[label] = (epochs, steps)
        total = self.clocks[label][1] if label in self.clocks else epochs * steps
        where = self._where(label, done // steps + 1)
        self.tasks[label] = self.bars.add_task(
            label, total=total, completed=round(self._completed(label, done)), where=where, told=""
        )

    def limited(self, label: str, seconds: float, spent: float) -> None:
        """Lets the run's bar follow the clock."""
        self.clocks[label] = (time.perf_counter() - spent, seconds)

    def _completed(self, label: str, done: int) -> float:
        """How far a bar has come: in steps, or in seconds where a run has so many."""
        if label not in self.clocks:
            return done
        started, seconds = self.clocks[label]
        return min(time.perf_counter() - started, seconds)

    def _where(self, label: str, epoch: int) -> str:
        epochs, _ = self.shape[label]
        of_all = "" if label in self.clocks else f"/{epochs}"
        return f"{'' if self.is_narrow else 'epoch '}{min(epoch, epochs)}{of_all}"

    def stepped(self, label: str, done: int, loss: float) -> None:
        """Moves the run's bar."""
        _, steps = self.shape[label]
        where = self._where(label, done // steps + 1)
        self.bars.update(self.tasks[label], completed=self._completed(label, done), where=where)

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """Shows the epoch's losses and metrics beside the bar."""
        _, steps = self.shape[label]
        self.bars.update(
            self.tasks[label],
            completed=self._completed(label, record["epoch"] * steps),
            where=self._where(label, record["epoch"] + 1),
            told=describe(record, short=True, most=2 if self.is_narrow else 4),
        )
        for text in texts_of(record):
            self.bars.console.print(printable(text), markup=False, highlight=False)

    def finished(self, label: str) -> None:
        """Fills the run's bar, also after an early stop."""
        epochs, steps = self.shape[label]
        total = self.clocks[label][1] if label in self.clocks else epochs * steps
        self.bars.update(self.tasks[label], completed=total, where="done")

    def testing(self, label: str) -> None:
        """Says so beside the run's bar, as it may take longer than the training."""
        if label in self.tasks:
            self.bars.update(self.tasks[label], where="testing")

    def tested(self, label: str) -> None:
        """Says beside the run's bar that it is done."""
        if label in self.tasks:
            self.bars.update(self.tasks[label], where="done")

    def dropped(self, label: str) -> None:
        """Takes the run's bar away."""
        if label in self.tasks:
            self.bars.remove_task(self.tasks.pop(label))


def tell(notes: Sequence[str]) -> None:
    """Prints what was found in a person's data on standard error."""
    for note in notes:
        print(wrapped(printable(f"note: {note}"), sys.stderr), file=sys.stderr, flush=True)


@contextlib.contextmanager
def showing_progress(quiet: bool = False) -> Iterator[Progress]:
    """Bars on a terminal, plain lines elsewhere, nothing if `quiet`."""
    if quiet:
        yield Progress()
    elif is_animated(sys.stderr):
        with Bars() as bars:
            yield bars
    else:
        yield Lines()


def describe(record: dict[str, Any], short: bool = False, most: int = 4) -> str:
    """One epoch in one line: the losses of both parts, then the metrics, the deciding one first.

    Args:
        record: The epoch's line of `metrics.jsonl`.
        short: Whether it stands beside a bar: few figures, the metric and the loss of the validation part first.
        most: The most figures of a short line.
    """
    names = [name for name in record if name.startswith("validation_") and name != "validation_loss"]
    trained = [name for name in record if name.startswith("train_") and name != "train_loss"]
    titles = {name: metric_title(name.removeprefix("validation_"), is_short=True) for name in names}
    if short:
        titles |= {"validation_loss": "loss", "train_loss": "train loss"}
        # A metric that is the loss itself is said once.
        is_loss = bool(names) and math.isclose(record[names[0]], record["validation_loss"], rel_tol=1e-6)
        order = [*names[:1], *([] if is_loss else ["validation_loss"]), "train_loss", *trained][:most]
        return "  ".join(f"{titles.get(n, metric_title(n, is_short=True))} {record[n]:.4g}" for n in order)
    figures = ("train_loss", *trained, "validation_loss", *names)
    shown = [f"{titles.get(n, metric_title(n, is_short=True))} {record[n]:.4g}" for n in figures]
    return f"epoch {record['epoch']}  " + "  ".join(shown) + f"  {record['seconds']:.1f} s"


def texts_of(record: dict[str, Any]) -> list[str]:
    """What a network made after an epoch, each text on a paragraph of its own; fewer of them as epochs become many."""
    if record["epoch"] & (record["epoch"] - 1):
        return []
    return [f"\n{text}\n" for text in record.values() if isinstance(text, str)]


_WIDE = 100
"""The columns from which on a terminal has room for every figure beside a bar."""


class Stop:
    """Becomes `asked` when the process is told to stop, so that the step under way can end first."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Notes the first signal; a second one stops at once."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def end_reads_on_signal() -> None:
    """Lets Ctrl-C end a read that waits for input.

    polars installs a handler under which the system goes on with the read after the signal, and Python, which acts
    between two calls, never gets its turn; called after polars has been imported.
    """
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "siginterrupt"):
        signal.siginterrupt(signal.SIGINT, True)


@contextlib.contextmanager
def stopped_with(sentence: str | Callable[[], str]) -> Iterator[None]:
    """Ends with a sentence that says how to go on where a person stops what is within the block.

    Args:
        sentence: It, or what makes it once the block was stopped.

    Raises:
        StoppedError: The process was told to stop.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError(sentence if isinstance(sentence, str) else sentence()) from None


@contextlib.contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """Catches Ctrl-C and SIGTERM for the length of the block (in the main thread; elsewhere nothing is caught)."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
