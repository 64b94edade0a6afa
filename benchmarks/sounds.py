"""Classes of spoken digits: `python benchmarks/sounds.py [settings|official|speakers|keywords ...]`.

Reads `speech/free-spoken-digits.tar.gz` below GATEWORK_DATA (8 kHz, ten digits, fifty takes each of every speaker)
and prints what the network, the answer and the simple methods reached, with the seconds of CPU. `official`: takes 0 to
4 are the test part. `speakers`: each speaker in turn is the test part and is not learnt from. `settings` compares the
settings below on speakers that are held out among those that are learnt from: for each two speakers a network learns
from the others, and a setting's figure for the test speaker s is its mean over all other speakers that were held out
together with s, so that s has no part in what is chosen for it. `keywords`: false accepts per hour and misses on a
stream that is made of the test part, and how many keywords an hour of silence, hiss, hum and notes has.
"""

from __future__ import annotations

import csv
import itertools
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from asking import data_folder, help_if_asked

import gatework as gw
from gatework import tasks
from gatework.training import Run

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "all that is quiet": {"dynamic_range": 0},
    "35 dB": {"dynamic_range": 35},
    "22 dB": {"dynamic_range": 22},
    "unmixed": {"mixing": 0},
    "warp 0.1": {"warp": 0.1},
    "24 bands": {"bands": 24},
    "30 epochs": {"epochs": 30},
    "2 x 96": {"hidden": 96, "layers": 2},
}
CHOSEN = {
    "george": "unmixed",
    "jackson": "2 x 96",
    "lucas": "2 x 96",
    "nicolas": "2 x 96",
    "yweweler": "unmixed",
}
"""What `settings` chose for each speaker by the other four alone."""
WITHOUT_STREAMS = {"stream_hours": 0.0}
"""What is heard in hours without a word tells nothing of strangers."""
QUIET = 3600
"""Seconds without a word."""

Rows = list[tuple[Path, str, str, str]]


def recordings(folder: Path) -> list[tuple[Path, str, str, int]]:
    """The file, the digit, the speaker and the take of each recording."""
    archive = data_folder("speech", "free-spoken-digits.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    each = []
    for wav in sorted(folder.rglob("*.wav")):
        digit, who, take = wav.stem.split("_")
        each.append((wav, WORDS[int(digit)], who, int(take)))
    return each


def listed(folder: Path, name: str, rows: Rows) -> Path:
    manifest = folder / f"{name}.csv"
    with manifest.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["audio", "label", "speaker", "split"])
        writer.writerows(rows)
    return manifest


def trained(source: Path, out: Path, **options: Any) -> Run:
    return gw.train("classify", source, out=out, threads=1, progress=None, **options)


def told(name: str, run: Run, seconds: float, *, has_baselines: bool = True) -> dict[str, float]:
    """Prints and gives the accuracy of the network, the answer and the simple methods."""
    figures = {"network": run.scores.baselines.get("network alone", run.summary["metrics"])["test_accuracy"]}
    figures["answer"] = run.summary["metrics"]["test_accuracy"]
    if has_baselines:
        dataset = tasks.load(run.recipe.data.dataset, run.recipe)
        for baseline in run.task.baselines(dataset)[1:]:
            figures[baseline.name] = run.task.metrics(baseline.answers)["accuracy"]
    shown = ", ".join(f"{what} {accuracy:.3f}" for what, accuracy in figures.items())
    print(f"{name}: {shown}; {seconds:.0f} s of CPU", flush=True)
    return figures


def official(folder: Path) -> None:
    rows = [(wav, word, who, "test" if take < 5 else "") for wav, word, who, take in recordings(folder)]
    start = time.process_time()
    run = trained(listed(folder, "official", rows), folder / "official")
    told("official", run, time.process_time() - start)


def speakers(folder: Path) -> None:
    each = recordings(folder)
    source = listed(folder, "all", [(wav, word, who, "") for wav, word, who, _ in each])
    reached = []
    for who in sorted({who for _, _, who, _ in each}):
        start = time.process_time()
        options = SETTINGS[CHOSEN[who]] | WITHOUT_STREAMS
        run = trained(source, folder / f"without-{who}", leave_out_speaker=who, **options)
        reached.append(told(f"without {who} ({CHOSEN[who]})", run, time.process_time() - start))
    means = {what: np.mean([figures[what] for figures in reached]) for what in reached[0]}
    print("mean: " + ", ".join(f"{what} {accuracy:.3f}" for what, accuracy in means.items()))


