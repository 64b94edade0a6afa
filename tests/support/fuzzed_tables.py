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

import polars as pl

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
        """The table as a CSV file of some dialect, now and then with what programs write above, below and between."""
        choose = self.random.choice
        mark, end = choose((",", ",", ";", "\t")), choose(("\n", "\n", "\r\n", "\r"))
        rows = self._written(rows)
        lines = [mark.join(f'"{field}"' if mark in field or "\n" in field else field for field in row) for row in rows]
        for _ in range(choose((0, 0, 0, 1, 2))):
            self._put_between(lines, mark)
        above = choose(("", "", "sep=" + mark + end, "A title" + end, f"Owner{mark}me{end}From{mark}today{end}{end}"))
        # One line in ten may end as on another system.
        ends = choose(((end,), (end,), (*[end] * 9, choose(("\n", "\r\n")))))
        return (above + "".join(line + choose(ends) for line in lines)).encode(errors="replace")

    def _written(self, rows: list[list[str]]) -> list[list[str]]:
        """The rows as people of several countries write their numbers and times."""
        choose = self.random.choice
        if len(rows) < 2 or self.random.random() < 0.6:
            return rows
        thousands, decimal = choose(((",", "."), (".", ","), (" ", ","), ("\u202f", ","), ("'", "."), ("’", ".")))
        zone = choose(("", "", "Z", "+02:00", " UTC", " GMT+1", None))

        def field(at: int, text: str) -> str:
            if at == 0:
                return text + (zone if zone is not None else choose(("+01:00", "+02:00")))
            if self.random.random() < 0.01:
                return f"{text}\n"
            try:
                return f"{float(text):,.2f}".translate(str.maketrans({",": thousands, ".": decimal}))
            except ValueError:
                return text

        return [rows[0], *([field(at, text) for at, text in enumerate(row)] for row in rows[1:])]

    def _put_between(self, lines: list[str], mark: str) -> None:
        """Lines that are none of the table."""
        choose, width = self.random.choice, lines[0].count(mark) + 1
        units = mark.join(choose(("", "kWh", "[°C]", "(EUR)", "%", "dd.mm.yyyy", "-")) for _ in range(width))
        below = choose(
            ("Source: an office", f"Note{mark}not final", "n = 123", "(12 rows)", f"Total{mark}12", "\n* late")
        )
        merged = mark.join(choose(("", "", "Heat", "Rain")) for _ in range(width))
        at, line = choose(
            (
                (1, units),
                (1, units),
                (len(lines), below),
                (len(lines), below + mark * self.random.randrange(3)),
                (0, merged),
                (self.random.randrange(len(lines) + 1), "\ufeff" + lines[0]),
                (self.random.randrange(len(lines) + 1), choose(("", mark, "# a remark", "  "))),
                (1, mark.join(["---"] * width)),
            )
        )
        lines.insert(at, line)

    def source(self, rows: list[list[str]], path: Path) -> Any:
        """The table as a file, which is written, or a frame with values of odd kinds."""
        if self.random.random() < 0.7 or len(rows) < 2:
            path.write_bytes(self.content(rows))
            return path
        frame = pl.DataFrame(rows[1:], schema=rows[0], orient="row", strict=False)
        numbers = [name for name in frame.columns if name[0] in "yx"]
        odd = self.random.choice(numbers)
        kind = self.random.choice(
            (
                pl.Float32,
                pl.Int64,
                pl.Decimal(20, 3),
                pl.Categorical,
                pl.Duration("ms"),
                pl.Boolean,
                pl.List(pl.Float64),
                pl.Struct({"a": pl.Float64}),
                pl.Null,
            )
        )
        values = [pl.col(name).cast(pl.Float64, strict=False) for name in numbers]
        frame = frame.with_columns(values).with_columns(_as_kind(pl.col(odd), kind))
        if "id" in frame.columns:
            frame = frame.with_columns(pl.col("id").cast(self.random.choice((pl.String, pl.Categorical))))
        if self.random.random() < 0.5:
            frame = frame.with_columns(pl.col("t").str.to_datetime(strict=False).dt.replace_time_zone("Europe/Berlin",
                ambiguous="earliest", non_existent="null"))  # fmt: skip
        if self.random.random() < 0.4:
            frame.write_parquet(path.with_suffix(".parquet"))
            return path.with_suffix(".parquet")
        return self.random.choice((lambda: frame, lambda: frame.to_arrow(), lambda: self._pandas(frame)))()

    def _pandas(self, frame: pl.DataFrame) -> Any:
        """A frame of pandas, of odd kinds and with an odd index."""
        import pandas

        plain = pandas.DataFrame({name: frame[name].to_list() for name in frame.columns})
        kind = self.random.randrange(6)
        if kind == 0:
            return plain.convert_dtypes()
        if kind == 1 and "id" in plain:
            return plain.set_index(["id", "t"])
        if kind == 2:
            return plain.set_index(pandas.Index([0] * len(plain)))
        if kind == 3:
            return plain.set_index("t")
        if kind == 4:
            return plain.astype(object)
        return pandas.concat([plain, plain[["y"]]], axis=1)

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
    out = folder / f"run{seed}"
    path = case.source(rows, folder / f"{seed}.csv")
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


def _as_kind(column: pl.Expr, kind: Any) -> pl.Expr:
    if kind == pl.List(pl.Float64):
        return pl.concat_list(column)
    if kind == pl.Struct({"a": pl.Float64}):
        return pl.struct(a=column).alias("y")
    if kind == pl.Categorical:
        return column.cast(pl.String).cast(kind)
    if kind == pl.Duration("ms"):
        return column.cast(pl.Int64, strict=False).cast(kind)
    return column.cast(kind, strict=False)


def _answered(found: Run, path: Any, rows: list[list[str]], case: Case) -> Any:
    """Predictions for the table itself and for its last rows, and what else a run can say."""
    last = found.path.with_name("last.csv")
    last.write_bytes(case.content([rows[0], *rows[-7:]]))
    said = found.predict(path)
    if hasattr(said, "columns"):
        # A frame of one's own may hold what JSON cannot; the command line writes null for it.
        kept = [] if isinstance(path, Path) else rows[0]
        said = pl.DataFrame(said).drop(kept, strict=False).to_dicts()
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
