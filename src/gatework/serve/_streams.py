"""Streams: the lines of `gatework predict --stream` over one request, or over a WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from gatework.data.lines import LineReader
from gatework.errors import GateworkError
from gatework.serve._answers import json_bytes
from gatework.serve._model import ServedModel
from gatework.serve._refusal import Refusal, sentence_of
from gatework.serve._rows import LineCutter, Row, reader_of
from gatework.serve._service import Service
from gatework.tasks._stream import Stream

_TRY_LATER, _NO_MODEL = 1013, 1008


class _Lines:
    """A response that is sent while the request still comes.

    Starlette's own listens for the end of the connection meanwhile, and so takes pieces of the body away.
    """

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self.lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the lines as they are made."""
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for line in self.lines:
            await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Streams:
    """The endpoints of streams."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._open = 0

    async def lines(self, request: Request) -> Any:
        """Answers every line of a body as it comes: CSV with a header or JSON objects in, JSON objects out."""
        model = self.service.model(request)
        stream = model.stream()
        self._check_room()
        return _Lines(self._answers(request, model, stream))

    async def socket(self, socket: WebSocket) -> None:
        """Answers every line of every message, in messages of one JSON object each."""
        await socket.accept()
        try:
            model = self.service.model(socket)
            stream = model.stream()
            self._check_room()
        except (GateworkError, Refusal) as error:
            code = _TRY_LATER if isinstance(error, Refusal) and error.status == 503 else _NO_MODEL
            await socket.close(code, sentence_of(error)[:120])
            return
        self._open += 1
        try:
            await self._converse(socket, model, stream)
        except WebSocketDisconnect:
            pass
        finally:
            self._open -= 1

    async def _converse(self, socket: WebSocket, model: ServedModel, stream: Stream) -> None:
        reader = reader_of(stream)
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            given = message.get("text")
            lines = (message.get("bytes") or b"").splitlines() if given is None else given.splitlines()
            for answer in await self._answered(model, stream, reader, lines):
                await socket.send_text(answer.decode())

    async def _answers(self, request: Request, model: ServedModel, stream: Stream) -> AsyncIterator[bytes]:
        reader, cutter, limit = reader_of(stream), LineCutter(), self.service.limits.body
        self._open += 1
        try:
            async for piece in request.stream():
                lines = cutter.feed(piece)
                if len(cutter) > limit:
                    yield json_bytes({"error": f"a line is longer than {limit:,} bytes; the stream ends"}) + b"\n"
                    return
                for answer in await self._answered(model, stream, reader, lines):
                    yield answer + b"\n"
            for answer in await self._answered(model, stream, reader, cutter.end()):
                yield answer + b"\n"
        except ClientDisconnect:
            return
        finally:
            self._open -= 1

    async def _answered(
        self, model: ServedModel, stream: Stream, reader: LineReader, lines: Sequence[str | bytes]
    ) -> list[bytes]:
        """The answers to some lines; a line that cannot be read is answered by what is wrong with it."""
        parts: list[bytes | None] = []
        rows: list[Row] = []
        for line in lines:
            try:
                row = reader.read(line if isinstance(line, str) else line.decode())
            except UnicodeDecodeError:
                parts.append(json_bytes({"error": "a line is no UTF-8, which was expected"}))
            except GateworkError as error:
                parts.append(json_bytes({"error": sentence_of(error)}))
            else:
                if row is not None:
                    rows.append(row)
                    parts.append(None)
        if not rows:
            return [part for part in parts if part is not None]
        try:
            answers = iter(await self.service.answer_rows(model, stream, rows))
        except Refusal as refusal:
            return [json_bytes({"error": refusal.sentence})]
        return [json_bytes(next(answers)) if part is None else part for part in parts]

    def _check_room(self) -> None:
        most = self.service.limits.sessions
        if self._open >= most:
            raise Refusal(503, f"{most:,} streams are open; try again when one has ended", {"Retry-After": "10"})
