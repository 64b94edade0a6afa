"""What a stream of sound costs, and that nothing is heard where nobody speaks: `python benchmarks/transcribe_live.py`.

Trains 3 x 256 units in one direction on the English prompts below GATEWORK_DATA, then reads from memory, 10 ms at a
time on one thread with a beam of 8: an hour of the recordings one after the other, and a quarter of an hour each of
nothing, a hiss, a hum and notes. Prints processor time for each second of sound and for each 10 ms, and memory.
"""

from __future__ import annotations

import csv
import itertools
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch
from transcribe import ASTERISK, listed, spelt, trained, unpacked

from gatework.training import Run

MODEL = ["--no-bidirectional", "--hidden", "256", "--layers", "3", "--epochs", "30"]
RATE, PIECE = 8000, 160
SECONDS = 10


def speech(files: list[Path]) -> Iterator[np.ndarray]:
    for file in itertools.cycle(files):
        yield soundfile.read(file, dtype="float32")[0]


def unspoken(kind: str) -> Iterator[np.ndarray]:
    """Ten seconds at a time of nothing, of a hiss, of a mains hum, or of notes."""
    random, time_of = np.random.default_rng(0), np.arange(SECONDS * RATE) / RATE
    while True:
        hiss = random.standard_normal(len(time_of))
        if kind == "nothing":
            yield 0 * time_of
        elif kind == "hiss":
            yield 0.02 * hiss
        elif kind == "hum":
            yield 0.05 * sum(np.sin(2 * np.pi * 50 * k * time_of) / k for k in range(1, 8)) + 0.001 * hiss
        else:
            length = len(time_of) // 20
            notes = random.choice([220, 247, 262, 294, 330, 349, 392, 440], size=20)
            each = [sum(np.sin(2 * np.pi * note * k * time_of[:length]) / k for k in (1, 2, 3)) for note in notes]
            yield 0.1 * np.concatenate([one * np.exp(-4 * time_of[:length]) for one in each])


def measure(run: Run, name: str, sounds: Iterator[np.ndarray], minutes: float) -> None:
    stream = run.task.byte_stream(run.network, run.recipe, beam=8)
    words, costs, seconds = 0, [], 0.0
    while seconds < 60 * minutes:
        content = (np.clip(next(sounds), -1, 1) * 32767).astype("<i2").tobytes()
        for start in range(0, len(content), PIECE):
            begun = time.thread_time()
            answers = list(stream.answer_bytes(content[start : start + PIECE]))
            costs.append(1000 * (time.thread_time() - begun))
            words += sum(len(answer.get("words", [])) for answer in answers)
        seconds += len(content) / 2 / RATE
    words += sum(len(answer.get("words", [])) for answer in stream.finish())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name}: {seconds / 60:.0f} minutes, {words:,} words, {sum(costs) / 1000 / seconds:.4f} s for each second, "
        f"10 ms cost {np.median(costs):.3f} ms (median) and {np.quantile(costs, 0.99):.3f} ms (99th percentile); "
        f"{memory:.0f} MB at most so far",
        flush=True,
    )


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = unpacked("asterisk-en", folder)
        with (source / "metadata.csv").open() as file:
            texts = [(source / row["audio"], spelt(row["text"], "asterisk-en"), "") for row in csv.DictReader(file)]
        run = trained(listed(folder, "prompts", texts), folder / "live", [*ASTERISK, *MODEL])
        files = sorted(source.rglob("*.flac"))
        measure(run, "speech", speech(files), 1)
        measure(run, "speech", speech(files), 60)
        for kind in ("nothing", "hiss", "hum", "notes"):
            measure(run, kind, unspoken(kind), 15)


if __name__ == "__main__":
    main()
