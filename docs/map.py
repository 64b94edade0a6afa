"""The map of the house as a picture, drawn from its floors: `python docs/map.py` writes docs/images/map.svg."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "images" / "map.svg"
# The words under each name; one for every package and for every module at the root.
WORDS = {
    "_decoding": "compiled from csrc/decoding/",
    "_equal_runs": "neighbours of one size",
    "_files": "whole files or none",
    "_lazy": "public names on demand",
    "_native": "compiled from csrc/",
    "_training": "compiled from csrc/training/",
    "_pair_vectors": "two words as one vector",
    "_registry": "what there is, by name",
    "_stored": "dataclasses to JSON",
    "__main__": "python -m gatework",
    "_threads": "cores to use",
    "bench": "timings, frameworks",
    "cells": "the equations",
    "cli": "one file a command",
    "course": "lessons, quizzes, exercises",
    "decoding": "n-grams, sampling, beams",
    "data": "files and frames to datasets",
    "errors": "one tree of sentences",
    "estimators": "for scikit-learn",
    "evaluation": "comparison and verdict",
    "export": "for other people's systems",
    "formatting": "numbers in words",
    "inference": "answers without torch",
    "inside": "traces, gradients, live page",
    "_compared": "from data to a report",
    "_trained": "a run with its pages",
    "_tuned": "from data to a better recipe",
    "nn": "layers, drop-ins for torch.nn",
    "options": "each setting declared once",
    "pages": "one file, both themes",
    "recipe": "what a run is made of",
    "reports": "one HTML page",
    "scan": "one layer over time",
    "search": "trials by Optuna",
    "serve": "answers over a network",
    "tasks": "a folder each: what is learnt",
    "training": "loop, run folder, predictor",
}
WIDTH, FLOOR, BOX, GAP, LEFT = 940, 50, 40, 12, 96
STYLE = """
.sheet { fill: #ffffff; }
.box { fill: #eef1fb; stroke: #5b6fc0; }
.low { fill: #f3f3f3; stroke: #8a8a8a; }
.name { font: 600 14px ui-monospace, Menlo, Consolas, monospace; fill: #16204f; }
.words { font: 12px system-ui, sans-serif; fill: #454b66; }
.arrow { stroke: #8a8a8a; fill: none; }
.head { fill: #8a8a8a; }
.side { font: 12px system-ui, sans-serif; fill: #5c5c5c; }
@media (prefers-color-scheme: dark) {
  .sheet { fill: #1b1e27; }
  .box { fill: #262c47; stroke: #8fa0ec; }
  .low { fill: #2a2b30; stroke: #8f8f8f; }
  .name { fill: #e6eaff; }
  .words { fill: #bcc3e0; }
  .side { fill: #b3b3b3; }
}
"""


def draw(floors: list[list[str]]) -> str:
    """The picture of these floors, the lowest first, as SVG."""
    height = FLOOR * len(floors) + 3 * GAP
    rows = [_floor(names, height - 2 * GAP - FLOOR * (level + 1)) for level, names in enumerate(floors)]
    middle = height / 2
    side = (
        f'<path class="arrow" d="M38 {GAP + 8} V{height - GAP - 14}" stroke-width="1.5"/>'
        f'<path class="head" d="M33 {height - GAP - 14} h10 l-5 9 z"/>'
        f'<text class="side" transform="translate(26 {middle}) rotate(-90)" text-anchor="middle">'
        "imports run down</text>"
    )
    title = "The packages of gatework on their floors; each imports only from the floors below it"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n"
        f'<rect class="sheet" width="{WIDTH}" height="{height}" rx="10"/>\n{side}\n' + "\n".join(rows) + "\n</svg>\n"
    )


def _floor(names: list[str], top: float) -> str:
    width = (WIDTH - LEFT - GAP * len(names) - GAP) / len(names)
    return "\n".join(_box(name, LEFT + index * (width + GAP), top, width) for index, name in enumerate(names))


def _box(name: str, left: float, top: float, width: float) -> str:
    kind = "box" if (ROOT / "src" / "gatework" / name).is_dir() else "low"
    label = name + ("/" if kind == "box" else "")
    middle = left + width / 2
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BOX}" rx="6"/>'
        f'<text class="name" x="{middle:.1f}" y="{top + 17}" text-anchor="middle">{escape(label)}</text>'
        f'<text class="words" x="{middle:.1f}" y="{top + 32}" text-anchor="middle">{escape(WORDS[name])}</text>'
    )


def floors() -> list[list[str]]:
    """The floors that are built, the lowest first."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support.source_tree import packages
    from support.unmended import FLOORS, floor

    built = {floor(name) for name in packages()}
    return [names for names in ([name for name in names if name in built] for names in FLOORS) if names]


if __name__ == "__main__":
    OUT.write_text(draw(floors()), encoding="utf-8")
