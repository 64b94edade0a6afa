"""Streams: the lines of `gatework predict --stream` over one request, or over a WebSocket.

Both speak ASGI themselves: a stream has thousands of messages, and what stands between each and its answer counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.types import Receive, Scope, Send

from gatework.errors import GateworkError
from gatework.serve._answers import json_bytes
from gatework.serve._door import SEND
from gatework.serve._model import ServedModel
from gatework.serve._refusal import Refusal, sentence_of
from gatework.serve._rows import LineCutter, Row, reader_of
from gatework.serve._service import Service

AtOnce = Callable[[bytes], bytes | None]
"""Answers a message of a WebSocket, or a piece of a body, b"" if nothing is said of it; None where it has to come as
others do."""
AT_ONCE = "gatework.at_once"
"""The extension of a scope in which an endpoint leaves an `AtOnce` as "by"."""
_TRY_LATER, _NO_MODEL = 1013, 1008
_STOPPED = json_bytes({"error": "this server stops, and the stream with it; begin it anew"}) + b"\n"
_SHORT = 400
"""Bytes of lines that the thread which listens may answer itself, where their computing is short."""


class Conversation:
    """One stream under way.

    Args:
        service: What answers.
        model: Of which model.

    Raises:
        UsageError: The network needs the whole sequence.
    """

    def __init__(self, service: Service, model: ServedModel) -> None:
        self.service, self.model, self.stream = service, model, model.stream()
        self._reader = reader_of(self.stream)

    def at_once(self, message: bytes) -> bytes | None:
        """The answer to one line, by the thread that listens; None where several, or its computing, take longer."""
        service, model, line = self.service, self.model, message.removesuffix(b"\n")
        if len(line) > _SHORT or b"\n" in line or not service.is_at_once(model, 1):
            return None
        try:
            row = self._reader.read(line.decode())
        except UnicodeDecodeError:
            return None
        except GateworkError as error:
            return json_bytes({"error": sentence_of(error)})
        if row is None:
            return b""
        service.metrics.rows += 1
        return json_bytes(model.pace.measured_one(self.stream, *row))

    async def answers(self, lines: Sequence[str | bytes]) -> list[bytes]:
        """The answers to some lines; a line that cannot be read is answered by what is wrong with it."""
        parts: list[bytes | None] = []
        rows: list[Row] = []
        size = 0
        for line in lines:
            try:
                row = self._reader.read(line if isinstance(line, str) else line.decode())
            except UnicodeDecodeError:
                parts.append(json_bytes({"error": "a line is no UTF-8, which was expected"}))
            except GateworkError as error:
                parts.append(json_bytes({"error": sentence_of(error)}))
            else:
                if row is not None:
                    size += len(line)
                    rows.append(row)
                    parts.append(None)
        if not rows:
            return [part for part in parts if part is not None]
        service = self.service
        try:
            if size <= _SHORT and service.is_at_once(self.model, len(rows)):
                answers = iter(service.answer_at_once(self.model, self.stream, rows))
            else:
                answers = iter(await service.answer_rows(self.model, self.stream, rows))
        except Refusal as refusal:
            return [json_bytes({"error": refusal.sentence})]
        return [json_bytes(next(answers)) if part is None else part for part in parts]


class Streams:
    """The streams of a service.

    Args:
        service: What answers.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.open = 0

    async def lines(self, request: Request) -> Any:
        """Answers every line of a body as it comes: CSV with a header or JSON objects in, JSON objects out."""
        conversation = Conversation(self.service, self.service.model(request))
        self.check_room()
        return _Lines(self, conversation)

    def check_room(self) -> None:
        """Refuses one stream more where there are too many.

        Raises:
            Refusal: There are.
        """
        most = self.service.limits.sessions
        if self.open >= most:
            raise Refusal(503, f"{most:,} streams are open; try again when one has ended", {"Retry-After": "10"})


class _Lines:
    """A response that is sent while the request still comes.

    Starlette's own listens for the end of the connection meanwhile, and so takes pieces of the body away.
    """

    def __init__(self, streams: Streams, conversation: Conversation) -> None:
        self.streams, self.conversation = streams, conversation
        self._cutter = LineCutter()
        self._is_idle = self._is_ending = False
        self._last = time.monotonic()
        self._task: asyncio.Task[Any] | None = None

    def end(self, *, idle_since: float) -> None:
        """Ends the stream with a line that says so, unless something came since; a row that has come is answered."""
        if self._last <= idle_since and not self._is_ending:
            self._is_ending = True
            if self._is_idle and self._task is not None:
                self._task.cancel()  # ends the call that waits for more

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers pieces of the body as they come."""
        offered = scope.get("extensions", {}).get(AT_ONCE, {})
        self.streams.open += 1
        self._task = asyncio.current_task()
        self.streams.service.streams.add(self)
        try:
            headers = [(b"content-type", b"application/x-ndjson")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            offered["by"] = self._at_once
            await self._answer(receive, scope.get(SEND, send))
        finally:
            offered.clear()
            self.streams.service.streams.discard(self)
            self.streams.open -= 1

    def _at_once(self, piece: bytes) -> bytes | None:
        """The answer to a whole line that comes when all before it is answered."""
        self._last = time.monotonic()
        is_line = self._is_idle and not len(self._cutter) and piece.endswith(b"\n")
        return self.conversation.at_once(piece) if is_line else None

    async def _answer(self, receive: Receive, send: Send) -> None:
        cutter, limit, is_whole = self._cutter, self.streams.service.limits.body, False
        while not is_whole:
            if self._is_ending:
                break
            self._is_idle = True
            try:
                message = await receive()
            except asyncio.CancelledError:
                if not self._is_ending or self._task is None:
                    raise
                self._task.uncancel()
                break
            finally:
                self._is_idle = False
            self._last = time.monotonic()
            if message["type"] == "http.disconnect":
                return
            is_whole = not message.get("more_body", False)
            lines = cutter.feed(message.get("body", b""))
            if len(cutter) > limit:
                said = [json_bytes({"error": f"a line is longer than {limit:,} bytes; the stream ends"})]
                is_whole = True
            else:
                said = await self.conversation.answers([*lines, *(cutter.end() if is_whole else [])])
            if said:
                body = b"\n".join(said) + b"\n"
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"" if is_whole else _STOPPED})


class Socket:
    """The endpoint of WebSockets: answers every line of every message, in messages of one JSON object each.

    Args:
        streams: The streams of the service.
    """

    def __init__(self, streams: Streams) -> None:
        self.streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one client until it goes."""
        await receive()
        await send({"type": "websocket.accept"})
        service = self.streams.service
        try:
            conversation = Conversation(service, service.model(HTTPConnection(scope)))
            self.streams.check_room()
        except (GateworkError, Refusal) as error:
            code = _TRY_LATER if isinstance(error, Refusal) and error.status == 503 else _NO_MODEL
            await send({"type": "websocket.close", "code": code, "reason": sentence_of(error)[:120]})
            return
        self.streams.open += 1
        offered = scope.get("extensions", {}).get(AT_ONCE, {})
        offered["by"] = conversation.at_once
        try:
            await _converse(conversation, receive, send)
        except OSError:  # the client has gone
            return
        finally:
            offered.clear()
            self.streams.open -= 1


async def _converse(conversation: Conversation, receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "websocket.disconnect":
        given = message.get("text")
        lines = (message.get("bytes") or b"").splitlines() if given is None else given.removesuffix("\n").split("\n")
        for answer in await conversation.answers(lines):
            await send({"type": "websocket.send", "text": answer.decode()})
