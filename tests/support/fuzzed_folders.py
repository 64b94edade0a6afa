"""Folders of runs and comparisons that somebody sent, changed at random: each is used, or refused in one sentence.

A training that was stopped goes on or is refused, and a refusal leaves every file as it was.

`make fuzz` goes through many; a few are part of the tests.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

import gatework
from gatework._compared import finished
from gatework.errors import GateworkError, TrainingError
from gatework.inside import write_page
from gatework.reports import report
from gatework.training import Progress, Run, resume, train
from support.fuzzing import go_through

_ODD = (None, -1, 0, 1e300, math.nan, "x", "", [], {}, [[]], "../../etc/passwd", "\x1b[2J", True, 10**30)
_SMALL = {"epochs": 1, "hidden": 2, "threads": 1, "progress": Progress()}
_TEXTS = (".json", ".jsonl", ".toml")


TASKS = ("forecast", "detect", "classify", "regress", "generate", "translate", "transcribe")
STOPPED = "-stopped"
"""The end of the name of a training that was stopped after its first epoch."""
COMPARISON = "comparison"
_MOST_STEPS = 500


class StopAfterOneEpoch(Progress):
    """Stops a training once the first checkpoint is written."""

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """Stops as Ctrl-C would."""
        raise KeyboardInterrupt


class StopInTime(Progress):
    """Stops a training that a changed recipe lets go on for too long."""

    steps = 0

    def stepped(self, label: str, done: int, loss: float) -> None:
        """Counts a step."""
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise KeyboardInterrupt


KINDS = (*TASKS, *(task + STOPPED for task in TASKS), COMPARISON)


def learnable(folder: Path) -> dict[str, tuple[Any, dict[str, Any]]]:
    """What each task can learn from in a second, and the options which say what its columns are."""
    days = pl.date_range(pl.date(2023, 1, 1), pl.date(2023, 3, 31), eager=True).cast(pl.String)
    series = pl.DataFrame({"t": days, "y": [10 + math.sin(k / 2) + k % 7 for k in range(len(days))]})
    words = [f"{word} film {k}" for k in range(40) for word in ("good", "bad")]
    texts = pl.DataFrame({"text": words, "label": ["p", "n"] * 40})
    lines = [(f"I see {k} cats", f"je vois {k} chats") for k in range(60)]
    pairs = pl.DataFrame(lines, schema=["en", "fr"], orient="row")
    numbers = pl.DataFrame({"a": [k % 9 for k in range(60)], "b": [k % 7 for k in range(60)], "y": [*range(60)]})
    book = folder / "book.txt"
    book.write_text("".join(f"It was the {k} of {k * k % 97} days.\n" for k in range(300)), encoding="utf-8")
    return {
        "forecast": (series, {"time": "t", "target": "y", "horizon": 3}),
        "detect": (series, {"time": "t", "target": "y"}),
        "classify": (texts, {"text": "text", "label": "label"}),
        "regress": (numbers, {"target": "y"}),
        "generate": (book, {"level": "char"}),
        "translate": (pairs, {"source_column": "en", "target": "fr"}),
        "transcribe": ("spoken-digits", {}),
    }


def made(folder: Path, kinds: tuple[str, ...] = KINDS) -> dict[str, tuple[Path, Any]]:
    """A small run of each task, finished and stopped, and what it answers; a comparison, with what its runs answer."""
    asked = learnable(folder)
    folders: dict[str, tuple[Path, Any]] = {}
    for kind in kinds:
        if kind == COMPARISON:
            texts, columns = asked["classify"]
            options = {"cells": ("lstm",), "seeds": 1, "epochs": 1, "hidden": 2}
            gatework.compare(texts, out=folder / kind, **columns, **options)
            folders[kind] = (folder / kind, texts)
            continue
        task = kind.removesuffix(STOPPED)
        source, options = asked[task]
        if kind == task:
            train(task, source, out=folder / kind, **options, **_SMALL)
        else:
            stopping = _SMALL | {"epochs": 2, "progress": StopAfterOneEpoch()}
            with contextlib.suppress(KeyboardInterrupt):
                train(task, source, out=folder / kind, **options, **stopping)
        folders[kind] = (folder / kind, source)
    return folders


def run(seed: int, runs: dict[str, tuple[Path, Any]], folder: Path) -> str:
    """Changes one file of one folder, and asks for all that it can give; says how that ended.

    Raises:
        Exception: What nobody expected, which is what is looked for.
    """
    chance = random.Random(seed)
    original, table = runs[chance.choice(sorted(runs))]
    copy = folder / f"run{seed}"
    shutil.copytree(original, copy)
    changed(chance, copy)
    asked: tuple[Callable[[], Any], ...] = (
        lambda: Run.open(copy).predict(table),
        lambda: Run.open(copy).evaluate(table),
        lambda: report(copy),
        lambda: write_page([Run.open(copy)], copy / "inspect.html"),
        lambda: _go_on(copy, table),
    )
    if original.name.endswith(STOPPED):
        asked = (*asked[-1:], asked[0])
    if original.name == COMPARISON:
        asked = (
            lambda: report(copy),
            lambda: finished(copy),
            lambda: Run.open(copy / "runs" / "lstm-seed0").predict(table),
            lambda: write_page([Run.open(copy / "runs" / "lstm-seed0")], copy / "inspect.html"),
        )
    ends = [_end(ask) for ask in asked]
    return "refused" if "refused" in ends else "used"


def _go_on(folder: Path, source: Any) -> None:
    """Goes on with a training; a refusal must leave the folder as it was."""
    before = _contents(folder)
    try:
        run = resume(folder, source, progress=StopInTime())
    except KeyboardInterrupt:
        return
    except TrainingError:  # it went on, and met what no training goes on from
        raise
    except GateworkError:
        after = _contents(folder)
        changed = [name for name, content in before.items() if after.get(name) != content]
        if changed:
            raise AssertionError(f"refused, and yet changed {changed}") from None
        raise
    if not run.is_finished:
        raise AssertionError("neither finished nor refused")


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _end(ask: Callable[[], Any]) -> str:
    try:
        ask()
    except GateworkError as error:
        if "\n" in str(error):
            raise AssertionError(f"not one sentence: {error}") from error
        return "refused"
    return "used"


def changed(chance: random.Random, folder: Path) -> None:
    """Changes one file at random: cut, a byte flipped, a value replaced or taken away, emptied, gone, a folder."""
    file = chance.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    content = file.read_bytes()
    kind = chance.randrange(8)
    if kind < 4 and file.suffix == ".json":
        value = json.loads(content)
        _spoil(chance, value)
        file.write_text(json.dumps(value), encoding="utf-8")
    elif kind < 4 and file.suffix == ".safetensors":
        file.write_bytes(_with_other_progress(chance, content))
    elif kind == 4 and content:
        file.write_bytes(content[: chance.randrange(len(content))])
    elif kind == 5:
        file.write_bytes(b"")
    elif kind == 6:
        file.unlink()
        if chance.random() < 0.3:
            file.mkdir()
    elif content:
        at = chance.randrange(len(content))
        file.write_bytes(content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :])


def _with_other_progress(chance: random.Random, content: bytes) -> bytes:
    """A safetensors file with a value of its metadata replaced or taken away, such as where a training stands."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    metadata = {name: json.loads(text) for name, text in header.get("__metadata__", {}).items() if text[:1] == "{"}
    _spoil(chance, metadata)
    header["__metadata__"] = {name: json.dumps(value) for name, value in metadata.items()}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


def _spoil(chance: random.Random, value: Any) -> None:
    """Replaces, or takes away, one value at a random depth."""
    places = list(_places(value))
    if not places:
        return
    holder, key = chance.choice(places)
    if chance.random() < 0.3:
        del holder[key]
    else:
        holder[key] = chance.choice(_ODD)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value if isinstance(value, dict) else range(min(len(value), 3)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def main(cases: int = 600, first: int = 0) -> int:
    """Goes through cases, each of which is used or refused in a sentence."""
    with tempfile.TemporaryDirectory() as whole:
        runs = made(Path(whole))
        return go_through("folders", lambda seed, folder: run(seed, runs, folder), cases, first)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
