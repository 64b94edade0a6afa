"""One thread that computes: requests wait in a bounded queue, and those that go together are answered at once.

There is no delay to gather a batch: whenever the thread is free it takes what waits. On an idle server a request is
computed alone; under load, batches fill by themselves.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatework.serve._limits import Limits
from gatework.serve._metrics import Metrics
from gatework.serve._refusal import Refusal

Compute = Callable[[Sequence[Any]], Sequence[Any]]
"""Answers some payloads at once; an answer that is an exception is that of its payload alone."""
_SLOW = 0.05
"""How much the last job counts in the running mean of what one takes."""


@dataclass(eq=False)
class WaitingRequest:
    """A request that waits.

    Attributes:
        compute: What answers it, and others of its group with it.
        payload: What it is given.
        group: Jobs of one group are computed at once; None for one that is computed alone.
        size: How many examples it has.
        deadline: When it is given up, on the clock of `time.monotonic()`.
        future: Where the answer goes.
        is_lasting: Whether something is carried on from it, so that its answer counts once it is computed.
        is_taken: Whether it is computed, or has been.
    """

    compute: Compute
    payload: Any
    group: Hashable
    size: int
    deadline: float
    future: asyncio.Future[Any] = field(repr=False)
    is_lasting: bool = False
    is_taken: bool = False


class Worker:
    """The thread that computes, and the queue before it.

    Args:
        limits: How many may wait, and for how long.
        metrics: Where batches are counted.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self._limits, self._metrics = limits, metrics
        self._waiting: deque[WaitingRequest] = deque()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._seconds = 0.01
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to compute."""
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="gatework-serve", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Computes what waits and ends."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(self._limits.timeout)

    def __len__(self) -> int:
        return len(self._waiting)

    async def answer(
        self,
        compute: Compute,
        payload: Any,
        *,
        group: Hashable = None,
        size: int = 1,
        timeout: float | None = None,
        is_lasting: bool = False,
    ) -> Any:
        """The answer to a payload, when its turn has come.

        Args:
            compute: What answers it; one function for all payloads of a group.
            payload: What it is given.
            group: Payloads of one group are answered at once; None for one that is answered alone.
            size: How many examples it has.
            timeout: Seconds after which it is given up; those of the limits if None.
            is_lasting: Whether something is carried on from it: then it is given up only while it waits, never once it
                is computed, as nobody could know what the next one goes on from.

        Raises:
            Refusal: Too many wait, or the time is over.
        """
        if len(self._waiting) >= self._limits.queue:
            self._metrics.refused["queue"] += 1
            raise Refusal(
                503,
                f"{self._limits.queue:,} requests wait already; try again in a moment",
                {"Retry-After": str(self._retry_after())},
            )
        seconds = self._limits.timeout if timeout is None else min(timeout, self._limits.timeout)
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        job = WaitingRequest(compute, payload, group, size, time.monotonic() + seconds, future, is_lasting)
        with self._changed:
            self._waiting.append(job)
            self._changed.notify()
        timer = loop.call_later(seconds, self._give_up, job, seconds)
        try:
            return await future
        finally:
            timer.cancel()
            del future, job, timer  # a refusal holds on to this frame, and they to the refusal

    def _give_up(self, job: WaitingRequest, seconds: float) -> None:
        """Refuses a job whose time is over, unless it has to be answered nevertheless."""
        with self._changed:
            if job.future.done() or (job.is_lasting and job.is_taken):
                return
            self._metrics.refused["timeout"] += 1
            refusal = Refusal(
                503,
                f"the answer was not ready within {seconds:g} s; try again, or send less at once",
                {"Retry-After": str(self._retry_after())},
            )
            job.future.set_exception(refusal)

    def _retry_after(self) -> int:
        return max(1, math.ceil(len(self._waiting) * self._seconds))

    def _run(self) -> None:
        while jobs := self._next():
            started = time.perf_counter()
            answers = _computed(jobs)
            seconds = (time.perf_counter() - started) / len(jobs)
            self._seconds += _SLOW * (seconds - self._seconds)
            self._metrics.batches.observe(sum(job.size for job in jobs))
            loop = jobs[0].future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_deliver, jobs, answers)

    def _next(self) -> list[WaitingRequest]:
        """The jobs to compute next, the oldest first; none when the server stops."""
        with self._changed:
            while True:
                self._drop_unwanted()
                if self._waiting:
                    return self._batch()
                if self._is_stopping:
                    return []
                self._changed.wait()

    def _drop_unwanted(self) -> None:
        """Forgets the oldest jobs whose client has gone or whose time is over."""
        while self._waiting and not _is_wanted(self._waiting[0]):
            self._waiting.popleft()

    def _batch(self) -> list[WaitingRequest]:
        """The oldest job and those of its group that fit; none overtakes another one of it."""
        first = self._waiting.popleft()
        jobs, size = [first], first.size
        if first.group is not None:
            others: deque[WaitingRequest] = deque()
            for job in self._waiting:
                if not _is_wanted(job):
                    continue
                if job.group == first.group:
                    size += job.size
                (jobs if job.group == first.group and size <= self._limits.batch else others).append(job)
            self._waiting = others
        for job in jobs:
            job.is_taken = True
        return jobs


def _is_wanted(job: WaitingRequest) -> bool:
    return not job.future.done() and job.deadline > time.monotonic()


def _computed(jobs: Sequence[WaitingRequest]) -> Sequence[Any]:
    """The answers of jobs of one group; where they fail together, each alone."""
    compute = jobs[0].compute
    try:
        return compute([job.payload for job in jobs])
    except Exception as error:
        return [error] if len(jobs) == 1 else [_computed([job])[0] for job in jobs]


def _deliver(jobs: Sequence[WaitingRequest], answers: Sequence[Any]) -> None:
    for job, answer in zip(jobs, answers, strict=True):
        if job.future.done():
            continue
        if isinstance(answer, Exception):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)
