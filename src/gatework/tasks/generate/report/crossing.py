"""The network's way on the validation part, against the line of the n-grams."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gatework.formatting import number, rounded, spell
from gatework.tasks._section import Answered, AnsweredEntry, ReportSection, section_file

_BITS = "validation_bits_per_character"
_MOST_POINTS = 400


def crossing(answered: Answered) -> ReportSection | None:
    """The curve of every network, the line of the n-grams, and where they cross; None where no epoch is known."""
    networks = [entry for entry in answered.networks if entry.epochs]
    if not networks:
        return None
    first = networks[0]
    lines = first.tables["lines"].to_dicts() if "lines" in first.tables else []
    counts = next((line for line in lines if line["name"] != "network" and line["weight"] < 1), None)
    curves = [_curve(entry) for entry in networks]
    level = counts["validation"] if counts else None
    values = [value for curve in curves for value in curve["bits"] if value is not None]
    minute = first_below(first.epochs, level) if level is not None else None
    return ReportSection(
        name="crossing",
        title="Against the n-grams",
        template=section_file(__package__, "crossing.html"),
        context={
            "lines": lines,
            "counts": counts,
            "minute": minute,
            "crossed": None if minute is None else spell(60 * minute),
            "is_ahead": counts is not None and _of_network(lines)["test"] < counts["test"],
            "share": next((line["weight"] for line in lines if line["name"] == "network"), None),
            "summary": f"Bits per character by minutes of training; the last are {number(values[-1])}.",
        },
        data={
            "curves": curves,
            "level": rounded(level) if level is not None else None,
            "name": counts["name"] if counts else "",
            "minute": rounded(minute) if minute is not None else None,
        },
        script=section_file(__package__, "crossing.js"),
        headline=_headline(lines, counts, minute),
    )


def first_below(epochs: Sequence[Mapping[str, Any]], level: float) -> float | None:
    """The minutes of training after which the validation part first cost fewer bits; None where it never did."""
    seconds = 0.0
    for epoch in epochs:
        seconds += float(epoch.get("seconds") or 0.0)
        bits = rounded(epoch.get(_BITS), 8)
        if bits is not None and bits < level:
            return seconds / 60
    return None


def _curve(entry: AnsweredEntry) -> dict[str, Any]:
    seconds, minutes = 0.0, []
    for epoch in entry.epochs:
        seconds += float(epoch.get("seconds") or 0.0)
        minutes.append(rounded(seconds / 60, 4))
    step = math.ceil(len(minutes) / _MOST_POINTS)
    bits = [rounded(epoch.get(_BITS), 5) for epoch in entry.epochs]
    return {"model": entry.name, "minutes": minutes[::-1][::step][::-1], "bits": bits[::-1][::step][::-1]}


def _headline(lines: list[dict[str, Any]], counts: dict[str, Any] | None, minute: float | None) -> str:
    if counts is None:
        return ""
    network = _of_network(lines)
    is_better = network["test"] < counts["test"]
    than = f"{number(network['test'])} bits per character against {number(counts['test'])} of {counts['name']}"
    when = f", which it passed on the validation part after {spell(60 * minute)}" if minute is not None else ""
    return f"{than}{when}." if is_better else f"{than}: on the test part a table of counts does as well or better."


def _of_network(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return next(line for line in lines if line["name"] == "network")
