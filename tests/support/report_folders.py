"""Comparison folders as `gatework compare` writes them, with made-up networks: the figures agree with the outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn import metrics as measures

SEEDS = (0, 1, 2)
HOSTILE = (
    "<script>window.hacked = true</script><img src=x onerror='window.hacked = true'>",
    "</script><script>window.hacked = true</script> {{ 7 * 7 }} {% raw %} & &amp; \" ' ` \\u003c",
    "\u202eright to left override, then \u05e2\u05d1\u05e8\u05d9\u05ea and \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "a" * 100_000,
    "long words and many of them " * 4_000,
    "",
    "\U0001f600 \U0001f469\u200d\U0001f469\u200d\U0001f467 emoji \u0000 null, \u001b[31m escape\nand\ta line\r\nbreak",
)
_TRICK = "</script><script>window.hacked = true</script>"
VOCABULARY = """film quiet heart honest small story patience wit dull loud twice long thin warm script cast plain sight
finds keeps told with and the a it is not but as than more less every scene never"""


def write_comparison(
    folder: Path,
    task: str = "regress",
    cells: tuple[str, ...] = ("rnn", "gru", "lstm"),
    classes: tuple[str, ...] = ("negative", "positive"),
    hostile: bool = False,
    epochs: int = 20,
    examples: int = 240,
) -> Path:
    """A complete comparison of these cells with three seeds each and the baselines of the task."""
    draw = np.random.default_rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    test, targets = (_waves if task == "regress" else _texts)(draw, examples, len(classes), hostile)
    test.write_parquet(folder / "test.parquet")
    measure = _regression_metrics if task == "regress" else _classification_metrics
    predict = _values if task == "regress" else _logits
    trick = _TRICK if hostile else ""
    named = tuple(name + trick for name in classes)
    entries = [
        _network(folder, draw, cell, k, targets, predict, measure, epochs, task, named) for k, cell in enumerate(cells)
    ]
    (folder / "baselines").mkdir(exist_ok=True)
    baselines = _value_baselines(test) if task == "regress" else _class_baselines(draw, targets, len(classes))
    for name, about, outputs in baselines:
        slug = name.replace(" ", "-")
        answers_table(task, outputs, targets).write_parquet(folder / "baselines" / f"{slug}.parquet")
        entries.append(
            {
                "name": name,
                "kind": "baseline",
                "about": about,
                "parameters": 0 if "last" in name or "majority" in name else 101,
                "answers": f"baselines/{slug}.parquet",
                "metrics": _summarise([measure(outputs, targets)]),
            }
        )
    write_json(folder / "comparison.json", _description(task, classes, entries, epochs, hostile))
    return folder


def write_json(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values, indent=1), encoding="utf-8")


def _description(task: str, classes: tuple[str, ...], entries: list[Any], epochs: int, hostile: bool) -> dict[str, Any]:
    trick = _TRICK if hostile else ""
    metric = "test_mse" if task == "regress" else "test_accuracy"
    return {
        "dataset": ("waves" if task == "regress" else "sentence-polarity") + trick,
        "task": task,
        "title": "RNN, GRU and LSTM on " + ("waves" if task == "regress" else "sentence-polarity") + trick,
        "metric": metric,
        "lower_is_better": task == "regress",
        "entries": entries,
        "headline": "Use lstm: its error is the smallest on every seed.",
        "verdict": "Use lstm: its error is the smallest on every seed. It is well ahead of the best baseline, "
        "linear autoregression. It costs about twice the time per step of rnn." + trick,
        "classes": [c + trick for c in classes] if task == "classify" else [],
        "seeds": list(SEEDS),
        "epochs": epochs,
        "created": "2026-03-14T15:09:26+00:00",
        "environment": {"gatework": "0.1.0", "torch": "2.13.0", "python": "3.11.2", "cpu": "made up", "threads": 2},
        "provenance": {
            "source": "https://example.org/data" + trick,
            "licence": "CC BY 4.0",
            "fingerprint": "0123456789abcdef" * 4,
            "notes": ["3 of 10,662 rows were empty and were dropped."],
        },
        "splits": {"train": 7000, "validation": 2000, "test": 1000},
        "recipe": {
            "task": task,
            "data": {"dataset": "waves"},
            "model": {"layers": 2, "hidden": 20},
            "training": {"epochs": epochs, "batch_size": 32, "learning_rate": 0.001},
        },
        "command": f"gatework compare waves --cells rnn,gru,lstm --seeds 3 --epochs {epochs} --out demo" + trick,
    }


def _network(
    folder: Path,
    draw: np.random.Generator,
    cell: str,
    quality: int,
    targets: np.ndarray,
    predict: Callable[..., np.ndarray],
    measure: Callable[..., Mapping[str, float]],
    epochs: int,
    task: str,
    classes: tuple[str, ...],
) -> dict[str, Any]:
    results = []
    for seed in SEEDS:
        run = folder / "runs" / f"{cell}-seed{seed}"
        outputs = predict(draw, targets, quality)
        results.append({**measure(outputs, targets)})
        write_run(
            run, draw, results[-1], answers_table(task, outputs, targets), quality, seed, epochs, cell, task, classes
        )
    return {
        "name": cell,
        "kind": "network",
        "cell": cell,
        "hidden": 20,
        "parameters": (1321, 3921, 5121)[quality % 3],
        "seconds_per_epoch": 1.1 + 0.7 * quality,
        "ms_per_step": 2.1 + 1.3 * quality,
        "metrics": _summarise(results),
        "runs": [f"runs/{cell}-seed{seed}" for seed in SEEDS],
    }


def write_run(
    run: Path,
    draw: np.random.Generator,
    result: Mapping[str, float],
    answers: pl.DataFrame,
    quality: int,
    seed: int,
    epochs: int,
    cell: str = "lstm",
    task: str = "regress",
    classes: tuple[str, ...] = (),
) -> Path:
    """A run folder of one network."""
    run.mkdir(parents=True, exist_ok=True)
    lines, floor = [], 0.0030 - 0.0005 * quality
    for epoch in range(1, epochs + 1):
        train = (0.09 * np.exp(-epoch / (1.5 + 0.3 * quality)) + floor) * draw.lognormal(0, 0.05)
        lines.append(
            {
                "epoch": epoch,
                "train_loss": train,
                "validation_loss": train * draw.lognormal(0.08, 0.06),
                "seconds": 1.1 + 0.7 * quality,
                "learning_rate": 1e-3,
                "gradient_norm": 0.4 / epoch,
            }
        )
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    best = min(lines, key=lambda line: line["validation_loss"])["epoch"]
    summary = {
        "metrics": {f"test_{name}": value for name, value in result.items()},
        "parameters": 5121,
        "seconds": 30.0,
        "steps_per_second": 250.0,
        "ms_per_step": 4.0,
        "epochs": epochs,
        "best_epoch": best,
    }
    write_json(run / "summary.json", summary)
    write_json(run / "task.json", {"classes": list(classes)})
    write_json(run / "environment.json", {"torch": "2.13.0", "seed": seed, "machine": "made up"})
    answers.write_parquet(run / "answers.parquet")
    recipe = f'task = "{task}"\n[data]\ndataset = "waves"\n[model]\ncell = "{cell}"\n[training]\nepochs = {epochs}\n'
    (run / "recipe.toml").write_text(recipe + f"seed = {seed}\n", encoding="utf-8")
    return run


def answers_table(task: str, outputs: np.ndarray, targets: np.ndarray) -> pl.DataFrame:
    """Answers as a task of one value, or of classes, writes them."""
    if task == "regress":
        return pl.DataFrame({"target": targets, "value": outputs.astype(np.float64)})
    return pl.DataFrame({"target": targets[:, 0].astype(np.int64), "scores": outputs.astype(np.float32)})


def _summarise(results: list[Any]) -> dict[str, Any]:
    columns = {name: [float(r[name]) for r in results] for name in results[0]}
    return {
        f"test_{name}": {"mean": float(np.mean(v)), "std": float(np.std(v, ddof=1)) if len(v) > 1 else 0.0, "values": v}
        for name, v in columns.items()
    }


def _waves(draw: np.random.Generator, examples: int, _classes: int, _hostile: bool) -> tuple[pl.DataFrame, np.ndarray]:
    time = np.linspace(0, 1, 101)
    o1, o2, f1, f2, p = draw.random((5, examples, 1))
    series = 0.5 * np.sin((time - o1) * (10 * f1 + 10)) + 0.2 * np.sin((time - o2) * (20 * f2 + 20))
    series = series + 0.1 * np.sin(2 * np.pi * p * time) + 0.1 * (draw.random(series.shape) - 0.5)
    series = series.astype(np.float32)
    frame = pl.DataFrame({"input": series[:, :-1].tolist(), "target": series[:, -1:].tolist()})
    return frame, series[:, -1:].astype(float)


def _texts(draw: np.random.Generator, examples: int, classes: int, hostile: bool) -> tuple[pl.DataFrame, np.ndarray]:
    texts = [" ".join(draw.choice(VOCABULARY.split(), size=draw.integers(6, 90))) for _ in range(examples)]
    if hostile:
        texts[: len(HOSTILE)] = HOSTILE
    targets = draw.integers(0, classes, examples)
    targets[:classes] = np.arange(classes)
    return pl.DataFrame({"text": texts, "target": targets}), np.stack([targets, np.full(examples, classes)], axis=1)


def _values(draw: np.random.Generator, targets: np.ndarray, quality: int) -> np.ndarray:
    return targets + draw.normal(0, 0.055 - 0.005 * quality, targets.shape)


def _logits(draw: np.random.Generator, targets: np.ndarray, quality: int) -> np.ndarray:
    index, classes = targets[:, 0], int(targets[0, 1])
    logits = draw.normal(0, 1.2, (len(index), classes))
    logits[np.arange(len(index)), index] += 1.2 + 0.3 * quality
    logits[:7] -= 8 * np.eye(classes)[index[:7]]
    return logits


def _value_baselines(test: pl.DataFrame) -> list[tuple[str, str, np.ndarray]]:
    inputs, targets = np.array(test["input"].to_list()), np.array(test["target"].to_list())
    lags = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)[:, -20:]
    weights = np.linalg.lstsq(lags, targets, rcond=None)[0]
    return [
        ("last value", "Predicts the last value of the input.", inputs[:, -1:]),
        ("mean", "Predicts the mean of the training targets.", np.full_like(targets, targets.mean())),
        ("linear autoregression", "A ridge regression on the input's values.", lags @ weights),
    ]


def _class_baselines(draw: np.random.Generator, targets: np.ndarray, classes: int) -> list[tuple[str, str, np.ndarray]]:
    shares = np.bincount(targets[:, 0], minlength=classes) / len(targets)
    majority = np.log(np.tile(shares, (len(targets), 1)))
    return [
        ("majority class", "Always answers the most frequent class of the training part.", majority),
        ("TF-IDF unigrams", "Logistic regression on TF-IDF of single words.", _logits(draw, targets, 1)),
    ]


def _regression_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    return {"mse": float(np.mean((outputs - targets) ** 2)), "mae": float(np.mean(np.abs(outputs - targets)))}


def _classification_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    truth = targets[:, 0]
    answer = outputs.argmax(axis=1)
    found = {
        "accuracy": float(measures.accuracy_score(truth, answer)),
        "macro_f1": float(measures.f1_score(truth, answer, average="macro")),
    }
    if outputs.shape[1] == 2:
        found["roc_auc"] = float(measures.roc_auc_score(truth, outputs[:, 1] - outputs[:, 0]))
    return found
