"""WebSockets whose endpoint may answer a message where it comes in.

An ASGI application is given each message through a queue and a task, and its answer goes back the same way; between
the two the socket is not read. For a row of a stream all this, and the general reading of frames, takes longer than
its answer. So a short text that comes whole in a frame of its own is read, answered and written here; everything else
goes the general way.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask
from websockets.http11 import Request
from websockets.protocol import State

from gatework.serve._streams import AT_ONCE, AtOnce

# RFC 6455, section 5.2: a whole message of text in one frame; sizes up to 125 stand in the second byte, others behind.
_TEXT, _MASKED, _SIZE, _LARGEST = 0x81, 0x80, 0x7F, 125
_SIZE_BYTES = {126: 2, 127: 8}
_MASK = 4


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol of WebSockets, with that way past it."""

    _is_awaited = False
    _is_between_frames = True

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._offer: dict[Any, Any] = {}

    def handle_connect(self, event: Request) -> None:
        """Offers the endpoint the extension."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][AT_ONCE] = self._offer

    def send_receive_event_to_app(self) -> None:
        """Hands a message over; one that should be a text and is none ends the socket, without uvicorn's traceback."""
        try:
            if self.curr_msg_data_type == "text":
                b"".join(self.frames).decode()
        except UnicodeDecodeError:
            self.frames = []
            self.conn.send_close(1007)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    async def receive(self) -> Any:
        """The next message that has not been answered at once."""
        self._is_awaited = True
        message = await super().receive()
        self._is_awaited = False
        return message

    def data_received(self, data: bytes) -> None:
        """Answers a short text, or lets what came go the general way."""
        if self._offer and self._is_answered(self._offer["by"], data):
            return
        if self.handshake_initiated:
            self._is_between_frames = self._is_between_frames and _are_whole_frames(data)
        super().data_received(data)

    def _is_answered(self, at_once: AtOnce, data: bytes) -> bool:
        """Whether a text was answered: only after all that came before it, and while the client takes the answers."""
        size = len(data) - 2 - _MASK
        is_short = 0 <= size <= _LARGEST and data[0] == _TEXT and data[1] == _MASKED | size
        if not is_short or not self._is_free():
            return False
        answer = at_once(apply_mask(data[2 + _MASK :], data[2 : 2 + _MASK]))
        if answer:
            self.transport.write(_as_frame(answer))
        return answer is not None

    def _is_free(self) -> bool:
        is_idle = self._is_awaited and self.queue.empty() and not self.frames and self._is_between_frames
        return is_idle and self.writable.is_set() and self.conn.state is State.OPEN


def _as_frame(text: bytes) -> bytes:
    size = len(text)
    if size <= _LARGEST:
        return bytes((_TEXT, size)) + text
    code = 126 if size < 1 << 16 else 127
    return bytes((_TEXT, code)) + size.to_bytes(_SIZE_BYTES[code]) + text


def _are_whole_frames(data: bytes) -> bool:
    """Whether the last frame of a client's ends where the data end."""
    place = 0
    while place + 1 < len(data):
        size = data[place + 1] & _SIZE
        place += 2
        if behind := _SIZE_BYTES.get(size):
            size = int.from_bytes(data[place : place + behind])
            place += behind
        place += _MASK + size
    return place == len(data)
