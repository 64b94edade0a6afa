"""Keeps of a finished comparison what its page in the course is printed from: figures, and no data of others.

`python benchmarks/keep_experiment.py COMPARISON_FOLDER` writes `src/gatework/course/experiments/NAME/`, where NAME is
that of the folder. What answers say of classes is kept to two decimals; weights, vocabularies and examples are not.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import polars as pl
from asking import argument, help_if_asked

import gatework.course.experiments

HOME = Path(gatework.course.experiments.__file__).parent
OF_A_RUN = ("metrics.jsonl", "recipe.toml", "environment.json", "summary.json")
NOT_KEPT = ("encoder",)


def keep_answers(source: Path, target: Path) -> None:
    """Writes a table of answers, its scores as differences from the first one's, which says the same of each class."""
    table = pl.read_parquet(source)
    if "scores" in table.columns:
        scores = table["scores"].to_numpy()
        scores = np.round(scores - scores[:, :1], 2).astype(np.float32)
        table = table.with_columns(pl.Series("scores", scores, dtype=pl.Array(pl.Float32, scores.shape[1])))
    target.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(target, compression="zstd", compression_level=19)


def keep_text(source: Path, target: Path) -> None:
    """Writes a text file; where data lie on this machine is nobody's business."""
    home = os.environ.get("GATEWORK_DATA")
    text = source.read_text(encoding="utf-8")
    target.write_text(text.replace(f"{home}/", "") if home else text, encoding="utf-8")


def keep_run(source: Path, target: Path) -> None:
    """Writes what a report reads of a run."""
    target.mkdir(parents=True)
    for name in OF_A_RUN:
        if (source / name).is_file():
            keep_text(source / name, target / name)
    for file in source.glob("*.parquet"):
        keep_answers(file, target / file.name)
    if (source / "task.json").is_file():
        state = json.loads((source / "task.json").read_text(encoding="utf-8"))
        kept = {key: value for key, value in state.items() if key not in NOT_KEPT}
        (target / "task.json").write_text(json.dumps(kept) + "\n", encoding="utf-8")


def main(folder: Path) -> None:
    """Writes the folder afresh."""
    home = HOME / folder.resolve().name
    shutil.rmtree(home, ignore_errors=True)
    for run in sorted((folder / "runs").iterdir()):
        keep_run(run, home / "runs" / run.name)
    for file in sorted((folder / "baselines").glob("*.parquet")):
        keep_answers(file, home / "baselines" / file.name)
    for name in ("comparison.json", "inside.json"):
        if (folder / name).is_file():
            keep_text(folder / name, home / name)
    print(home, sum(file.stat().st_size for file in home.rglob("*") if file.is_file()), "bytes")


if __name__ == "__main__":
    help_if_asked(__doc__)
    main(Path(argument("the folder of a comparison")))
