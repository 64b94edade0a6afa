"""How many digits of people are written down wrongly, of those it knows and of those it does not.

`python benchmarks/spoken_digits.py FOLDER` reads the recordings of the Free Spoken Digit Dataset (names such as
`7_jackson_32.wav`), trains six times, some 12 s of processor time each, and prints what stands in
`src/gatework/course/experiments/digits-of-people.json`. Settings were fixed before the first run.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from asking import argument, help_if_asked

from gatework.data.sets.spoken_digits import WORDS
from gatework.tasks.transcribe.metrics import word_errors
from gatework.training import train

SETTINGS = {
    "hidden": 64, "layers": 1, "bidirectional": True, "dropout": 0.0, "epochs": 12, "batch_size": 16,
    "learning_rate": 1e-2, "threads": 1,
}  # fmt: skip
# The set's own test part is takes 0 to 4 of everybody.
TEST_TAKES, HELD_TAKES = 5, 8


class Take(NamedTuple):
    """A recording of a digit."""

    file: Path
    word: str
    speaker: str
    number: int


def takes(home: Path) -> list[Take]:
    """Every recording, by its name."""
    parts = [(file, file.stem.split("_")) for file in sorted(home.glob("*.wav"))]
    return [Take(file.resolve(), WORDS[int(digit)], who, int(number)) for file, (digit, who, number) in parts]


def measured(every: list[Take], is_test: Callable[[Take], bool], *, is_known: bool, home: Path) -> list[dict]:
    """The wrong digits of each speaker in the test part."""

    def part(take: Take) -> str:
        held = TEST_TAKES <= take.number < HELD_TAKES
        return "test" if is_test(take) else "validation" if held else "train"

    with (home / "list.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("audio", "text", "speaker", "split"))
        rows.writerows((take.file, take.word, take.speaker, part(take)) for take in every)
    run = train("transcribe", str(home / "list.csv"), out=home / "run", **SETTINGS)
    answers = pl.read_parquet(run.path / "answers.parquet")
    wrong = word_errors(answers["reference"].to_list(), answers["text"].to_list()) > 0
    speakers = np.array([take.speaker for take in every if is_test(take)])
    return [
        {
            "speaker": str(who),
            "is_known": is_known,
            "digits": int((speakers == who).sum()),
            "wrong": int(wrong[speakers == who].sum()),
        }
        for who in np.unique(speakers)
    ]


def main(home: Path) -> None:
    """Prints the rows as JSON, one a line."""
    every = takes(home)
    plans: list[tuple[Callable[[Take], bool], bool]] = [(lambda take: take.number < TEST_TAKES, True)]
    plans += [(lambda take, who=who: take.speaker == who, False) for who in sorted({take.speaker for take in every})]
    for is_test, is_known in plans:
        with tempfile.TemporaryDirectory() as folder:
            for row in measured(every, is_test, is_known=is_known, home=Path(folder)):
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    help_if_asked(__doc__)
    main(Path(argument("the folder of the recordings")))
