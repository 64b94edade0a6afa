"""What is answered at which address, streams apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gatework import __version__
from gatework.errors import DataError
from gatework.serve import _binary as binary
from gatework.serve._answers import decoded, json_response
from gatework.serve._limits import Limits
from gatework.serve._model import VERSION, ServedModel
from gatework.serve._openapi import document
from gatework.serve._page import page, policy
from gatework.serve._protocol import (
    InferRequest,
    input_metadata,
    output_metadata,
    output_tensors,
    source_of_tensors,
    tensors_of_rows,
)
from gatework.serve._refusal import Refusal
from gatework.serve._service import Service
from gatework.serve._source import SEQUENCE, Source, lines_of, source_of, steps_of

_CSV = "text/csv"
_LINES = (_CSV, "application/x-ndjson", "application/jsonlines", "application/jsonl")
_REQUEST = msgspec.json.Decoder(InferRequest)
_EXTENSIONS = ["sequence", "sequence(string_id)", "schedule_policy", "binary_tensor_data"]


class Endpoints:
    """The endpoints of a service; each method answers one address."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def home(self, request: Request) -> Response:
        """The page to try it."""
        return Response(page(), media_type="text/html", headers={"Content-Security-Policy": policy()})

    async def openapi(self, request: Request) -> Response:
        """The document that describes every address."""
        return json_response(document(self.service))

    async def metrics(self, request: Request) -> Response:
        """What is counted, as Prometheus reads it."""
        service = self.service
        gauges = {
            "gatework_waiting_requests": ("Requests that wait to be computed.", float(len(service.worker))),
            "gatework_sessions": ("Sequences under way.", float(len(service.sessions))),
        }
        engines = {name: "torch" if model.needs_torch else "native" for name, model in service.models.items()}
        return PlainTextResponse(service.metrics.text(gauges, engines), media_type="text/plain; version=0.0.4")

    async def live(self, request: Request) -> Response:
        """Whether the process runs."""
        return json_response({"live": True})

    async def ready(self, request: Request) -> Response:
        """Whether it answers; no longer while it stops."""
        is_ready = not self.service.is_draining
        return json_response({"ready": is_ready, "live": True}, 200 if is_ready else 503)

    async def ping(self, request: Request) -> Response:
        """The same for clouds that ask at /ping."""
        return json_response({}, 503 if self.service.is_draining else 200)

    async def server(self, request: Request) -> Response:
        """The server's metadata."""
        return json_response(
            {"name": "gatework", "version": __version__, "extensions": _EXTENSIONS, "models": list(self.service.models)}
        )

    async def metadata(self, request: Request) -> Response:
        """A model's metadata: what it takes and answers."""
        model = self.service.model(request)
        return json_response(
            {
                "name": model.name,
                "versions": [VERSION],
                "platform": "gatework",
                "inputs": input_metadata(model),
                "outputs": output_metadata(model),
            }
        )

    async def model_ready(self, request: Request) -> Response:
        """Whether a model answers."""
        self.service.model(request)
        return await self.ready(request)

    async def infer(self, request: Request) -> Response:
        """Tensors in, tensors out; with a sequence_id or a state, the next steps of a sequence."""
        model = self.service.model(request)
        head, tensors = binary.parted(await self.service.body(request), request.headers.get(binary.HEADER))
        asked = _infer_request(head)
        binary.fill(asked, tensors)
        outputs, parameters = await self._inferred(request, model, asked)
        answer: dict[str, Any] = {"model_name": model.name, "model_version": VERSION, "outputs": outputs}
        answer |= {"id": asked.id} if asked.id else {}
        answer |= {"parameters": parameters} if parameters else {}
        as_bytes = binary.wished(asked, outputs)
        return binary.response(answer, as_bytes) if as_bytes else json_response(answer)

    async def _inferred(
        self, request: Request, model: ServedModel, asked: InferRequest
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The tensors that are asked for, and the parameters of the answer."""
        given, wishes = asked.parameters, asked.outputs
        timeout, name = _timeout(given.get("timeout")), _sequence_id(given)
        ends = {"is_start": _flag(given, "sequence_start"), "is_end": _flag(given, "sequence_end")}
        source = source_of_tensors(model, asked, self.service.limits)
        holds_state = _asks_for_state(given)
        if name is not None:
            answers = await self.service.go_on(request, model, name, steps_of(source), **ends, timeout=timeout)
            return tensors_of_rows(answers, wishes), {"sequence_id": name}
        if any(ends.values()):
            raise DataError("sequence_start and sequence_end belong to a sequence; give its sequence_id too")
        if holds_state:
            steps = steps_of(source)
            answers, state = await self.service.go_on_from(request, model, given.get("state"), steps, timeout)
            return tensors_of_rows(answers, wishes), {"state": state}
        return output_tensors(await self.service.predict(request, model, source, timeout), wishes), {}

    async def predict(self, request: Request) -> Response:
        """Answers for people: a text, a series or rows in, rows out; with a session, the next rows of a sequence."""
        model, body = self.service.model(request), await self.service.body(request)
        kind = _content_type(request)
        if kind in _LINES:
            source: Source = lines_of(_text(body), self.service.limits)
        else:
            content = decoded(body) if body.strip() else {}
            if isinstance(content, dict) and _asks_for_state(content):
                return json_response(await self._with_state(request, model, content))
            if isinstance(content, dict) and content.get("session") is not None:
                return json_response(await self._session(request, model, content))
            source = source_of(content, self.service.limits, SEQUENCE)
            if _flag(content, "end"):
                raise DataError("end belongs to a session; give its name too")
        rows = await self.service.predict(request, model, source)
        return json_response({"model": model.name, "answers": rows.to_dicts()})

    async def _session(self, request: Request, model: ServedModel, content: Mapping[str, Any]) -> dict[str, Any]:
        name = _session_name(content["session"])
        rows = steps_of(source_of(content, self.service.limits, SEQUENCE))
        answers = await self.service.go_on(request, model, name, rows, is_end=_flag(content, "end"))
        return {"model": model.name, "session": name, "answers": answers}

    async def _with_state(self, request: Request, model: ServedModel, content: Mapping[str, Any]) -> dict[str, Any]:
        if _flag(content, "end"):
            raise DataError("end belongs to a session; a sequence whose state the client holds ends without a word")
        rows = steps_of(source_of(content, self.service.limits, SEQUENCE))
        answers, state = await self.service.go_on_from(request, model, content.get("state"), rows)
        return {"model": model.name, "answers": answers, "state": state}

    async def evaluate(self, request: Request) -> Response:
        """The metrics of a model on rows with known answers."""
        model, body = self.service.model(request), await self.service.body(request)
        is_lines = _content_type(request) in _LINES
        limits = self.service.limits
        source = lines_of(_text(body), limits) if is_lines else source_of(decoded(body), limits)
        return json_response({"model": model.name, **await self.service.evaluate(request, model, source)})

    async def invocations(self, request: Request) -> Response:
        """The contract of SageMaker and MLflow: CSV, `dataframe_split`, `dataframe_records` or `instances`."""
        model, body = self.service.model(request), await self.service.body(request)
        if _content_type(request) == _CSV:
            source = lines_of(_text(body), self.service.limits)
        else:
            source = _source_of_frame(decoded(body), self.service.limits)
        rows = await self.service.predict(request, model, source)
        return json_response({"predictions": rows.to_dicts()})


class _Frame(msgspec.Struct):
    """A table as MLflow writes it."""

    columns: list[str]
    data: list[list[Any]]


def _infer_request(body: bytes) -> InferRequest:
    try:
        return _REQUEST.decode(body)
    except RecursionError:
        raise DataError("the body is nested too deeply; tensors were expected") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"the body is no request of the Open Inference Protocol: {error}") from None


def _source_of_frame(content: Any, limits: Limits) -> Source:
    """What a body of SageMaker or MLflow asks for."""
    if not isinstance(content, dict):
        raise DataError('an object with "dataframe_split", "dataframe_records" or "instances" was expected')
    asked: dict[str, Any] = {}
    by: dict[str, str] = {}
    for name, value in content.items():
        ours = _OURS.get(name) or str(name)
        if ours in asked:
            raise DataError(f"the body has both {by[ours]} and {name}; give one of them")
        asked[ours], by[ours] = value, name
    if "dataframe_split" in content:
        asked["rows"] = _rows_of_split(content["dataframe_split"])
    return source_of(asked, limits)


_OURS = {"dataframe_records": "rows", "dataframe_split": "rows", "params": "options"}
"""What MLflow calls otherwise."""


def _rows_of_split(frame: Any) -> list[dict[str, Any]]:
    try:
        table = msgspec.convert(frame, _Frame)
    except msgspec.ValidationError as error:
        raise DataError(
            f'"dataframe_split" has "columns", a list of names, and "data", a list of rows: {error}'
        ) from None
    if any(len(row) != len(table.columns) for row in table.data):
        raise DataError(f'each row of "data" has one value for each of the {len(table.columns)} columns')
    return [dict(zip(table.columns, row, strict=True)) for row in table.data]


def _session_name(name: Any) -> str | int:
    if isinstance(name, bool) or not isinstance(name, (str, int)) or len(str(name)) > 128:
        raise DataError("the name of a session is a text or a whole number of at most 128 characters")
    return name


def _sequence_id(parameters: Mapping[str, Any]) -> str | int | None:
    """The name of a sequence; None where there is none, which Triton's clients write as 0 or an empty text too."""
    name = parameters.get("sequence_id")
    return None if name is None else _session_name(name) or None


def _asks_for_state(parameters: Mapping[str, Any]) -> bool:
    """Whether a client holds the state of its sequence, or wants to.

    Raises:
        DataError: Its sequence is a session too.
    """
    is_asked = parameters.get("state") is not None or _flag(parameters, "return_state")
    if is_asked and (parameters.get("session") is not None or parameters.get("sequence_id")):
        raise DataError("a sequence goes on by a session or by a state that the client holds; give one of them")
    return is_asked


def _flag(parameters: Mapping[str, Any], name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise DataError(f"{name} is true or false")
    return value


def _timeout(microseconds: Any) -> float | None:
    """Seconds, from the microseconds of the protocol."""
    if microseconds is None:
        return None
    if isinstance(microseconds, bool) or not isinstance(microseconds, (int, float)) or not microseconds > 0:
        raise DataError("timeout is a number of microseconds above 0")
    return float(min(microseconds, 1e15)) / 1e6


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(400, f"the body has the byte 0x{body[error.start]:02x}, which is no UTF-8") from None
