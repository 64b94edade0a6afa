"""What a task gives so that its networks run in a page: the page's own part, and what it holds of each network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.tasks._section import section_file

if TYPE_CHECKING:
    from gatework.nn import RecurrentLayer


@dataclass(frozen=True)
class LivePart:
    """A task's part of the live page, which stands on what every live page has: unpacking, layers, colours, maps.

    Attributes:
        title: What the page does, before the names of the networks: "Writing with".
        template: The HTML of its main part, a Jinja template that is given `runs` and `single`.
        style: Its style sheet.
        script: Its script, which begins at `start(networks)`.
    """

    title: str
    template: str
    style: str
    script: str

    @classmethod
    def of(cls, package: str, title: str, scripts: Sequence[str]) -> LivePart:
        """The part whose files, `live.html`, `live.css` and these scripts, stand in a package of a task."""
        script = "\n".join(section_file(package, name) for name in scripts)
        return cls(title, section_file(package, "live.html"), section_file(package, "live.css"), script)


@dataclass(frozen=True)
class Live:
    """What a page holds of a network beside its weights.

    Attributes:
        part: The task's part of the page, the same for all its networks.
        layers: The recurrent layers by what their weights' names begin with, as "recurrent".
        about: What the script must know, as values that JSON can hold.
        lists: Long lists of texts without line breaks, by name; networks with the same list share it.
        examples: Inputs to offer, the first of which the page shows.
    """

    part: LivePart
    layers: Mapping[str, RecurrentLayer]
    about: Mapping[str, Any]
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    examples: Sequence[str] = ()


def short_numbers(values: np.ndarray, digits: int = 7) -> Any:
    """Numbers as nested lists, with as many digits as single precision has or as are said; a missing one is None."""
    kept = [float(f"{value:.{digits}g}") if math.isfinite(value) else None for value in values.ravel().tolist()]
    return np.array(kept, dtype=object).reshape(values.shape).tolist()
