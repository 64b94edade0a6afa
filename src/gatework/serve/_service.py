"""What all endpoints stand on: the models by name, the thread that computes, and the sequences under way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import polars as pl
from starlette.requests import ClientDisconnect, HTTPConnection, Request

from gatework.errors import DataError, UsageError, nearest
from gatework.serve._limits import Limits
from gatework.serve._metrics import Metrics
from gatework.serve._model import VERSION, ServedModel
from gatework.serve._refusal import Refusal
from gatework.serve._rows import Row, answer_rows
from gatework.serve._sessions import Session, Sessions
from gatework.serve._source import Source
from gatework.serve._tokens import Belonging, State, StateTokens
from gatework.serve._worker import Worker
from gatework.tasks._stream import PortableStream, Stream

T = TypeVar("T")


class OpenStream(Protocol):
    """A request whose rows come and are answered one after the other."""

    def end(self, *, idle_since: float) -> None:
        """Ends it, unless something came since this moment of `time.monotonic()`."""


_GONE = 499
_AT_ONCE = 5e-4
"""Seconds of computing that the thread which listens may do itself: about what the way to the other one takes."""
_SHORT = 400
"""Characters of a text in a row that may be answered so."""


class Service:
    """The runs that one process serves.

    Attributes:
        models: By name.
        limits: How much is taken on.
        metrics: What is counted.
        worker: The thread that computes.
        sessions: The sequences under way.
        tokens: What makes and reads the states that clients hold.
        is_draining: Whether the process has been told to stop.
        streams: The streams of requests that are open.
    """

    def __init__(self, models: Mapping[str, ServedModel], limits: Limits, signing: Sequence[bytes] = ()) -> None:
        self.models, self.limits = models, limits
        self.metrics = Metrics()
        self.worker = Worker(limits, self.metrics)
        self.sessions = Sessions(limits)
        self.tokens = StateTokens(signing, limits.state_age)
        self.is_draining = False
        self.streams: set[OpenStream] = set()

    @property
    def needing_torch(self) -> list[str]:
        """The names of the models that torch computes."""
        return [name for name, model in self.models.items() if model.needs_torch]

    def model(self, connection: HTTPConnection) -> ServedModel:
        """The model that an address names; the only one where it names none.

        Raises:
            Refusal: There is none of that name or version, or none of several is named.
        """
        name, version = connection.path_params.get("name"), connection.path_params.get("version", VERSION)
        if name is None:
            if len(self.models) > 1:
                raise Refusal(404, f"which model? Name it at the end of the address: {', '.join(self.models)}")
            (model,) = self.models.values()
            return model
        if name not in self.models:
            raise Refusal(404, f'there is no model "{name[:60]}": {nearest(name, self.models)}')
        if version != VERSION:
            raise Refusal(404, f'"{name}" has no version "{version[:20]}", only {VERSION}')
        return self.models[name]

    async def body(self, request: Request) -> bytes:
        """The body of a request, whole.

        Raises:
            Refusal: It is packed or too long, or did not come in time.
        """
        if (packed := request.headers.get("content-encoding", "identity").lower()) != "identity":
            raise Refusal(415, f'the body is packed as "{packed[:40]}"; send it as it is')
        pieces, size = [], 0
        told = request.headers.get("content-length", "")
        try:
            if told.isdecimal() and int(told) > self.limits.body:
                raise self._too_large()
            async with asyncio.timeout(self.limits.timeout):
                async for piece in request.stream():
                    size += len(piece)
                    if size > self.limits.body:
                        raise self._too_large()
                    pieces.append(piece)
        except TimeoutError:
            raise Refusal(408, f"the body did not come within {self.limits.timeout:g} s") from None
        except ClientDisconnect:
            raise Refusal(_GONE, "the client has gone") from None
        return b"".join(pieces)

    def _too_large(self) -> Refusal:
        return Refusal(413, f"the body is larger than {self.limits.body:,} bytes; send less at once")

    async def predict(
        self, request: Request, model: ServedModel, source: Source, timeout: float | None = None
    ) -> pl.DataFrame:
        """What a model says of a source; given up when the client has gone."""
        model.check(source, self.limits)
        answer = self.worker.answer(
            model.predict, source, group=model.group(source), size=source.count, timeout=timeout
        )
        return await _unless_gone(request, answer)

    async def evaluate(self, request: Request, model: ServedModel, source: Source) -> dict[str, Any]:
        """How good a model is on a source."""
        if source.form != "rows" or "rows" not in model.takes:
            raise DataError("an evaluation takes rows, with the column of the answers beside those of the inputs")
        return await _unless_gone(request, self.worker.answer(model.evaluate, source))

    async def answer_rows(
        self,
        model: ServedModel,
        stream: Stream,
        rows: Sequence[Row],
        timeout: float | None = None,
        *,
        is_behind: bool = False,
    ) -> list[dict[str, Any]]:
        """The answers to the next rows of a stream; not by the other thread where the way there would cost more.

        Args:
            model: The model.
            stream: One of its streams.
            rows: The rows, which count if and only if they are answered.
            timeout: Seconds after which they are given up, unless they are being computed.
            is_behind: Whether rows of the stream that came before may be with the other thread still.
        """
        if not is_behind and self.is_at_once(model, len(rows)) and _are_short(rows):
            return self.answer_at_once(model, stream, rows)
        self.metrics.rows += len(rows)
        asked = (model.pace, stream, rows)
        answers: list[dict[str, Any]] = await self.worker.answer(
            answer_rows, asked, group="rows", size=len(rows), timeout=timeout, is_lasting=True
        )
        return answers

    def is_at_once(self, model: ServedModel, count: int) -> bool:
        """Whether so many short rows take so little that the thread which listens may answer them itself."""
        return model.pace.seconds * count < _AT_ONCE

    def answer_at_once(self, model: ServedModel, stream: Stream, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The answers to the next rows of a stream, by the thread that asks."""
        self.metrics.rows += len(rows)
        return model.pace.measured(stream, rows)

    async def go_on(
        self,
        connection: HTTPConnection,
        model: ServedModel,
        name: str | int,
        values: Sequence[Mapping[str, Any]],
        *,
        is_start: bool | None = None,
        is_end: bool = False,
        timeout: float | None = None,
    ) -> list[dict[str, Any]]:
        """Answers the next rows of a session.

        Args:
            connection: Whose session it is.
            model: The model.
            name: The session's name.
            values: The rows.
            is_start: Whether a sequence begins; None where one begins if there is none of that name, or its last row
                has come.
            is_end: Whether the sequence ends with these rows.
            timeout: Seconds after which it is given up.

        Raises:
            DataError: There is no such session, or a row cannot be answered; the rows before it count.
            Refusal: There are too many sessions.
        """
        key = (connection.scope.get("gatework.owner"), model.name, name)
        begins = not self.sessions.has(key) if is_start is None else is_start
        session = self.sessions.start(model, key) if begins else self.sessions.go_on(key, name)
        rows, is_behind = _numbered(session, values), session.under_way > 0
        with self.sessions.under_way(key, session, is_end=is_end):
            answers = await self.answer_rows(model, session.stream, rows, timeout, is_behind=is_behind)
            wrong = next((answer["error"] for answer in answers if set(answer) == {"error"}), None)
            session.rows += len(values)
            session.has_begun |= wrong is None
            if wrong:
                raise DataError(wrong)  # and the sequence does not end, which can be sent again
        return answers

    async def go_on_from(
        self,
        connection: HTTPConnection,
        model: ServedModel,
        token: object,
        values: Sequence[Mapping[str, Any]],
        timeout: float | None = None,
    ) -> tuple[list[dict[str, Any]], str]:
        """Answers the next rows of a sequence whose state the client holds.

        Args:
            connection: Who asks.
            model: The model.
            token: The state as a token; None where a sequence begins.
            values: The rows.
            timeout: Seconds after which it is given up.

        Returns:
            The answers, and the state after them as a token.

        Raises:
            DataError: The token is none of this server, or a row cannot be answered.
            UsageError: The state of this model cannot be given away.
        """
        belonging = Belonging(model.name, model.digest, connection.scope.get("gatework.owner", -1))
        stream, before = model.stream(), State((), 0) if token is None else self.tokens.open(token, belonging)
        if not isinstance(stream, PortableStream):
            raise UsageError(f'the state of "{model.name}" cannot be given away; go on by a session')
        try:
            stream.go_on_from(before.arrays)
        except ValueError as error:
            raise DataError(f'"state" does not fit: {error}; begin the sequence anew') from None
        rows = [(f"row {before.rows + k + 1}", row) for k, row in enumerate(values)]
        answers = await self.answer_rows(model, stream, rows, timeout)
        if wrong := next((answer["error"] for answer in answers if set(answer) == {"error"}), None):
            raise DataError(wrong)
        return answers, self.tokens.seal(State(stream.carried(), before.rows + len(values)), belonging)


def _are_short(rows: Sequence[Row]) -> bool:
    """Whether no row holds a text that could take far longer than those before it."""
    return all(len(value) <= _SHORT for _, row in rows for value in row.values() if isinstance(value, str))


def _numbered(session: Session, values: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [(f"row {session.rows + k + 1}", row) for k, row in enumerate(values)]


async def _unless_gone(request: Request, answer: Coroutine[Any, Any, T]) -> T:
    """An answer, given up when nobody waits for it any more.

    Raises:
        Refusal: The client has gone.
    """
    computing, gone = asyncio.ensure_future(answer), asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({computing, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not computing.done():
            computing.cancel()
    try:
        if computing.done():
            return computing.result()
        raise Refusal(_GONE, "the client has gone")
    finally:
        del computing  # a refusal holds on to this frame: the two, and the request, would wait for the collector


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
