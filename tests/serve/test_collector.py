"""What a request leaves behind for Python's collector of circles."""

import asyncio
import gc

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from gatework.serve import Limits
from gatework.serve._application import application_of
from gatework.serve._http import HttpProtocol
from gatework.serve._metrics import Metrics
from gatework.serve._refusal import Refusal
from gatework.serve._service import _unless_gone
from gatework.serve._web_sockets import WebSocketProtocol
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

        return await _left_by(refused, 20, Refusal)

    assert apart(lambda: asyncio.run(scenario())) == []


class Wire(asyncio.Transport):
    """A connection to a client that takes whatever comes."""

    def write(self, data):
        pass

    def close(self):
        pass

    def is_closing(self):
        return False

    def resume_reading(self):
        pass


REQUESTS = [
    (b"/predict/texts", b'{"text": "good"}'),
    (b"/stream/texts", b'{"text": "good"}\n'),
    (b"/predict/texts", b'{"text": 1}'),
    (b"/nowhere", b""),
]


@pytest.mark.parametrize(("path", "body"), REQUESTS)
def test_an_answered_request_leaves_nothing_for_the_collector(service, path, body):
    """The server keeps tens of thousands of objects for good, so that Python looks at all of them far too seldom."""
    message = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (path, len(body), body)

    async def scenario():
        config = uvicorn.Config(application_of(service), log_level="warning", access_log=False)
        protocol = HttpProtocol(config, ServerState(), {})
        protocol.connection_made(Wire())
        service.worker.start()

        async def answered():
            protocol.data_received(message)
            while protocol.tasks:
                await asyncio.sleep(0.001)
            assert protocol.cycle.response_complete

        try:
            return await _left_by(answered, 20, RequestResponseCycle)
        finally:
            service.worker.stop()
            protocol.timeout_keep_alive_task.cancel()

    assert apart(lambda: asyncio.run(scenario())) == []


HANDSHAKE = b"""GET /stream/texts HTTP/1.1\r
Host: localhost\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
Sec-WebSocket-Version: 13\r
\r
"""


def test_a_web_socket_that_is_over_leaves_nothing_for_the_collector(service):
    async def scenario():
        config = uvicorn.Config(application_of(service), log_level="warning")

        async def talked():
            protocol = WebSocketProtocol(config, ServerState(), {})
            protocol.connection_made(Wire())
            protocol.data_received(HANDSHAKE)
            while not protocol._offer:
                await asyncio.sleep(0)
            protocol.connection_lost(None)
            while protocol.tasks:
                await asyncio.sleep(0.001)

        return await _left_by(talked, 5, WebSocketProtocol)

    assert apart(lambda: asyncio.run(scenario())) == []


async def _left_by(act, times, kind):
    """The objects of a kind that only the collector can find once something was done so many times."""
    await act()  # what is made once and for all
    gc.collect()
    gc.disable()
    try:
        for _ in range(times):
            await act()
        return [each for each in _garbage() if isinstance(each, kind)]
    finally:
        gc.enable()


def _garbage():
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return [*gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
