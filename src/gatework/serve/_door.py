"""What every request passes before it is answered: who asks, from where, and that it is counted."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatework.serve._keys import read_key_lines
from gatework.serve._metrics import Metrics
from gatework.serve._refusal import Refusal, as_json

# Whether the process runs is no secret, and the page itself holds nothing: it asks for a key.
_OPEN = ("/", "/v2/health/live", "/v2/health/ready", "/ping")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_SHORTEST = 16
SEND = "gatework.send"
"""Where a scope has what sends without anybody in between, for the pieces of an answer that has begun."""


def read_keys(file: Path) -> tuple[bytes, ...]:
    """Digests of the keys of a file, one a line; lines that begin with # are not read.

    Raises:
        UsageError: There is no such file, no key in it, or one that is short enough to be guessed.
    """
    return tuple(_digest(key) for key in read_key_lines(file, _SHORTEST))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


class Door:
    """Lets in who has a key; without keys, whoever is on this machine and asks no other page to do it.

    Args:
        app: What answers.
        keys: Digests of the keys; none where everybody on this machine may ask.
        metrics: Where answers are counted.
    """

    def __init__(self, app: ASGIApp, keys: Sequence[bytes], metrics: Metrics) -> None:
        self.app, self.keys, self.metrics = app, keys, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if scope["type"] == "websocket":
            if refusal is not None:
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": refusal.sentence[:120]})
                return
            await self.app(scope, receive, send)
            return
        await self._counted(scope, receive, send, refusal)

    async def _counted(self, scope: Scope, receive: Receive, send: Send, refusal: Refusal | None) -> None:
        started, status = time.perf_counter(), 500

        async def counting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if refusal is None:
                scope[SEND] = send
                await self.app(scope, receive, counting)
            else:
                await _refuse(counting, refusal)
        finally:
            scope.pop(SEND, None)  # a server's `send` may hold on to the scope: the two would wait for the collector
            endpoint = getattr(scope.get("endpoint"), "__name__", "none")
            self.metrics.requests[endpoint, status] += 1
            self.metrics.seconds.observe(time.perf_counter() - started)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) > 1:
            return Refusal(400, "the request names several hosts; one was expected")
        if self.keys:
            if scope["path"] in _OPEN:
                return None
            digest = _digest(_key(headers))
            # Every key is compared, each in the same time.
            owners = [k for k, known in enumerate(self.keys) if hmac.compare_digest(known, digest)]
            if not owners:
                return Refusal(
                    401,
                    "this server needs a key, as the header Authorization: Bearer KEY",
                    {"WWW-Authenticate": "Bearer"},
                )
            scope["gatework.owner"] = owners[0]
            return None
        host = headers.get("host", "localhost").rsplit(":", 1)[0] if "host" in headers else "localhost"
        name = headers.get("host", "localhost")
        host = name if name in _LOCAL else host
        if host.lower() not in _LOCAL:
            # A page elsewhere could have its own name point to this machine.
            return Refusal(421, f'this server answers as localhost, not as "{host[:60]}"')
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != name.lower():
            return Refusal(403, f'the page "{origin[:60]}" may not ask this server; ask from a page of its own')
        return None


def _key(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


async def _refuse(send: Any, refusal: Refusal) -> None:
    headers = {"content-type": "application/json", **refusal.headers}
    encoded = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": encoded})
    await send({"type": "http.response.body", "body": msgspec.json.encode(as_json(refusal))})
