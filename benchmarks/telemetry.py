"""The detector on spacecraft telemetry in the layout of telemanom's data, beside the simple ones.

    python benchmarks/telemetry.py FOLDER --keep KEPT [--seeds 3] [--threshold combined,dynamic]

FOLDER holds `train/`, `test/` and `labeled_anomalies.csv`. A channel's network learns from its train part alone and
judges the test part; a labelled span is found if any flagged span has a row in common with it (Hundman et al. 2018).
Prints one Markdown table of all channels and one per spacecraft. What is done is kept, and a repeated call goes on.
"""

import argparse
import itertools
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from gatework.bench.telemetry import Channel, channels
from gatework.tasks.detect.detector import LIMIT, Detector
from gatework.tasks.detect.evaluation import simple_scores
from gatework.tasks.detect.metrics import false_alarms, labelled_spans, pooled_metrics
from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.spans import Span, spans
from gatework.training import train

COLUMNS = ("span_f1", "span_precision", "span_recall", "delay")
Judged = tuple[np.ndarray, list[Span], list[Span]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=Path, required=True, help="keep each channel's scores here")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threshold", default="combined", help="one rule or several: combined,dynamic")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--hidden", type=int, default=32)
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    judged: dict[str, dict[str, list[Judged]]] = {}
    for channel in channels(options.folder):
        labelled = labelled_spans(channel.labels)
        for threshold, seed in itertools.product(options.threshold.split(","), range(options.seeds)):
            for name, score in kept(options, channel, threshold, seed).items():
                if name == "network" or seed == 0:
                    # Simple detectors do not depend on the seed.
                    title = f"{name}, {threshold}" + (f", seed {seed}" if name == "network" else "")
                    flagged = spans(np.nan_to_num(score) > LIMIT, score, DetectOptions().gap)
                    of_method = judged.setdefault(title, {}).setdefault(channel.spacecraft, [])
                    of_method.append((score, flagged, labelled))
        print(f"# {channel.name}", flush=True)
    crafts = sorted({craft for of_method in judged.values() for craft in of_method})
    for craft in [None, *crafts] if len(crafts) > 1 else [None]:
        show(craft, judged)


def kept(options: argparse.Namespace, channel: Channel, threshold: str, seed: int) -> dict[str, np.ndarray]:
    """The scores of the test rows by every method, answered now or in an earlier call."""
    file = options.keep / f"{channel.name}-{threshold}-{seed}-{options.epochs}-{options.hidden}.npz"
    if not file.exists():
        np.savez(file, **answered(channel, threshold, seed, options.epochs, options.hidden))
    with np.load(file) as content:
        return {name: content[name] for name in content.files}


def answered(channel: Channel, threshold: str, seed: int, epochs: int, hidden: int) -> dict[str, np.ndarray]:
    """The scores of the test rows by the network and by the simple detectors."""
    rows, first = channel.rows(), len(channel.train)
    frame = pl.DataFrame({"time": pl.Series(rows.stamps).cast(pl.Datetime("us")), "value": rows.values[:, 0]})
    with tempfile.TemporaryDirectory() as folder:
        run = train(
            "detect",
            frame.head(first),
            out=Path(folder) / "run",
            time="time",
            target="value",
            threshold=threshold,
            seed=seed,
            epochs=epochs,
            hidden=hidden,
            validation=0.25,
            test=0.05,
            threads=1,
        )
        detector = Detector.of(run)
    simple = simple_scores(rows, detector.task.extents.of(""), detector.task.settings)
    return {"network": detector.answers(rows).scores[first:], **{name: score[first:] for name, score in simple.items()}}


def show(craft: str | None, judged: dict[str, dict[str, list[Judged]]]) -> None:
    """One table: of a spacecraft, or of all channels."""
    print(f"\n{craft or 'all channels'}\n| detector | span F1 | precision | recall | delay | false per 10,000 rows |")
    print("| --- | --- | --- | --- | --- | --- |")
    for method, by_craft in judged.items():
        triples = [one for name, of in by_craft.items() for one in of if craft in (None, name)]
        metrics = pooled_metrics(triples)
        false = 1e4 * false_alarms(triples) / sum(len(scores) for scores, _, _ in triples)
        figures = [f"{metrics[name]:.3f}" if name != "delay" else f"{metrics[name]:.0f}" for name in COLUMNS]
        print(f"| {method} | {' | '.join(figures)} | {false:.1f} |", flush=True)


if __name__ == "__main__":
    main()
