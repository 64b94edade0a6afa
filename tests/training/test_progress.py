"""What is shown while training goes on, and how it stops in good order."""

from __future__ import annotations

import inspect
import signal
import sys
import threading

import pytest

from gatework.training.progress import Bars, Lines, PassedOn, Progress, describe, showing_progress, stop_on_signal
from support.stopping import press

RECORD = {
    "epoch": 2,
    "train_loss": 0.51234,
    "validation_loss": 0.61234,
    "validation_accuracy": 0.75,
    "learning_rate": 0.001,
    "seconds": 1.25,
    "ms_per_step": 3.0,
}


def test_an_epoch_in_one_line_names_losses_metrics_and_seconds():
    line = describe(RECORD)
    assert "\n" not in line
    for part in ("epoch 2", "0.5123", "0.6123", "0.75", "1.2"):
        assert part in line


def test_off_a_terminal_an_epoch_is_a_plain_line_on_standard_error(capsys):
    with showing_progress() as progress:
        assert type(progress) is Lines
        progress.started("run", 3, 10, 0)
        progress.epoch_done("run", RECORD)
        progress.finished("run")
    out, err = capsys.readouterr()
    assert out == ""
    assert sum("run" in line and "epoch 2" in line for line in err.splitlines()) == 1


@pytest.mark.parametrize(
    ("terminal", "kind"), [("dumb", Lines), ("unknown", Lines), ("xterm-256color", Bars), (None, Bars)]
)
def test_a_terminal_that_cannot_write_over_a_line_gets_plain_lines(terminal, kind, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", terminal) if terminal else monkeypatch.delenv("TERM", raising=False)
    with showing_progress() as progress:
        assert type(progress) is kind


def test_beside_a_bar_a_metric_that_is_the_loss_is_said_once():
    record = {"train_loss": 0.5, "train_mse": 0.5, "validation_loss": 0.25, "validation_mse": 0.25}
    assert describe(record, short=True, most=2) == "MSE 0.25  train loss 0.5"
    assert describe(record | {"validation_loss": 0.3}, short=True, most=2) == "MSE 0.25  loss 0.3"


def test_quiet_says_nothing(capsys):
    with showing_progress(True) as progress:
        assert type(progress) is Progress
        progress.started("run", 3, 10, 0)
        progress.epoch_done("run", RECORD)
    assert capsys.readouterr() == ("", "")


def test_whatever_a_training_tells_is_passed_on():
    passed: list[tuple[str, ...]] = []

    class Noting(PassedOn):
        def pass_on(self, event, *told):
            passed.append((event, *told))

    events = {name: method for name, method in vars(Progress).items() if inspect.isfunction(method)}
    told = [(name, *list(inspect.signature(method).parameters)[1:]) for name, method in events.items()]
    for name, *arguments in told:
        getattr(Noting(), name)(*arguments)
    assert passed == told


def test_a_bar_follows_steps_and_is_full_after_an_early_stop():
    bars = Bars()
    with bars:
        bars.started("run", 3, 10, 0)
        bars.stepped("run", 7, 0.5)
        (bar,) = bars.bars.tasks
        assert (bar.completed, bar.total) == (7, 30)
        bars.epoch_done("run", RECORD | {"epoch": 1})
        assert bar.completed == 10
        bars.finished("run")
        assert bar.finished
        # Simple methods may take longer to fit than the network.
        bars.testing("run")
        assert bar.fields["where"] == "testing"
        bars.tested("run")
        assert bar.fields["where"] == "done"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_noted_and_the_handlers_come_back(number):
    before = signal.getsignal(number)
    with stop_on_signal() as stop:
        assert not stop.asked
        press(number)
        assert stop.asked
    assert signal.getsignal(number) is before


def test_in_another_thread_no_signal_is_caught():
    seen = []

    def work() -> None:
        with stop_on_signal() as stop:
            seen.append((stop.asked, signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
