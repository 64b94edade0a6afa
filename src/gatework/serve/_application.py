"""The application: every address with its endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from gatework.errors import GateworkError, UsageError
from gatework.serve._answers import json_response, refuse
from gatework.serve._door import Door
from gatework.serve._endpoints import Endpoints
from gatework.serve._limits import Limits
from gatework.serve._model import ServedModel
from gatework.serve._refusal import Refusal
from gatework.serve._service import Service
from gatework.serve._streams import Socket, Streams
from gatework.training.run import Run

_MODEL = "/v2/models/{name}"


def application(
    runs: Mapping[str, Run], limits: Limits | None = None, keys: Sequence[bytes] = (), signing: Sequence[bytes] = ()
) -> ASGIApp:
    """An ASGI application that answers for some runs.

    Args:
        runs: The runs, by the names under which they are asked.
        limits: How much is taken on.
        keys: Digests of the keys that let in, as `read_keys()` gives them; none where everybody may ask.
        signing: Keys of the states that clients hold, as `read_signing_keys()` gives them; one of its own if none.

    Raises:
        UsageError: No run is given, or a name cannot stand in an address.
        RunError: A run is not finished, or corrupt.
    """
    return application_of(service_of(runs, limits or Limits(), signing=signing), keys)


def service_of(
    runs: Mapping[str, Run],
    limits: Limits,
    threads: int = 1,
    signing: Sequence[bytes] = (),
    weights: str = "float32",
) -> Service:
    """The runs, opened, each computed with so many threads on such weights; else as `application()`."""
    if not runs:
        raise UsageError("there is nothing to serve; give one run at least")
    return Service({name: ServedModel(name, run, threads, weights) for name, run in runs.items()}, limits, signing)


def application_of(service: Service, keys: Sequence[bytes] = ()) -> ASGIApp:
    """An ASGI application that answers for a service."""
    app = Starlette(
        routes=_routes(Endpoints(service), Streams(service)),
        exception_handlers={
            Refusal: refuse,
            GateworkError: refuse,
            HTTPException: _refuse_address,
            Exception: refuse,
        },
        lifespan=lambda _: _lifespan(service),
    )
    return Door(app, keys, service.metrics)


def _routes(ends: Endpoints, streams: Streams) -> list[Route | WebSocketRoute]:
    get, post = ["GET"], ["POST"]
    by_name = [
        ("/predict", ends.predict, post),
        ("/evaluate", ends.evaluate, post),
        ("/stream", streams.lines, post),
        ("/invocations", ends.invocations, post),
    ]
    of_model = [("", ends.metadata, get), ("/ready", ends.model_ready, get), ("/infer", ends.infer, post)]
    versions = ("", "/versions/{version}")
    return [
        Route("/", ends.home, methods=get),
        Route("/openapi.json", ends.openapi, methods=get),
        Route("/metrics", ends.metrics, methods=get),
        Route("/ping", ends.ping, methods=get),
        Route("/v2", ends.server, methods=get),
        Route("/v2/health/live", ends.live, methods=get),
        Route("/v2/health/ready", ends.ready, methods=get),
        *(Route(path + name, end, methods=methods) for path, end, methods in by_name for name in ("", "/{name}")),
        *(
            Route(_MODEL + version + path, end, methods=methods)
            for path, end, methods in of_model
            for version in versions
        ),
        Route(f"{_MODEL}/stream", streams.lines, methods=post),
        *(WebSocketRoute(path, Socket(streams)) for path in ("/stream", "/stream/{name}", f"{_MODEL}/stream")),
    ]


async def _refuse_address(request: Request, error: Exception) -> Response:
    """The answer where there is no such address, or it is asked in another way."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = dict((error.headers if isinstance(error, HTTPException) else None) or {})
    sentence = f"there is nothing at {request.url.path[:80]}; see / or /openapi.json"
    if status == 405:
        sentence = f"{request.url.path[:80]} is asked by {headers.get('Allow', 'another method')}"
    return json_response({"error": sentence}, status, headers)


@asynccontextmanager
async def _lifespan(service: Service) -> AsyncIterator[None]:
    service.worker.start()
    try:
        yield
    finally:
        service.worker.stop()
