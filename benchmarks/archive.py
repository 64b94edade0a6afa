"""Series of the public classification archive, beside the nearest series by time warping and random kernels.

    python benchmarks/archive.py FOLDER --out KEPT [--sets JapaneseVowels,Libras] [--seeds 3] [--set hidden=64]

FOLDER holds NAME_TRAIN.ts and NAME_TEST.ts of each data set (https://www.timeseriesclassification.com; gzipped ones
too), in folders of their own or not. Per data set a network is trained for each seed by `train classify` as it stands,
a fifth of the training file held back to choose the epoch; the simple methods learn from the whole file. Prints one
Markdown table of test accuracies, with the published ones where they are known. What is finished is kept in KEPT and
not made again; an interrupted training goes on.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from runs import finished, settings, take_settings

from gatework.data.dataset import Dataset, Split
from gatework.data.inputs import RaggedSeries
from gatework.errors import GateworkError
from gatework.tasks._blend import NETWORK_ALONE
from gatework.tasks.classify.baselines import baselines
from gatework.tasks.classify.metrics import metrics
from gatework.training.fitting import prepare

# Test accuracy: 1-nearest neighbour by dependent time warping (A. Bagnall et al., "The UEA multivariate time series
# classification archive, 2018") and the best of four causal convolutions with a support vector machine, each as J.-Y.
# Franceschi, A. Dieuleveut and M. Jaggi, "Unsupervised scalable representation learning for multivariate time series",
# NeurIPS 2019, give them (results_uea.csv of their repository); none of them chose by the test part.
PUBLISHED = {
    "ArticularyWordRecognition": (0.987, 0.987),
    "BasicMotions": (0.975, 1.0),
    "CharacterTrajectories": (0.989, 0.994),
    "Cricket": (1.0, 0.986),
    "Epilepsy": (0.964, 0.957),
    "EthanolConcentration": (0.323, 0.236),
    "FaceDetection": (0.529, 0.528),
    "FingerMovements": (0.53, 0.54),
    "HandMovementDirection": (0.231, 0.27),
    "Handwriting": (0.286, 0.533),
    "Heartbeat": (0.717, 0.737),
    "JapaneseVowels": (0.949, 0.989),
    "Libras": (0.87, 0.867),
    "LSST": (0.551, 0.558),
    "NATOPS": (0.883, 0.944),
    "PEMS-SF": (0.711, 0.688),
    "PenDigits": (0.977, 0.983),
    "RacketSports": (0.803, 0.862),
    "SelfRegulationSCP1": (0.775, 0.846),
    "SelfRegulationSCP2": (0.539, 0.556),
    "SpokenArabicDigits": (0.963, 0.956),
    "UWaveGestureLibrary": (0.903, 0.884),
}
SIMPLE = (
    "pooled values + logistic regression",
    "1-nearest neighbour by time warping",
    "random kernels + ridge classifier",
)
COLUMNS = ("answer", "network alone", *SIMPLE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", help="the names of some data sets, with commas; all in the folder if absent")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    take_settings(parser)
    options = parser.parse_args()
    pairs = found(options.folder)
    names = options.sets.split(",") if options.sets else sorted(pairs)
    missing = [name for name in names if name not in pairs]
    if missing or not names:
        parser.exit(1, f"{options.folder} holds no {missing[0] if missing else 'X'}_TRAIN.ts with its _TEST.ts\n")
    print(f"| data set | series | {' | '.join(COLUMNS)} | published: nearest | published: convolutions |")
    print("| --- | --- |" + " --- |" * (len(COLUMNS) + 2))
    for name in names:
        try:
            print(line(name, *pairs[name], options), flush=True)
        except GateworkError as error:
            print(f"# {name}: {error}", flush=True)


def found(folder: Path) -> dict[str, tuple[Path, Path]]:
    """The training and test file of each data set under a folder, by its name."""
    train, test = (
        {path.name.partition(end)[0]: path for path in sorted(folder.rglob(f"*{end}.ts*"))}
        for end in ("_TRAIN", "_TEST")
    )
    return {name: (path, test[name]) for name, path in train.items() if name in test}


def line(name: str, train: Path, test: Path, options: argparse.Namespace) -> str:
    """The row of a data set."""
    dataset, chosen = prepare(train, "classify", None, {"test_file": str(test.absolute()), **settings(options)})
    folder = options.out / name
    folder.mkdir(parents=True, exist_ok=True)
    runs = [
        finished(folder / f"seed{seed}", dataset, chosen.changed(seed=seed), options.threads)
        for seed in range(options.seeds)
    ]
    answers = [run.scores.metrics["test_accuracy"] for run in runs]
    alone = [run.scores.baselines.get(NETWORK_ALONE, run.scores.metrics)["test_accuracy"] for run in runs]
    simple = kept(folder / "simple.json", partial(simple_accuracies, dataset))
    cells = [with_spread(answers), with_spread(alone), *(f"{value:.3f}" if value else "-" for value in simple.values())]
    cells += [f"{value:.3f}" for value in PUBLISHED.get(name, ())] or ["-", "-"]
    sizes = f"{len(dataset.train) + len(dataset.validation)} + {len(dataset.test)}"
    return f"| {name} | {sizes} | {' | '.join(cells)} |"


def simple_accuracies(dataset: Dataset) -> dict[str, float | None]:
    """The test accuracy of each simple method after the whole training file; None where one would take too long."""
    whole = replace(dataset, train=joined(dataset.train, dataset.validation))
    by_name = {method.name: metrics(method.answers)["accuracy"] for method in baselines(whole)}
    return {name: by_name.get(name) for name in SIMPLE}


def joined(one: Split, other: Split) -> Split:
    """Two parts as one."""
    series = [part.inputs[k] for part in (one, other) for k in range(len(part))]
    return Split(RaggedSeries.of(series), np.concatenate([one.targets, other.targets]))


def with_spread(accuracies: list[float]) -> str:
    """The mean of several seeds and its standard deviation."""
    return f"{np.mean(accuracies):.3f} ± {np.std(accuracies):.3f}"


def kept(file: Path, make: Callable[[], Any]) -> Any:
    """What a file holds, or is made and written into it."""
    if not file.exists():
        file.write_text(json.dumps(make(), indent=2) + "\n")
    return json.loads(file.read_text())


if __name__ == "__main__":
    main()
