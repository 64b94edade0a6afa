"""What a run takes and answers, as JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from gatework.options import Option
from gatework.serve._limits import Limits
from gatework.serve._model import VERSION, ServedModel
from gatework.serve._protocol import KINDS, input_metadata

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}
_NAME: Schema = {"type": ["string", "integer"], "maxLength": 128, "description": "Go on with a sequence of this name."}
_NONE: Schema = {"type": "null"}
_NO: Schema = {"const": False}
_SESSION: Schema = {
    "session": _NAME,
    "end": {"type": "boolean", "description": "Whether it ends with this."},
    "state": _NONE,
    "return_state": _NO,
}
_BEGUN: Schema = {
    "return_state": {"const": True, "description": "Begin a sequence whose state the client holds."},
    "session": _NONE,
    "state": _NONE,
    "end": _NO,
}
_GONE_ON: Schema = {
    "state": {"type": "string", "description": "Go on from the state that the last answer gave."},
    "return_state": {"type": "boolean"},
    "session": _NONE,
    "end": _NO,
}
_NO_SEQUENCE: Schema = {"session": _NONE, "state": _NONE, "end": _NO, "return_state": _NO}
_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
_METRICS: Schema = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}


def closed(properties: Mapping[str, Schema], required: Iterable[str] | None = None) -> Schema:
    """An object that has these and nothing else; all of them if `required` is None."""
    needed = list(properties if required is None else required)
    return {
        "type": "object",
        "properties": dict(properties),
        **({"required": needed} if needed else {}),
        "additionalProperties": False,
    }


def several(schema: Schema, most: int | None = None) -> Schema:
    """A list of one or more."""
    return {"type": "array", "items": schema, "minItems": 1, **({} if most is None else {"maxItems": most})}


class Schemas:
    """The bodies of a run's requests and answers.

    Args:
        model: The run.
        limits: How much is taken.
    """

    def __init__(self, model: ServedModel, limits: Limits) -> None:
        self.model, self._limits = model, limits
        self._text: Schema = {"type": "string", "maxLength": limits.length}
        step: Schema = {"type": "number"}
        if (model.variables or 1) > 1:
            step = {"type": "array", "items": step, "minItems": model.variables, "maxItems": model.variables}
        self._series = several(step, limits.length)
        self._row: Schema = {
            "type": "object",
            "properties": dict.fromkeys(model.columns, _SCALAR),
            "additionalProperties": _SCALAR,
            "minProperties": 1,
        }
        options = {name: _option(option) for name, option in model.options.items()}
        self._options = {"options": closed(options, ()) | {"type": ["object", "null"]}} if options else {}

    @property
    def predicted(self) -> Schema:
        """What `/predict` takes: examples, or the next steps of a sequence."""
        bodies = self._alone({**self._options, **_NO_SEQUENCE})
        if self.model.can_stream:
            for beside, needed in ((_SESSION, "session"), (_BEGUN, "return_state"), (_GONE_ON, "state")):
                bodies += [closed(form | beside, [*form, needed]) for form in self._forms(is_sequence=True)]
        return {"anyOf": bodies}

    @property
    def needs_body(self) -> bool:
        """Whether there is nothing to answer without a body."""
        return "nothing" not in self.model.takes

    @property
    def evaluated(self) -> Schema:
        """What `/evaluate` takes."""
        return {"anyOf": [closed({"row": self._row}), closed({"rows": several(self._row, self._limits.length)})]}

    @property
    def invoked(self) -> Schema:
        """What `/invocations` takes, with what MLflow calls otherwise."""
        bodies = []
        for name in ("options", "params") if self._options else ("",):
            beside = {name: self._options["options"]} if name else {}
            if "rows" in self.model.takes:
                names, data = several(TEXT), several({"type": "array", "items": _SCALAR})
                bodies.append(
                    closed({"dataframe_split": closed({"columns": names, "data": data})} | beside, ["dataframe_split"])
                )
                bodies.append(closed({"dataframe_records": several(self._row)} | beside, ["dataframe_records"]))
            bodies += self._alone(beside)
        return {"anyOf": bodies}

    @property
    def tensors(self) -> Schema:
        """What the Open Inference Protocol takes."""
        parameters: Schema = {"type": "object"}
        tensor = {
            "type": "object",
            "properties": {
                "name": TEXT if self.model.columns else {"enum": [one["name"] for one in input_metadata(self.model)]},
                "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
                "datatype": {"enum": list(KINDS)},
                "data": {"type": "array", "description": "As many values as the shape says, each of the datatype."},
                "parameters": parameters,
            },
            "required": ["name", "shape", "datatype"],
        }
        outputs = list(self.model.answer.columns) if self.model.answer is not None else []
        wish = {"name": {"enum": outputs} if outputs else TEXT, "parameters": parameters}
        properties = {
            "inputs": several(tensor) if self.needs_body else {"type": "array", "items": tensor},
            "outputs": {"type": "array", "items": {"type": "object", "properties": wish, "required": ["name"]}},
            "id": TEXT,
            "parameters": parameters,
        }
        return {"type": "object", "properties": properties, "required": ["inputs"] if self.needs_body else []}

    @property
    def tensors_answered(self) -> Schema:
        """What the Open Inference Protocol answers."""
        tensor: dict[str, Schema] = {
            "name": TEXT,
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"enum": list(KINDS)},
            "data": {"type": "array", "items": _SCALAR},
            "parameters": {"type": "object"},
        }
        answer: dict[str, Schema] = {
            "model_name": {"const": self.model.name},
            "model_version": {"const": VERSION},
            "outputs": {"type": "array", "items": closed(tensor, ("name", "shape", "datatype"))},
            "id": TEXT,
            "parameters": closed({"sequence_id": _NAME, "state": TEXT}, ()),
        }
        return closed(answer, ("model_name", "model_version", "outputs"))

    @property
    def answer(self) -> Schema:
        """What `/predict` answers."""
        model = {"model": {"const": self.model.name}}
        bodies = [closed({**model, "answers": self.rows})]
        if self.model.can_stream:
            steps = {"type": "array", "items": {"type": "object"}}
            bodies += [closed({**model, "session": _NAME, "answers": steps})]
            bodies += [closed({**model, "answers": steps, "state": TEXT})]
        return {"oneOf": bodies}

    @property
    def predictions(self) -> Schema:
        """What `/invocations` answers."""
        return closed({"predictions": self.rows})

    @property
    def measured(self) -> Schema:
        """What `/evaluate` answers."""
        baselines = {"type": "object", "additionalProperties": _METRICS}
        return closed({"model": {"const": self.model.name}, "metrics": _METRICS, "baselines": baselines})

    @property
    def rows(self) -> Schema:
        """The rows of an answer, as those to the example are; the columns of rows that were sent stand before them."""
        if self.model.answer is None:
            return {"type": "array", "items": {"type": "object"}}
        properties = {name: _of_type(kind) for name, kind in self.model.answer.schema.items()}
        return {"type": "array", "items": {"type": "object", "properties": properties}}

    def _alone(self, beside: Mapping[str, Schema]) -> list[Schema]:
        """A body for each form of what is answered at once, with what may stand beside."""
        bodies = [closed({**form, **beside}, form) for form in self._forms()]
        return bodies if self.needs_body else [*bodies, closed(beside, ())]

    def _forms(self, *, is_sequence: bool = False) -> Iterable[dict[str, Schema]]:
        """Each form of examples, or of the next steps of one sequence."""
        limits, takes = self._limits, self.model.takes
        if "texts" in takes:
            texts = several(self._text, limits.examples)
            yield from ({"text": self._text}, {"texts": texts}, {"instances": texts})
        if "series" in takes:
            yield {"series": self._series}
            yield {"instances": several(self._series, 1 if is_sequence else limits.examples)}
        if "rows" in takes:
            rows = several(self._row, limits.length)
            yield from ({"row": self._row}, {"rows": rows}, {"instances": rows})


def _option(option: Option) -> Schema:
    kind = [_TYPES.get(option.members[0], "string"), "null"]
    bounds = {"minimum": option.low, "maximum": option.high}
    described = {"type": kind, "description": option.help} | {k: v for k, v in bounds.items() if v is not None}
    return described | ({"enum": [*option.choices, None]} if option.choices else {})


def _of_type(kind: pl.DataType) -> Schema:
    if isinstance(kind, pl.Struct):
        numbers = {field.name: {"type": ["number", "null"]} for field in kind.fields}
        return {"type": ["object", "null"], "properties": numbers}
    if isinstance(kind, (pl.List, pl.Array)):
        return {"type": ["array", "null"]}
    if kind == pl.Boolean:
        return {"type": ["boolean", "null"]}
    return {"type": ["number", "null"] if kind.is_numeric() else ["string", "null"]}
