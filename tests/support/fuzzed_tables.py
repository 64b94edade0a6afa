"""Tables of every kind of hole and shape, each of which must be answered or refused in one sentence.

`make fuzz CASES=N SEED=FIRST` goes through as many as asked for; a few are part of the tests.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

from gatework.errors import GateworkError
from gatework.training import Progress, Run, train
from support.fuzzing import go_through

_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%y", "%d.%m.%y", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%d-%b-%Y")
_STEPS = (1, 60, 3600, 86_400, 7 * 86_400, 30 * 86_400)
_MISSING = ("", "NA", "nan", "None", "-")
_ODD = ("inf", "1e39", "9" * 400, "two", "1_0", "1,5", "1.238", "true", "\x00", "é", "−5", " ")
_SMALL = {"epochs": 1, "hidden": 2, "threads": 1, "progress": Progress()}


class Case:
    """One random table, and what is asked of it.

    Args:
        seed: Decides everything.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.task = self.random.choice(("forecast", "forecast", "detect", "classify", "regress"))
        self.columns = self.random.choice((1, 1, 2, 3))
        self.series = self.random.choice((0, 0, 1, 2, 5))
        self.options: dict[str, Any] = {}

    def rows(self) -> list[list[str]]:
        """The table with its header."""
        choose, count = self.random.choice, self.random.choice((0, 1, 2, 5, 30, 60, 80, 100, 150, 150))
        names = ["t", "y", *(f"x{k}" for k in range(1, self.columns))]
        step, form = choose(_STEPS), choose(_FORMATS)
        start = datetime.datetime(choose((1950, 1999, 2023)), 1, choose((1, 28)))
        rows = []
        for name in [f"s{k}" for k in range(self.series)] or [""]:
            level, size = choose((0, 5, 1e6, 1e9)), choose((0, 1, 1, 1e-6, 1e5))
            for k in range(count if name in ("", "s0") else max(0, count - self.random.randrange(0, 40))):
                time = (start + datetime.timedelta(seconds=step * k)).strftime(form)
                values = [level + size * math.sin(k / 3 + c) + self.random.random() for c in range(self.columns)]
                rows.append([time, *(f"{value:.{choose((0, 2, 6))}f}" for value in values), *([name] if name else [])])
        self._hole(rows)
        return [[*names, *(["id"] if self.series else [])], *rows]

    def _hole(self, rows: list[list[str]]) -> None:
        """Holes, repeats, disorder and odd values."""
        choose, count = self.random.choice, len(rows)
        if not rows:
            return
        kind = self.random.randrange(10)
        if kind == 0:  # a dead end, beginning or middle
            part = choose((slice(0, count // 4), slice(count // 3, count // 2), slice(3 * count // 4, count)))
            for row in rows[part]:
                row[1] = choose(_MISSING)
        elif kind == 1:
            every = choose((2, 3, 7))
            del rows[::every]
        elif kind == 2:
            for row in rows:
                if self.random.random() < 0.5:
                    row[self.random.randrange(1, 1 + self.columns)] = ""
        elif kind == 3:
            self.random.shuffle(rows)
        elif kind == 4:
            rows += self.random.choices(rows, k=max(1, count // 3))
        elif kind == 5:
            choose(rows)[1] = choose(_ODD)
        elif kind == 6:
            choose(rows)[0] = choose(("", "soon", "2099-01-01", "9998-01-01", "01/02/2023", "1672531200"))
        elif kind == 7:
            for row in rows:
                row[1] = rows[0][1]

    def content(self, rows: list[list[str]]) -> bytes:
        """The table as a CSV file of some dialect."""
        mark = self.random.choice((",", ",", ";", "\t"))
        lines = [mark.join(f'"{field}"' if mark in field else field for field in row) for row in rows]
        end = self.random.choice(("\n", "\n", "\r\n", "\r"))
        return (self.random.choice(("", "", "sep=" + mark + end, "A title" + end)) + end.join(lines) + end).encode()

    def ask(self, path: Path) -> dict[str, Any]:
        """The options of a training."""
        choose = self.random.choice
        options: dict[str, Any] = {"target": "y"} if self.task != "classify" else {"label": choose(("y", "id", "t"))}
        if self.task in ("forecast", "detect"):
            options |= {"time": "t"} | ({"series": "id"} if self.series else {})
            if self.columns > 1 and self.random.random() < 0.4:
                options["target"] = "y,x1"
        if self.task == "forecast":
            options |= {"horizon": choose((0, 1, 3, 12))}
            options |= choose(({}, {}, {"missing": "zero"}, {"duplicates": "sum"}, {"frequency": choose("DWMHQ")}))
            if self.columns > 2:
                options |= choose(({}, {"known": "x2"}, {"past": "x2"}, {"static": "x2"}))
        return options


def run(seed: int, folder: Path) -> str:
    """Trains on a random table, predicts, evaluates and streams; says how it ended.

    Raises:
        Exception: What nobody expected, which is what is looked for.
    """
    case = Case(seed)
    rows = case.rows()
    path = folder / f"{seed}.csv"
    path.write_bytes(case.content(rows))
    out = folder / f"run{seed}"
    try:
        found = train(case.task, path, out=out, **case.ask(path), **_SMALL)
        for file in (*out.glob("*.json"), out / "metrics.jsonl"):
            for line in file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]:
                json.loads(line, parse_constant=_no_constant)
        json.dumps(_answered(found, path, rows, case), allow_nan=False, default=str)
    except GateworkError as error:
        if "\n" in str(error):
            raise AssertionError(f"not one sentence: {error}") from error
        return f"refused: {error}"
    return "answered"


def _answered(found: Run, path: Path, rows: list[list[str]], case: Case) -> Any:
    """Predictions for the table itself and for its last rows, and what else a run can say."""
    last = path.with_name("last.csv")
    last.write_bytes(case.content([rows[0], *rows[-7:]]))
    said = [found.predict(path).to_dicts() if hasattr(found.predict(path), "to_dicts") else found.predict(path)]
    for source in (path, last):
        with contextlib.suppress(GateworkError):
            found.predict(source)
        with contextlib.suppress(GateworkError):
            found.evaluate(source)
    if case.task == "detect":
        lines = [",".join(row) for row in rows]
        with contextlib.suppress(GateworkError):
            said += [json.loads(line, parse_constant=_no_constant) for line in found.predictor.answer_lines(lines)]
    return said


def _no_constant(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def main(cases: int = 300, first: int = 0) -> int:
    """Goes through cases, each of which is answered or refused in a sentence."""

    def ended(seed: int, folder: Path) -> str:
        try:
            return run(seed, folder).partition(":")[0]
        except Exception as error:
            error.add_note(Case(seed).task)
            raise

    return go_through("tables", ended, cases, first)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
