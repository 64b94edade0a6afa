"""Film reviews within so many minutes: `python benchmarks/imdb.py --seeds 0 1 2 --minutes 60`.

The network first learns the language of the training reviews and of the 50,000 without labels, for `--share` of the
minutes, then the labels; `--no-pretrain` leaves the unlabelled reviews out, and `--recipe imdb-unlabelled` has a first
network and the linear model label them. Of the training part 10 % validate: they choose the epoch, the temperature and
the weight of the linear model beside the network. The test part is looked at once, in the end. A part of the minutes,
`--rest`, is kept for reading, the linear models and the test; what each stage really took is printed. It needs the
archive of the Large Movie Review Dataset (in the cache, or in `GATEWORK_DATA`).

`--validate` prints the figures of the validation part alone and names none of the test part, for choosing settings.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from runs import settings, take_settings

import gatework
from gatework.training.progress import Lines


def main() -> None:
    """Prints a line per stage of each seed, and the means."""
    given = _arguments()
    rows = [_measured(seed, given) for seed in given.seeds]
    print(pl.DataFrame(rows).select(pl.all().exclude("seed").mean().round(4)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="of each seed, all stages together")
    parser.add_argument(
        "--rest", type=float, default=5.0, help="minutes of them for reading, linear models and the test"
    )
    parser.add_argument("--share", type=float, default=0.75, help="of the others, for the language model")
    parser.add_argument("--pretrain", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--recipe", help="another than these two; --minutes are then those of its trainings")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--validate", action="store_true", help="say nothing of the test part")
    take_settings(parser)
    return parser.parse_args()


def _measured(seed: int, given: argparse.Namespace) -> dict[str, float]:
    """The figures of one seed."""
    changes = settings(given)
    left = given.minutes - given.rest
    if given.pretrain and not given.recipe:
        changes = {"pretrain_minutes": given.share * left, "minutes": (1 - given.share) * left} | changes
    else:
        changes = {"minutes": left} | changes
    started = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run = gatework.train(
            "classify",
            "imdb",
            out=Path(folder) / "run",
            recipe=given.recipe or ("imdb-pretrained" if given.pretrain else "imdb"),
            seed=seed,
            threads=given.threads,
            progress=Lines(),
            **changes,
        )
        row = {"seed": float(seed)} | _stages(run.path, run.summary)
        if not given.validate:
            row |= _of_test(run.summary)
    row |= {
        "minutes": (time.perf_counter() - started[0]) / 60,
        "CPU minutes": (time.process_time() - started[1]) / 60,
    }
    print(", ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)
    return row


def _stages(run: Path, summary: Mapping[str, Any]) -> dict[str, float]:
    """What each training came to, before the test part."""
    row = {}
    language = run / "language-model" / "summary.json"
    if language.exists():
        learnt = json.loads(language.read_text())
        row = {
            "perplexity of a word": learnt["validation_word_perplexity"],
            "pre-training minutes": learnt["seconds"] / 60,
        }
    row["training minutes"] = summary["seconds"] / 60 - row.get("pre-training minutes", 0.0)
    return row | {"epochs": summary["epochs"], "validation accuracy": summary["validation"]["validation_accuracy"]}


def _of_test(summary: Mapping[str, Any]) -> dict[str, float]:
    """The accuracy of the answer, of the network alone, and of the linear model beside it."""
    (linear,) = summary["simple"].values()
    return {
        "answer": summary["metrics"]["test_accuracy"],
        "network alone": summary["network"]["test_accuracy"],
        "linear model alone": linear["test_accuracy"],
    }


if __name__ == "__main__":
    main()
