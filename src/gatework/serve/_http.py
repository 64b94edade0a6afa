"""HTTP whose requests have bounds on all that is no body: uvicorn's, and so httptools', have none.

A line of a stream that comes whole may be answered here, as a WebSocket's message (_web_sockets.py says why).
"""

from __future__ import annotations

from asyncio import TimerHandle
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gatework.serve._answers import json_bytes
from gatework.serve._streams import AT_ONCE, AtOnce

_MOST = 1 << 16
"""Bytes of a request's first line and headers, and around its body's chunks; what comes in one piece may be longer."""


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    Attributes:
        seconds: How long the first line and the headers of a request may take.
    """

    seconds = 30.0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._is_beginning, self._size, self._around = True, 0, 0
        self._late: TimerHandle | None = None
        self._offer: dict[Any, Any] = {}

    def connection_made(self, transport: Any) -> None:
        """Gives the first request its time to come."""
        super().connection_made(transport)
        self._late = self.loop.call_later(self.seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads on, unless the beginning of a request is too long, or what is no body of what follows it."""
        if self._is_beginning:
            self._size += len(data)
        else:
            self._around += len(data)
        super().data_received(data)
        if self._around > _MOST and not self.transport.is_closing():
            self._refuse(400, f"there are more than {_MOST:,} bytes between two pieces of the body or behind it")
        if not self._size or self.transport.is_closing():
            self._stop_waiting()
        elif self._size > _MOST:
            self._refuse(431, f"the first line and the headers are longer than {_MOST:,} bytes")
        elif self._late is None:
            self._late = self.loop.call_later(self.seconds, self._give_up)

    def on_message_begin(self) -> None:
        """Offers the endpoint to answer pieces of the body where they come in."""
        super().on_message_begin()
        self._offer = {}
        self.scope["extensions"] = {AT_ONCE: self._offer}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header; what comes like one behind a body is for nobody."""
        if self._is_beginning:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Takes a piece of the body."""
        self._around = 0
        if not (self._offer and self._is_answered(self._offer["by"], body)):
            super().on_body(body)

    def on_headers_complete(self) -> None:
        """Begins to answer."""
        self._is_beginning, self._size = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Waits for the next request of the connection."""
        self._is_beginning, self._around = True, 0
        super().on_message_complete()

    def _is_answered(self, at_once: AtOnce, piece: bytes) -> bool:
        """Whether a piece was answered: only after all that came before it, and while the client takes the answers."""
        cycle = self.cycle
        if cycle.body or not cycle.chunked_encoding or cycle.disconnected or self.flow.write_paused:
            return False
        answer = at_once(piece)
        if answer:
            self.transport.write(b"%x\r\n%b\n\r\n" % (len(answer) + 1, answer))
        return answer is not None

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if self._size:
            self._refuse(408, f"the first line and the headers did not come within {self.seconds:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: int, sentence: str) -> None:
        self._stop_waiting()
        body = json_bytes({"error": sentence})
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
