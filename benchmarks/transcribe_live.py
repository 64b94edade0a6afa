"""What a stream of sound costs, and that nothing is heard where nobody speaks: `python benchmarks/transcribe_live.py`.

Trains 3 x 256 units in one direction on the English prompts below GATEWORK_DATA (options may follow: `--epochs 3` is
enough for what speed tells), then reads from memory, 10 ms at a time on one thread with a beam of 8 and the language of
the training texts, in float32 and with the layers on int8: an hour of the recordings one after the other, and a quarter
of an hour each of nothing, a hiss, a hum and notes. Prints processor time for each second of sound and for each 10 ms,
how far behind the sound is what is said of it, and memory.
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
from asking import help_if_asked
from torch import nn
from transcribe import ASTERISK, listed, spelt, trained, unpacked

import gatework as gw
from gatework.data.features import HOP
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


def measure(run: Run, network: nn.Module, name: str, sounds: Iterator[np.ndarray], minutes: float) -> None:
    stream = run.task.byte_stream(network, run.recipe, beam=8)
    words, costs, seconds, behind = 0, [], 0.0, 0.0
    step = run.task.stack * HOP
    while seconds < 60 * minutes:
        content = (np.clip(next(sounds), -1, 1) * 32767).astype("<i2").tobytes()
        for start in range(0, len(content), PIECE):
            begun = time.thread_time()
            answers = list(stream.answer_bytes(content[start : start + PIECE]))
            costs.append(1000 * (time.thread_time() - begun))
            words += sum(len(answer.get("words", [])) for answer in answers)
            heard = seconds + min(start + PIECE, len(content)) / 2 / RATE
            behind = max(behind, heard - step * stream.done)
        seconds += len(content) / 2 / RATE
    words += sum(len(answer.get("words", [])) for answer in stream.finish())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name}: {seconds / 60:.0f} minutes, {words:,} words, {sum(costs) / 1000 / seconds:.4f} s for each second, "
        f"10 ms cost {np.median(costs):.3f} ms (median) and {np.quantile(costs, 0.99):.3f} ms (99th percentile); "
        f"what is said is at most {1000 * behind:.0f} ms behind the sound; {memory:.0f} MB at most so far",
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
        for weights, network in (("float32", run.network), ("int8", gw.quantize(run.network))):
            for minutes in (1, 60):
                measure(run, network, f"{weights}, speech", speech(files), minutes)
        for kind in ("nothing", "hiss", "hum", "notes"):
            measure(run, run.network, kind, unspoken(kind), 15)


if __name__ == "__main__":
    help_if_asked(__doc__)
    main()
