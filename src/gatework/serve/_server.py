"""The process that listens: where, for whom, and until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import uvicorn

from gatework import training
from gatework.errors import UsageError
from gatework.serve._application import application_of, service_of
from gatework.serve._door import read_keys
from gatework.serve._http import HttpProtocol
from gatework.serve._limits import Limits
from gatework.serve._memory import keep_little_memory
from gatework.serve._service import Service
from gatework.serve._tokens import read_signing_keys
from gatework.serve._web_sockets import WebSocketProtocol
from gatework.training.run import Run

_IDLE = 1.0
"""Seconds without a row after which a stream is taken for one that waits."""


class _Server(uvicorn.Server):
    """A server that says where it listens, and that it is stopping."""

    def __init__(self, config: uvicorn.Config, service: Service, tell: Callable[[str], None]) -> None:
        super().__init__(config)
        self.service, self.tell = service, tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, and says where."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            names = ", ".join(self.service.models)
            place = f"[{host}]" if ":" in host else host
            self.tell(f"serving {names} at http://{place}:{port} (a page to try it; Ctrl-C stops)")
            if slow := self.service.needing_torch:
                self.tell(f"torch computes {', '.join(slow)}, as nothing else can: more memory, and a later start")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Waits until everybody has their answer; a stream over which nothing comes is ended, as it may never end."""
        ending = asyncio.create_task(self._end_streams())
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    async def _end_streams(self) -> None:
        begin = time.monotonic()
        while True:
            now = time.monotonic()
            # The last second is for what has been computed by then.
            is_late = now - begin > self.service.limits.timeout - 1
            for stream in tuple(self.service.streams):
                stream.end(idle_since=now if is_late else now - _IDLE)
            await asyncio.sleep(_IDLE / 4)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Lets in nobody more, and ends when everybody has their answer."""
        self.service.is_draining = True
        super().handle_exit(sig, frame)


def serve(
    runs: Mapping[str, Run],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    api_key_file: Path | None = None,
    state_key_file: Path | None = None,
    limits: Limits | None = None,
    threads: int = 1,
    weights: str = "float32",
    tell: Callable[[str], None] = print,
) -> None:
    """Serves runs until the process is told to stop; then every request that has begun is answered.

    Args:
        runs: The runs, by the names under which they are asked.
        host: The address to listen at; one that others reach needs keys.
        port: The port; 0 for any that is free.
        api_key_file: A text file with one key a line.
        state_key_file: A text file with the key that signs states which clients hold, the same for every process that
            shall go on from them; without it this process alone can.
        limits: How much is taken on.
        threads: The threads that a batch is computed with.
        weights: What the recurrent layers compute on: "float32" or "int8".
        tell: What is told where the server listens.

    Raises:
        UsageError: Others could reach the address and there are no keys, or nothing can listen there.
        RunError: A run is not finished, or corrupt.
    """
    keys = read_keys(api_key_file) if api_key_file else ()
    if not keys and not _is_loopback(host):
        raise UsageError(
            f"--host {host} lets others on the network ask; give --api-key-file FILE too, a text file with a key a line"
        )
    limits, signing = limits or Limits(), read_signing_keys(state_key_file) if state_key_file else ()
    service = service_of(runs, limits, threads, signing, weights)
    with contextlib.ExitStack() as computing:
        if service.needing_torch:
            computing.enter_context(training.runtime.computing(threads))
        else:
            keep_little_memory()
        config = uvicorn.Config(
            application_of(service, keys),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            http=HttpProtocol,
            ws=WebSocketProtocol,
            ws_max_size=limits.body,
            # Rows are short: to pack them costs more than it saves, and a window of memory for each stream.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=int(limits.timeout),
        )
        server = _Server(config, service, tell)
        # uvicorn listens to signals later than to clients, and raises again those that stopped it, which are no
        # failure: it has answered everybody.
        before = {sig: signal.signal(sig, server.handle_exit) for sig in (signal.SIGTERM, signal.SIGINT)}
        try:
            with _listening(host, port) as listener:
                server.run([listener])
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    """A socket at an address.

    Raises:
        UsageError: It is taken, or is none of this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"nothing can listen at {host}:{port}: {reason.lower()}; give another --port or --host"
        ) from None
    listener.setblocking(False)
    return listener