def settings(folder: Path) -> None:
    each = recordings(folder)
    people = sorted({who for _, _, who, _ in each})
    reached: dict[str, dict[tuple[str, str], float]] = {}
    for name, options in SETTINGS.items():
        start, by_pair = time.process_time(), {}
        for pair in itertools.combinations(people, 2):
            rows = [(wav, word, who, "test" if who in pair else "") for wav, word, who, _ in each]
            out = folder / f"{name}-{'-'.join(pair)}".replace(" ", "_")
            run = trained(listed(folder, "pair", rows), out, blend=False, **(options | WITHOUT_STREAMS))
            by_pair |= (two := held_out(run, pair))
            print(f"  {name}, {', '.join(f'{who} {share:.3f}' for (who, _), share in two.items())}", flush=True)
        reached[name] = by_pair
        figures = ", ".join(f"for {who} {inner(by_pair, who, people):.3f}" for who in people)
        print(f"{name}: {figures}; {time.process_time() - start:.0f} s of CPU", flush=True)
    for who in people:
        print(f"chosen for {who}: {max(reached, key=lambda name: inner(reached[name], who, people))}")


def held_out(run: Run, pair: Sequence[str]) -> dict[tuple[str, str], float]:
    """The accuracy for each of two speakers, by who was held out beside."""
    import polars as pl

    answers, test = (pl.read_parquet(run.path / f"{name}.parquet") for name in ("answers", "test"))
    right = answers["scores"].to_numpy().argmax(axis=1) == answers["target"].to_numpy()
    is_first = (test["speaker"] == pair[0]).to_numpy()
    return {(pair[0], pair[1]): right[is_first].mean(), (pair[1], pair[0]): right[~is_first].mean()}


def inner(by_pair: dict[tuple[str, str], float], test: str, people: Sequence[str]) -> float:
    """The mean over those who are learnt from where `test` is the test part."""
    return float(np.mean([by_pair[who, test] for who in people if who != test]))


def keywords(folder: Path) -> None:
    rows = [(wav, word, who, "test" if take < 5 else "") for wav, word, who, take in recordings(folder)]
    run = trained(listed(folder, "keywords", rows), folder / "keywords")
    metrics = run.summary["metrics"]
    print(f"{metrics['test_stream_hours']:.1f} hours of the test part's stream:", end=" ")
    print(f"{metrics['test_false_accepts']:.2f} false accepts per hour", end=", ")
    print(f"{100 * metrics['test_missed_keywords']:.1f} % missed", end=", ")
    print(f"{100 * metrics['test_mistaken_keywords']:.1f} % of them heard as another")
    stream, start, heard = run.task.byte_stream(run.network, run.recipe), time.process_time(), 0
    rate, draw = run.task.encoder.spec.rate, np.random.default_rng(0)
    for second in range(QUIET):
        heard += len(list(stream.answer_bytes(unspoken(second, rate, draw))))
    spent = time.process_time() - start
    print(f"an hour without a word: {heard} keywords, {spent:.0f} s of CPU ({spent / QUIET:.3f} of real time)")


def unspoken(second: int, rate: int, draw: np.random.Generator) -> bytes:
    """A second of silence, hiss, hum or notes, in turns of a minute."""
    at = second + np.arange(rate) / rate
    kinds = (
        np.zeros(rate),
        10 ** draw.uniform(-3, -1) * draw.standard_normal(rate),
        0.1 * np.sin(2 * np.pi * 50 * at) + 0.03 * np.sin(2 * np.pi * 150 * at),
        0.2 * np.sin(2 * np.pi * 220 * 2 ** (draw.integers(0, 24) / 12) * at) * np.exp(-3 * (at % 0.5)),
    )
    return (np.clip(kinds[second // 60 % 4], -1, 1) * 32767).astype("<i2").tobytes()


def main() -> None:
    parts = {"settings": settings, "official": official, "speakers": speakers, "keywords": keywords}
    for name in sys.argv[1:] or ["official", "speakers", "keywords"]:
        with tempfile.TemporaryDirectory() as folder:
            parts[name](Path(folder))


if __name__ == "__main__":
    help_if_asked(__doc__)
    main()
