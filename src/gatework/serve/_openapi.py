"""The OpenAPI 3.1 document of a server, written from its runs."""

from __future__ import annotations

from gatework import __version__
from gatework.formatting import number
from gatework.serve._limits import Limits
from gatework.serve._model import ServedModel
from gatework.serve._protocol import input_metadata, output_metadata
from gatework.serve._schemas import TEXT, Schema, Schemas, closed
from gatework.serve._service import Service
from gatework.tasks import metric_title

_JSON, _CSV, _NDJSON = "application/json", "text/csv", "application/x-ndjson"
_ERROR = closed({"error": TEXT})
_LIVE = closed({"ready": {"type": "boolean"}, "live": {"type": "boolean"}}, ("live",))
_LINES: Schema = {"type": "string", "minLength": 1, "description": "CSV with a header, or a JSON object a line."}
_AT_THE_DOOR = {
    "400": "What was sent is not what was expected; the sentence says what was.",
    "401": "The server needs a key.",
    "403": "A page from elsewhere asked.",
    "421": "The server is not asked by its name.",
}
_OF_BODIES = {
    "408": "The body did not come in time.",
    "413": "The body is too large.",
    "415": "The body is packed.",
    "503": "Too many requests wait, or the answer took too long; Retry-After says when to try again.",
}
_OPEN: Schema = {"security": [{}]}
_KEYED: Schema = {"security": [{}, {"key": []}]}


def document(service: Service) -> Schema:
    """The document."""
    stopping: Schema = {"503": {"description": "It stops.", "content": {_JSON: {"schema": _LIVE}}}}
    pinged: Schema = {"503": {"description": "It stops.", "content": {_JSON: {"schema": closed({})}}}}
    server = {
        "name": TEXT,
        "version": TEXT,
        "extensions": {"type": "array", "items": TEXT},
        "models": {"type": "array", "items": {"enum": list(service.models)}},
    }
    paths: dict[str, Schema] = {
        "/v2/health/live": {"get": _OPEN | _reading("live", "Whether the process runs.", _LIVE)},
        "/v2/health/ready": {"get": _OPEN | _reading("ready", "Whether it answers.", _LIVE, others=stopping)},
        "/ping": {"get": _OPEN | _reading("ping", "Whether it answers, as clouds ask.", closed({}), others=pinged)},
        "/v2": {"get": _reading("server", "The server's name, version and extensions.", closed(server))},
        "/metrics": {"get": _reading("metrics", "What is counted, as Prometheus reads it.", TEXT, "text/plain")},
        "/openapi.json": {"get": _reading("openapi", "This document.", {"type": "object"})},
        "/": {"get": _OPEN | _reading("page", "A page to try it.", TEXT, "text/html")},
    }
    for model in service.models.values():
        paths |= _of_model(model, service.limits)
    return {
        "openapi": "3.1.0",
        "info": {"title": "gatework", "version": __version__, "description": "Answers of trained recurrent networks."},
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "x-models": [_facts(model) for model in service.models.values()],
    }


def _of_model(model: ServedModel, limits: Limits) -> dict[str, Schema]:
    name, schemas = model.name, Schemas(model, limits)
    example = {} if model.example is None else {"example": model.example}
    lines = {_CSV: {"schema": _LINES}, _NDJSON: {"schema": _LINES}} if "rows" in model.takes else {}
    predicted = {_JSON: {"schema": schemas.predicted, **example}} | lines
    invoked = {_JSON: {"schema": schemas.invoked, **example}} | {k: v for k, v in lines.items() if k == _CSV}
    answered = {_JSON: {"schema": schemas.tensors_answered}, "application/octet-stream": {}}
    metadata: dict[str, Schema] = {
        "name": {"const": name},
        "versions": {"type": "array", "items": TEXT},
        "platform": TEXT,
        "inputs": {"type": "array", "items": {"type": "object"}},
        "outputs": {"type": "array", "items": {"type": "object"}},
    }
    needed = schemas.needs_body
    at = f"/v2/models/{name}"
    paths: dict[str, Schema] = {
        f"/predict/{name}": _writing(f"predict_{name}", "Answers.", predicted, schemas.answer, is_needed=needed),
        f"/invocations/{name}": _writing(
            f"invocations_{name}", "The contract of SageMaker and MLflow.", invoked, schemas.predictions
        ),
        f"{at}/infer": _writing(
            f"infer_{name}", "The Open Inference Protocol.", {_JSON: {"schema": schemas.tensors}}, answered
        ),
        at: {"get": _reading(f"metadata_{name}", "What it takes and answers.", closed(metadata))},
        f"{at}/ready": {"get": _reading(f"ready_{name}", "Whether it answers.", _LIVE)},
    }
    if "rows" in model.takes:
        evaluated = {_JSON: {"schema": schemas.evaluated}} | lines
        about = "How good it is on known answers."
        paths[f"/evaluate/{name}"] = _writing(f"evaluate_{name}", about, evaluated, schemas.measured)
    if model.can_stream:
        stream, about = (
            {media: {"schema": _LINES | {"minLength": 0}} for media in (_NDJSON, _CSV)},
            "Answers line by line, with carried state.",
        )
        said: Schema = {_NDJSON: {"schema": TEXT}}
        paths[f"/stream/{name}"] = _writing(f"stream_{name}", about, stream, said, is_needed=False)
    return paths


def _reading(name: str, about: str, schema: Schema, media: str = _JSON, *, others: Schema | None = None) -> Schema:
    responses = _responses({media: {"schema": schema}}, _AT_THE_DOOR) | (others or {})
    return _KEYED | {"operationId": name, "summary": about, "responses": responses}


def _writing(name: str, about: str, bodies: Schema, answer: Schema, *, is_needed: bool = True) -> Schema:
    """An address that is posted to, whose answer is a schema of JSON, or one by its media type."""
    content = answer if any("/" in key for key in answer) else {_JSON: {"schema": answer}}
    operation = {
        "operationId": name,
        "summary": about,
        "requestBody": {"required": is_needed, "content": bodies},
        "responses": _responses(content, _AT_THE_DOOR | _OF_BODIES),
    }
    return {"post": _KEYED | operation}


def _responses(content: Schema, refusals: dict[str, str]) -> Schema:
    refused = {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    responses: Schema = {"200": {"description": "The answer.", "content": content}}
    return responses | {code: {"description": about, "content": refused} for code, about in refusals.items()}


def _facts(model: ServedModel) -> Schema:
    """What the page shows of a model."""
    run = model.predictor.run
    metrics = {metric_title(name): number(value) for name, value in run.summary["metrics"].items()}
    return {
        "name": model.name,
        "task": run.recipe.task,
        "cell": run.recipe.model.cell,
        "parameters": run.summary["parameters"],
        "metrics": metrics,
        "takes": model.takes,
        "columns": model.columns,
        "example": model.example,
        "inputs": input_metadata(model),
        "outputs": output_metadata(model),
        "options": {name: option.help for name, option in model.options.items()},
    }
