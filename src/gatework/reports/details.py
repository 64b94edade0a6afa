"""What a reader needs to judge and repeat a result: its data and licence, recipe, environment and cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatework.formatting import counted, number
from gatework.pages.step_options import step_options
from gatework.reports.folders import ComparisonFolder, Entry
from gatework.reports.looks import Look

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Bar:
    """One bar: whose, how long in per cent of the longest, and its figure."""

    name: str
    colour: str
    is_network: bool
    share: float
    text: str


def deck(about: Mapping[str, Any]) -> str:
    """What was compared, in one line: the data set, seeds, epochs, what acted around the cells, and the date."""
    seeds, epochs = about.get("seeds"), about.get("epochs")
    parts = [f"Data set: {about.get('dataset', 'unknown')}"]
    if seeds:
        parts.append(counted(len(seeds) if isinstance(seeds, Sequence) else int(seeds), "seed"))
    if isinstance(epochs, int):
        parts.append(counted(epochs, "epoch"))
    if options := step_options((about.get("recipe") or {}).get("model") or {}):
        parts.append(f"around every cell: {options}")
    if created := _date(about.get("created")):
        parts.append(created)
    return " · ".join(parts)


def details(about: Mapping[str, Any]) -> list[tuple[str, Pairs]]:
    """The lists at the page's end: a title, and names with their values."""
    data: Pairs = [("data set", str(about["dataset"]))] if about.get("dataset") else []
    data += [(f"{part} examples", f"{count:,}") for part, count in (about.get("splits") or {}).items()]
    provenance = about.get("provenance") or {}
    data += [(key, str(provenance[key])) for key in ("source", "licence") if provenance.get(key)]
    if provenance.get("fingerprint"):
        data.append(("SHA-256", str(provenance["fingerprint"])))
    data += [("note", str(note)) for note in provenance.get("notes") or ()]
    lists = [
        ("Data", data),
        ("Recipe", _flat(_shared(about))),
        ("Environment", _flat(_dated(about))),
    ]
    return [(title, pairs) for title, pairs in lists if pairs]


def gatework_version(environment: Mapping[str, Any] | None) -> str | None:
    """The version of gatework that trained what a page shows; None where that is not known."""
    version = ((environment or {}).get("versions") or {}).get("gatework")
    return str(version) if version else None


def cost(comparison: ComparisonFolder, looks: Mapping[str, Look]) -> dict[str, list[Bar]] | None:
    """Bars of the time per training step and of parameters; None where neither is known."""
    steps = _bars(comparison.entries, looks, [e.ms_per_step for e in comparison.entries])
    parameters = _bars(comparison.entries, looks, [e.parameters or None for e in comparison.entries])
    return {"steps": steps, "parameters": parameters} if steps or parameters else None


def _bars(entries: Iterable[Entry], looks: Mapping[str, Look], values: list[Any]) -> list[Bar]:
    known = [(e, v) for e, v in zip(entries, values, strict=True) if isinstance(v, (int, float)) and v >= 0]
    longest = max((v for _, v in known), default=0) or 1
    return [
        Bar(e.name, looks[e.name].colour, e.is_network, round(100 * v / longest, 2), number(v))
        for e, v in sorted(known, key=lambda pair: -pair[1])
    ]


def _shared(about: Mapping[str, Any]) -> Mapping[str, Any]:
    # A comparison's recipe names a cell and a seed that its runs replace.
    recipe: Mapping[str, Any] = about.get("recipe") or {}
    if "entries" not in about:
        return recipe
    return {
        name: {k: v for k, v in part.items() if k not in ("cell", "seed")} if isinstance(part, Mapping) else part
        for name, part in recipe.items()
    }


def _dated(about: Mapping[str, Any]) -> dict[str, Any]:
    # The data's fingerprint stands with the data.
    environment = {k: v for k, v in (about.get("environment") or {}).items() if k != "data"}
    return {**environment, "created": about["created"]} if about.get("created") else environment


def _flat(values: Mapping[str, Any], prefix: str = "") -> Pairs:
    pairs: Pairs = []
    for key, value in values.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            pairs += _flat(value, f"{name}: " if prefix else "")
        elif isinstance(value, bool):
            pairs.append((name, "yes" if value else "no"))
        elif isinstance(value, (list, tuple)):
            pairs.append((name, ", ".join(map(str, value))))
        else:
            pairs.append((name, str(value)))
    return [(name, value) for name, value in pairs if value]


def _date(text: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return ""
    return f"{moment.day} {moment:%B %Y}"
