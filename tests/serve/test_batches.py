"""Requests that wait are answered together, and nobody can tell from an answer."""

import asyncio
import threading

import numpy as np
import pytest

from gatework.serve import Limits
from gatework.serve._application import service_of
from gatework.serve._refusal import Refusal
from gatework.serve._source import Source
from support.apart import apart
from support.networks import WORDS


def waiting():
    """What is set as a job begins, what it waits for, and the job."""
    begun, busy = threading.Event(), threading.Event()

    def wait(payloads):
        begun.set()
        busy.wait()
        return payloads

    return begun, busy, wait


async def until(event):
    while not event.is_set():
        await asyncio.sleep(0.001)


def texts(count):
    random = np.random.default_rng(3)
    return [" ".join(random.choice(WORDS, random.integers(1, 30))) for _ in range(count)]


@pytest.mark.parametrize("name", ["texts", "both"])
def test_batched_answers_are_those_of_each_request_alone_to_the_last_bit(service, name):
    model = service.models[name]
    sources = [Source("texts", [text], 1) for text in texts(40)]
    alone = [model.predict([source])[0] for source in sources]
    for size in (2, 3, 17, 40):
        for start in range(0, 40 - size + 1, size):
            batched = model.predict(sources[start : start + size])
            assert all(a.equals(b) for a, b in zip(batched, alone[start : start + size], strict=True))


def test_series_are_batched_likewise(service):
    model = service.models["series"]
    values = np.random.default_rng(0).normal(size=(19, 30, 2))
    sources = [Source("series", values[k : k + 1], 1) for k in range(19)]
    alone = [model.predict([source])[0] for source in sources]
    assert all(a.equals(b) for a, b in zip(model.predict(sources), alone, strict=True))


def test_what_waits_is_computed_at_once_and_one_failure_stays_alone(runs):
    """While the thread is busy with a first job, eight of one group and one of another come to wait."""
    service, calls = service_of({"texts": runs["texts"]}, Limits(batch=6)), []
    begun, busy, wait = waiting()

    def compute(payloads):
        calls.append(list(payloads))
        if "bad" in payloads:
            raise ValueError("bad")
        return [f"{payload}!" for payload in payloads]

    async def scenario():
        first = asyncio.ensure_future(service.worker.answer(wait, 0))
        await until(begun)
        names = ["a", "b", "bad", "c", "d", "e", "f", "g"]
        jobs = [asyncio.ensure_future(service.worker.answer(compute, name, group="x")) for name in names]
        await asyncio.sleep(0)  # each of them waits by now
        busy.set()
        return await first, await asyncio.gather(*jobs, return_exceptions=True)

    service.worker.start()
    try:
        first, found = apart(lambda: asyncio.run(scenario()))
    finally:
        service.worker.stop()
    assert first == 0
    assert [str(answer) for answer in found] == ["a!", "b!", "bad", "c!", "d!", "e!", "f!", "g!"]
    assert calls[0] == ["a", "b", "bad", "c", "d", "e"]
    assert calls[-1] == ["f", "g"]


def test_a_full_queue_and_a_late_answer_are_refused_with_when_to_try_again(runs):
    worker = service_of({"texts": runs["texts"]}, Limits(queue=2, timeout=0.01)).worker

    async def scenario():  # nobody computes
        return await asyncio.gather(*(worker.answer(list, k) for k in range(4)), return_exceptions=True)

    found = apart(lambda: asyncio.run(scenario()))
    assert all(isinstance(answer, Refusal) and answer.status == 503 for answer in found)
    assert found[3].sentence.startswith("2 requests wait already")
    assert found[0].sentence.startswith("the answer was not ready within 0.01 s")
    assert int(found[3].headers["Retry-After"]) >= 1


def test_whose_client_has_gone_is_not_computed(runs):
    service, calls = service_of({"texts": runs["texts"]}, Limits()), []
    begun, busy, wait = waiting()

    async def scenario():
        first = asyncio.ensure_future(service.worker.answer(wait, 0))
        await until(begun)
        gone = asyncio.ensure_future(service.worker.answer(lambda payloads: calls.append(payloads) or payloads, 1))
        await asyncio.sleep(0)  # it waits by now
        gone.cancel()
        await asyncio.sleep(0)
        busy.set()
        await first
        await service.worker.answer(wait, 2)

    service.worker.start()
    try:
        apart(lambda: asyncio.run(scenario()))
    finally:
        service.worker.stop()
    assert calls == []
