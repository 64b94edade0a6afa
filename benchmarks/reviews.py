"""Classification of few long reviews: five samples of 2,000 from IMDB's training part, by the default recipe.

    python benchmarks/reviews.py [SAMPLES]

Of each sample 64 % are trained on, 16 % validate and 20 % test; IMDB's own test part is not used. The linear model in
the answer has learnt from the 80 %, the baselines from the 64 %: it is shown alone beside them. It needs the archive
of the Large Movie Review Dataset (in the cache, or in `GATEWORK_DATA`).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from asking import help_if_asked

import gatework
from gatework.data import load
from gatework.options import DataOptions

_EXAMPLES = 2000


def main() -> None:
    """Prints a line per sample, and the means."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    reviews = load("imdb", DataOptions())
    parts = (reviews.train, reviews.validation)
    texts = pl.concat([part.inputs.strings for part in parts])
    labels = np.array(reviews.classes)[np.concatenate([part.targets for part in parts])]
    rows = [_measured(texts, labels, seed) for seed in range(samples)]
    table = pl.DataFrame(rows)
    print(table.select(pl.all().exclude("sample").mean().round(4)))


def _measured(texts: pl.Series, labels: np.ndarray, seed: int) -> dict[str, float]:
    """The test accuracy of one sample's answer, its network alone, and its best baseline; CPU seconds."""
    pick = np.random.default_rng(seed).choice(len(texts), _EXAMPLES, replace=False)
    frame = pl.DataFrame({"text": texts.gather(pick), "label": labels[pick]})
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run = gatework.train("classify", frame, out=Path(folder) / "run", seed=seed)
        seconds = time.process_time() - started
        dataset = load(frame, run.recipe.data)
        (linear,) = run.summary["simple"].values()
        baselines = {b.name: run.task.metrics(b.answers)["accuracy"] for b in run.task.baselines(dataset)}
        row = {
            "sample": seed,
            "answer": run.summary["metrics"]["test_accuracy"],
            "network alone": run.summary["network"]["test_accuracy"],
            "linear model alone": linear["test_accuracy"],
            **baselines,
            "CPU seconds": seconds,
        }
    print(" ".join(f"{name} {value:.4g}" for name, value in row.items()), run.summary["answer"]["name"], flush=True)
    return row


if __name__ == "__main__":
    help_if_asked(__doc__)
    main()
