"""What a refused request leaves behind."""

import asyncio
import gc

import pytest

from gatework.serve import Limits
from gatework.serve._metrics import Metrics
from gatework.serve._refusal import Refusal
from gatework.serve._service import _unless_gone
from gatework.serve._worker import Worker
from support.apart import apart


class Patient:
    """A client that does not go."""

    async def receive(self):
        await asyncio.Event().wait()


@pytest.mark.parametrize("limits", [Limits(queue=0), Limits(timeout=0.001)])
def test_a_refusal_leaves_no_circle_for_the_collector(limits):
    """Otherwise a server that is asked for too much holds thousands of requests that are over."""

    async def scenario():
        worker = Worker(limits, Metrics())

        async def refused():
            with pytest.raises(Refusal):
                await _unless_gone(Patient(), worker.answer(list, []))
            worker._waiting.clear()
            await asyncio.sleep(0)

        await refused()
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await refused()
            return [each for each in _garbage() if isinstance(each, Refusal)]
        finally:
            gc.enable()

    assert apart(lambda: asyncio.run(scenario())) == []


def _garbage():
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return [*gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
