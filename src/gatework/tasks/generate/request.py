"""What is to be written: how long, how often, by which rules."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from gatework.decoding import Sampling
from gatework.options import options_of
from gatework.tasks.generate.options import GeneratePrediction

_DEFAULTS = {o.name: o.default for o in options_of(GeneratePrediction)}
_RULES = {attribute.name for attribute in fields(Sampling)} & set(_DEFAULTS)


@dataclass(frozen=True)
class Request:
    """Texts that are to be written.

    Attributes:
        length: Characters to write.
        samples: Texts to write for each prompt.
        stop: A text ends before one of these.
        seed: Seeds what is drawn; None for another text each time.
        sampling: How tokens are drawn.
        does_end: Whether a text may end as a document does.
        is_interactive: Whether a person writes along.
    """

    length: int = _DEFAULTS["length"]
    samples: int = _DEFAULTS["samples"]
    stop: tuple[str, ...] = ()
    seed: int | None = None
    sampling: Sampling = field(default_factory=lambda: Sampling(**{name: _DEFAULTS[name] for name in _RULES}))
    does_end: bool = True
    is_interactive: bool = False

    @classmethod
    def of(cls, given: dict[str, Any], stop: tuple[str, ...] = (), does_end: bool = True) -> Request:
        """The request of the options of a prediction, those that were given."""
        values = _DEFAULTS | given
        sampling = Sampling(**{name: values[name] for name in _RULES})
        return cls(values["length"], values["samples"], stop, values["seed"], sampling, does_end, values["interactive"])
