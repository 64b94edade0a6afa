"""Processes that compute at once, and what is imported for them while this process does something else.

Nothing here imports torch: what a command does first is to let the server of its workers import it.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from gatework._registry import registering_modules
from gatework.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

# How long, in seconds, a worker whose parent is gone is given before it is told again to end.
_MERCY = 5.0
# How long, in seconds, workers are given to write a checkpoint when a person stops the work.
_PATIENCE = 1.5
# Workers are copies of a server that has imported torch once, and no thread of it or of the parent is in them. polars
# may not be among what the server imports: it has threads of its own from then on.
_HAS_SERVER = sys.platform == "linux"
CONTEXT: Any = multiprocessing.get_context("forkserver" if _HAS_SERVER else "spawn")
if _HAS_SERVER:
    CONTEXT.set_forkserver_preload(["gatework.nn"])

T = TypeVar("T")
P = ParamSpec("P")


class WorkerPool(ProcessPoolExecutor):
    """Processes of this machine, each of which imports the person's script before it works."""

    def __init__(self, count: int, begin: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """Starts nothing yet; the arguments are those of `process_pool()`."""
        self._began = CONTEXT.Event()
        super().__init__(count, CONTEXT, _begin_process, (self._began, registering_modules(), begin, arguments))

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Gives a process something to do.

        Raises:
            UsageError: The processes end as they import the script.
        """
        try:
            return super().submit(work, *args, **kwargs)
        except ConnectionError:
            raise self._not_begun() from None

    def result_of(self, future: Future[T]) -> T:
        """What a process made.

        Raises:
            TrainingError: A process was ended from outside.
            UsageError: The processes ended as they imported the script.
        """
        try:
            return future.result()
        except BrokenProcessPool:
            if not self._began.is_set():
                raise self._not_begun() from None
            raise TrainingError(
                "a training process was ended from outside, perhaps for want of memory; repeat the command to go on, "
                "with --jobs 1 if memory is short"
            ) from None

    @staticmethod
    def _not_begun() -> UsageError:
        return UsageError(
            "the worker processes ended before they began: each first imports the script that asks for them, so what "
            'asks must stand under `if __name__ == "__main__":`; workers=1 starts none'
        )


def start_early() -> None:
    """Lets the server import what workers need while this process does something else."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(1)  # a worker that imports a script which asks for workers again: its parent says so
    if _HAS_SERVER:
        from multiprocessing import forkserver, resource_tracker

        # Its start would let Ctrl-C through again, which the server's start must not.
        resource_tracker.ensure_running()
        # What the server is, its workers are: Ctrl-C, which reaches every process of the terminal, ends none of them.
        with _deaf_to_interrupts():
            forkserver.ensure_running()


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Keeps Ctrl-C from this thread and the processes that it starts for the length of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def interrupts_later() -> Iterator[None]:
    """Lets Ctrl-C wait for the end of the block, as half a process would be left of one that starts in it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
        if came:
            signal.raise_signal(signal.SIGINT)


def process_pool(count: int, begin: Callable[..., None], *arguments: Any) -> WorkerPool:
    """Processes that share nothing with this one, leave Ctrl-C to it, and end soon after it if it is killed.

    Args:
        count: How many.
        begin: Called once in each process before anything else.
        arguments: What `begin` is given.
    """
    start_early()
    _forget_missing_script()
    return WorkerPool(count, begin, arguments)


def _forget_missing_script() -> None:
    """Keeps workers from a script that is no file, as that which Python reads from a pipe."""
    main = sys.modules["__main__"]
    script = getattr(main, "__file__", None)
    if script is not None and main.__spec__ is None and not os.path.exists(script):
        del main.__file__


def stop(pool: ProcessPoolExecutor) -> None:
    """Ends every process of a pool: each is asked to, and after a moment made to.

    The pool's own way out would first finish what its processes have begun, and what they hold in advance.
    """
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    end = time.monotonic() + _PATIENCE
    for process in processes:
        process.join(max(end - time.monotonic(), 0.0))
        if process.is_alive():
            process.kill()


def _begin_process(
    began: Event, modules: Sequence[str], begin: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    began.set()
    # Ctrl-C reaches every process of the terminal; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for module in modules:
        importlib.import_module(module)
    begin(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    while True:
        # Where a run is being trained this leaves a checkpoint first; elsewhere it ends the process.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_MERCY)
