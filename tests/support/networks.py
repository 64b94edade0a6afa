"""Small networks, runs and independent float64 equations for the tests of looking inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gatework import tasks
from gatework._files import write_json, write_tensors
from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.text import Texts
from gatework.recipe import Recipe
from gatework.training.completing import create
from gatework.training.run import Run

WORDS = ("good", "bad", "film", "plot", "actor", "never", "very", "slow", "loved", "it", "!", "don't", "日", "👍")


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def plain_step(cell: str, a: np.ndarray, b: np.ndarray, h: np.ndarray, c: np.ndarray) -> dict[str, np.ndarray]:
    """One step written out by hand; a is W x + b, b is U h + b', both of shape (gates * hidden,)."""
    if cell == "rnn":
        return {"h": np.tanh(a + b)}
    if cell == "rnn_relu":
        return {"h": np.maximum(a + b, 0)}
    if cell == "gru":
        (ar, az, an), (br, bz, bn) = np.split(a, 3), np.split(b, 3)
        r, z = sigmoid(ar + br), sigmoid(az + bz)
        n = np.tanh(an + r * bn)
        return {"r": r, "z": z, "n": n, "h": (1 - z) * n + z * h}
    i, f, g, o = np.split(a + b, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c + i * g
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": o * np.tanh(c)}


def plain_trace(cell: str, state: dict[str, np.ndarray], x: np.ndarray, layers: int, directions: int) -> list:
    """The trace of one sequence, shape (time, input), as [layer][direction] -> name -> (time, units)."""
    found = []
    for layer in range(layers):
        outputs, by_direction = [], []
        for direction in range(directions):
            end = f"_l{layer}" + ("_reverse" if direction else "")
            W, U = state["weight_ih" + end], state["weight_hh" + end]
            b, d = (state.get(name + end, np.zeros(len(W))) for name in ("bias_ih", "bias_hh"))
            R = state.get("weight_hr" + end)
            h, c = np.zeros(U.shape[1]), np.zeros(U.shape[0] // {"lstm": 4, "gru": 3}.get(cell, 1))
            steps: list[dict[str, np.ndarray]] = [{}] * len(x)
            for t in range(len(x))[:: -1 if direction else 1]:
                values = plain_step(cell, W @ x[t] + b, U @ h + d, h, c)
                if R is not None:
                    values["h"] = R @ values["h"]
                h, c = values["h"], values.get("c", c)
                steps[t] = values
            by_direction.append({name: np.array([s[name] for s in steps]) for name in steps[0]})
            outputs.append(by_direction[-1]["h"])
        x = np.concatenate(outputs, axis=1)
        found.append(by_direction)
    return found


def texts(count: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    made = [" ".join(random.choice(WORDS, random.integers(1, 12))) for _ in range(count)]
    return Split(Texts.of(made), np.array([text.count("good") > text.count("bad") for text in made], dtype=np.int64))


def series(count: int, seed: int, variables: int = 1) -> Split:
    values = np.random.default_rng(seed).normal(1.0, 2.0, (count, 12, variables)).astype(np.float32)
    return Split(values, values[:, -1, :1] * 0.5)


def _dataset(kind: str, variables: int) -> Dataset:
    make = texts if kind == "text" else lambda count, seed: series(count, seed, variables)
    provenance = Provenance("made by the test", "none", "0" * 64)
    classes = ("negative", "positive") if kind == "text" else ()
    return Dataset(kind, kind, make(60, 0), make(20, 1), make(20, 2), provenance, classes)


def run(
    folder: Path, kind: str = "text", *, variables: int = 1, seed: int = 0, scale: float = 3.0, **changes: object
) -> Run:
    """A finished run folder with random weights, made large enough that gates open and close."""
    task_name = "classify" if kind == "text" else "regress"
    base = Recipe(task=task_name).changed(hidden=6, embedding=5, scale=kind != "text", seed=seed)
    recipe = base.changed(**changes)
    task = tasks.get(task_name).fit(_dataset(kind, variables), recipe.data)
    made = create(folder, recipe, task, "0" * 64, threads=1)
    torch.manual_seed(seed)
    model = task.model(recipe.model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(3)
            if "norm" in name:
                parameter.uniform_(-2, 2)
        if model.embedding is not None:
            model.embedding.weight.mul_(8)
    write_tensors(folder / "model.safetensors", model.state_dict())
    write_json(folder / "summary.json", {"metrics": {"test_accuracy": 0.5}, "parameters": 1})
    return Run.open(made.path)


def untrained(source: object, recipe: Recipe, folder: Path, louder: float = 3.0) -> Run:
    """A run of any task whose network has weights by chance, so much louder that its gates move."""
    kind = tasks.get(recipe.task)
    dataset = kind.load(source, recipe)
    task = kind.fit(dataset, recipe.data)
    made = create(folder, recipe, task, "0" * 64, 1)
    torch.manual_seed(0)
    model = task.model(recipe.model)
    write_tensors(folder / "model.safetensors", {name: louder * value for name, value in model.state_dict().items()})
    dataset.test.table().write_parquet(folder / "test.parquet")
    write_json(folder / "summary.json", {"metrics": {}, "parameters": 1})
    return Run.open(made.path)
