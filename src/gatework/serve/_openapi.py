"""The OpenAPI 3.1 document of a server, written from its runs."""

from __future__ import annotations

from typing import Any

import polars as pl

from gatework import __version__
from gatework.formatting import number
from gatework.options import Option
from gatework.serve._limits import Limits
from gatework.serve._model import ServedModel
from gatework.serve._protocol import input_metadata, output_metadata
from gatework.serve._service import Service
from gatework.tasks import metric_title

Schema = dict[str, Any]
_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}
_ERROR: Schema = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_REFUSALS = {
    "400": "What was sent is not what was expected; the sentence says what was.",
    "401": "The server needs a key.",
    "403": "A page from elsewhere asked.",
    "404": "There is no such model.",
    "408": "The body did not come in time.",
    "413": "The body is too large.",
    "415": "The body is packed.",
    "421": "The server is not asked by its name.",
    "503": "Too many requests wait, or the answer took too long; Retry-After says when to try again.",
}


def document(service: Service) -> Schema:
    """The document."""
    paths: dict[str, Schema] = {
        "/v2/health/live": {"get": _reading("live", "Whether the process runs.")},
        "/v2/health/ready": {"get": _reading("ready", "Whether it answers.")},
        "/ping": {"get": _reading("ping", "Whether it answers, as clouds ask.")},
        "/v2": {"get": _reading("server", "The server's name, version and extensions.")},
        "/metrics": {"get": _reading("metrics", "What is counted, as Prometheus reads it.", "text/plain")},
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
    name = model.name
    answer = {"type": "object", "properties": {"model": {"type": "string"}, "answers": _answers(model)}}
    tensors = {"type": "object", "properties": {"inputs": {"type": "array"}, "outputs": {"type": "array"}}}
    lines = {"type": "string", "description": "CSV with a header, or a JSON object a line."}
    metrics = {"type": "object", "properties": {"metrics": {"type": "object"}, "baselines": {"type": "object"}}}
    ndjson = {"application/x-ndjson": lines, "text/csv": lines}
    forms = _forms(model, limits)
    predicted = {"application/json": _closed(forms | _SEQUENCE)}
    evaluated = {"application/json": _closed(forms)}
    invoked = {"application/json": _closed(forms | _frames(forms))}
    example = {} if model.example is None else {"example": model.example}
    paths: dict[str, Schema] = {
        f"/predict/{name}": {"post": _writing(f"predict_{name}", "Answers.", predicted, answer, example)},
        f"/evaluate/{name}": {
            "post": _writing(f"evaluate_{name}", "How good it is on known answers.", evaluated, metrics)
        },
        f"/stream/{name}": {
            "post": _writing(f"stream_{name}", "Answers line by line, with carried state.", ndjson, lines)
        },
        f"/invocations/{name}": {
            "post": _writing(f"invocations_{name}", "The contract of SageMaker and MLflow.", invoked, answer)
        },
        f"/v2/models/{name}": {"get": _reading(f"metadata_{name}", "What it takes and answers.")},
        f"/v2/models/{name}/ready": {"get": _reading(f"ready_{name}", "Whether it answers.")},
        f"/v2/models/{name}/infer": {
            "post": _writing(f"infer_{name}", "The Open Inference Protocol.", {"application/json": tensors}, tensors)
        },
    }
    return paths


_SEQUENCE: Schema = {
    "session": {"type": ["string", "integer"], "description": "Go on with a sequence of this name."},
    "end": {"type": "boolean", "description": "Whether the session ends with this."},
    "return_state": {"type": "boolean", "description": "Begin a sequence whose state the client holds."},
    "state": {"type": "string", "description": "Go on from the state that the last answer gave."},
}


def _closed(properties: Schema) -> Schema:
    """A body that has these and nothing else."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _frames(forms: Schema) -> Schema:
    """What MLflow calls otherwise."""
    names, data = {"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "array"}}
    split = {"type": "object", "properties": {"columns": names, "data": data}, "required": ["columns", "data"]}
    records = {"type": "array", "items": {"type": "object"}, "minItems": 1}
    options = {"params": forms["options"]} if "options" in forms else {}
    return {"dataframe_split": split, "dataframe_records": records, **options}


def _forms(model: ServedModel, limits: Limits) -> Schema:
    """What the run takes, and its options."""
    text = {"type": "string", "maxLength": limits.length}
    step: Schema = {"type": "number"}
    if (model.variables or 1) > 1:
        step = {"type": "array", "items": step, "minItems": model.variables, "maxItems": model.variables}
    series = {"type": "array", "items": step, "minItems": 1, "maxItems": limits.length}
    row = {"type": "object", "properties": {column: {} for column in model.columns}}
    forms = {
        "texts": {"text": text, "texts": _several(text, limits.examples)},
        "series": {"series": series, "instances": _several(series, limits.examples)},
        "rows": {"row": row, "rows": _several(row, limits.length)},
    }
    properties = {name: schema for form in model.takes if form in forms for name, schema in forms[form].items()}
    if model.options:
        options = {name: _option(option) for name, option in model.options.items()}
        properties["options"] = {"type": "object", "properties": options}
    return properties


def _option(option: Option) -> Schema:
    kind = _TYPES.get(option.members[0], "string")
    bounds = {"minimum": option.low, "maximum": option.high}
    described = {"type": kind, "description": option.help} | {k: v for k, v in bounds.items() if v is not None}
    return described | ({"enum": list(option.choices)} if option.choices else {})


def _several(schema: Schema, most: int) -> Schema:
    return {"type": "array", "items": schema, "minItems": 1, "maxItems": most}


def _answers(model: ServedModel) -> Schema:
    """The rows of an answer, as those to the example are."""
    if model.answer is None:
        return {"type": "array", "items": {"type": "object"}}
    properties = {name: _of_type(kind) for name, kind in model.answer.schema.items()}
    return {"type": "array", "items": {"type": "object", "properties": properties}}


def _of_type(kind: pl.DataType) -> Schema:
    if isinstance(kind, pl.Struct):
        return {"type": "object", "properties": {field.name: {"type": "number"} for field in kind.fields}}
    if isinstance(kind, (pl.List, pl.Array)):
        return {"type": "array"}
    if kind == pl.Boolean:
        return {"type": ["boolean", "null"]}
    return {"type": ["number", "null"] if kind.is_numeric() else ["string", "null"]}


def _reading(name: str, about: str, media: str = "application/json") -> Schema:
    return {"operationId": name, "summary": about, "responses": _responses({}, media)}


def _writing(name: str, about: str, bodies: dict[str, Schema], answer: Schema, example: Schema | None = None) -> Schema:
    content = {media: {"schema": schema, **(example or {})} for media, schema in bodies.items()}
    return {
        "operationId": name,
        "summary": about,
        "requestBody": {"required": True, "content": content},
        "responses": _responses(answer),
        "security": [{}, {"key": []}],
    }


def _responses(schema: Schema, media: str = "application/json") -> Schema:
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    responses: Schema = {"200": {"description": "The answer.", "content": {media: {"schema": schema}}}}
    return responses | {code: {"description": about, "content": refused} for code, about in _REFUSALS.items()}


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
