"""Runs of one's own side by side: finished runs that were tested on the same examples, as a comparison folder."""

from __future__ import annotations

import datetime
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gatework._files import write_json
from gatework.cells import get as get_cell
from gatework.errors import RunError, UsageError
from gatework.evaluation.comparison import blend_entry, blend_remark, judgement, network_entry, samples_of
from gatework.evaluation.plans import claim
from gatework.evaluation.verdict import verdict
from gatework.formatting import listed
from gatework.training.run import Run, read_table, test_part_of, write_table

_NO_PART = ("checkpoint", "earlier", "further", "tensorboard", "*.html")
"""What of a run its comparison with others does not read."""
_SEED = re.compile(r"[-_ .]?(seed)?[-_ .]?\d+$")


def gather(paths: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str], command: str = "") -> Path:
    """Makes a comparison folder of finished runs, which are copied into it; nothing is trained.

    Runs of one recipe that differ in nothing but their seed are one entry.

    Args:
        paths: The run folders.
        out: The folder to make, or one that was made of the same runs.
        command: The command line that repeats it, for the report.

    Returns:
        `out`, of which `gatework.reports.report` writes the page.

    Raises:
        UsageError: There are not two runs at least, or they are of several tasks.
        RunError: A run is not finished, or was tested on other examples than the first.
    """
    out, homes = Path(out), [Path(path) for path in paths]
    if len({home.resolve() for home in homes}) < max(len(homes), 2):
        raise UsageError("give two runs or more, each once, to see them side by side")
    runs = [Run.open(home) for home in homes]
    examples = _shared_examples(runs)
    claim(out, {"runs": [str(home.resolve()) for home in homes]})
    names = _names(homes)
    for home, name in zip(homes, names, strict=True):
        copy = out / "runs" / name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns(*_NO_PART))
    write_table(out / "test.parquet", examples)
    write_json(out / "comparison.json", _content(out, runs, names, command))
    return out


def _shared_examples(runs: Sequence[Run]) -> Any:
    """The examples that all were tested on."""
    first = runs[0]
    examples = _test_part(first)
    for run in runs:
        _ = run.summary  # a run that is not finished says so
        if run.recipe.task != first.recipe.task:
            raise UsageError(
                f"{first.path} has the task {first.recipe.task} and {run.path} {run.recipe.task}: only runs of one "
                "task stand side by side"
            )
        if not _test_part(run).equals(examples):
            raise RunError(
                f"{first.path} and {run.path} were tested on other examples, so that their figures do not compare; "
                "train them on the same data with the same --split-seed, or with one --test-file"
            )
    return examples


def _test_part(run: Run) -> Any:
    file = test_part_of(run.path)
    if file is None:
        raise RunError(f"{run.path} does not keep its test part; train it anew to see it beside others")
    return read_table(file)


def _names(homes: Sequence[Path]) -> list[str]:
    """A name for each run: that of its folder, with as many folders above it as tell it from the others."""
    parts = [home.resolve().parts for home in homes]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["-".join(each[-depth:]).replace(os.sep, "") for each in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{number}-{each[-1]}" for number, each in enumerate(parts, 1)]


def _content(out: Path, runs: Sequence[Run], names: Sequence[str], command: str) -> dict[str, Any]:
    first, task = runs[0], runs[0].task
    groups = _by_recipe(runs, names)
    networks = [
        network_entry(out, [out / "runs" / name for name in group], title, get_cell(first_of.recipe.model.cell))
        for title, (first_of, group) in groups.items()
    ]
    blends = [blend for entry in networks if (blend := blend_entry(out, entry)) is not None]
    entries = [*networks, *blends]
    metric, recipes = f"test_{task.metric}", {title: run.recipe.to_dict() for title, (run, _) in groups.items()}
    shared = _shared(list(recipes.values()))
    remark = _differences(recipes, shared)
    if blends:
        remark = f"{remark} {blend_remark(blends, metric, task)}"
    judged = verdict(entries, metric, task.lower_is_better, None, remark, samples_of(out, task, networks))
    environment = first.environment
    same_data = {run.environment.get("data") for run in runs}
    return {
        "dataset": Path(first.recipe.data.dataset).name or "data of your own",
        "title": f"{listed(list(groups))}, side by side",
        **judgement(task, entries, judged),
        "absent": [],
        "classes": list(getattr(task, "classes", ())),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "environment": {k: v for k, v in environment.items() if k not in ("seed", "notes")},
        "provenance": {
            "fingerprint": environment.get("data", "") if len(same_data) == 1 else "",
            "notes": list(environment.get("notes") or ()),
        },
        "splits": first.summary.get("splits", {}),
        "recipe": {"task": task.name, **shared},
        "command": command,
    }


def _by_recipe(runs: Sequence[Run], names: Sequence[str]) -> dict[str, tuple[Run, list[str]]]:
    """For each recipe a title, its first run, and the names of its runs, one per seed."""
    groups: list[tuple[Any, Run, list[str]]] = []
    for run, name in zip(runs, names, strict=True):
        recipe = run.recipe.changed(seed=0).to_dict()
        seeds = [each for known, _, each in groups if known == recipe]
        is_new_seed = seeds and run.recipe.training.seed not in {
            runs[names.index(other)].recipe.training.seed for other in seeds[0]
        }
        if is_new_seed:
            seeds[0].append(name)
        else:
            groups.append((recipe, run, [name]))
    titles = [_SEED.sub("", group[0]) if len(group) > 1 else group[0] for _, _, group in groups]
    unique = [t if t and titles.count(t) == 1 else group[0] for t, (_, _, group) in zip(titles, groups, strict=True)]
    return {title: (run, group) for title, (_, run, group) in zip(unique, groups, strict=True)}


def _flat(recipe: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    sections = {name: part for name, part in recipe.items() if isinstance(part, Mapping)}
    return {(name, key): value for name, part in sections.items() for key, value in part.items()}


def _shared(recipes: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What all recipes say alike, by section."""
    first, *others = map(_flat, recipes)
    shared: dict[str, dict[str, Any]] = {}
    for (section, key), value in first.items():
        if all((section, key) in other and other[section, key] == value for other in others):
            shared.setdefault(section, {})[key] = value
    return shared


def _differences(recipes: Mapping[str, Mapping[str, Any]], shared: Mapping[str, Mapping[str, Any]]) -> str:
    """What each recipe says otherwise than the others, in a sentence."""
    said = []
    for title, recipe in recipes.items():
        differences = [
            f"{key.replace('_', ' ')} {_in_words(value)}"
            for (section, key), value in _flat(recipe).items()
            if key not in shared.get(section, {}) and key not in ("seed", "dataset")
        ]
        if differences:
            said.append(f"{title} has {', '.join(differences)}")
    return f"What differs: {'; '.join(said)}." if said else "They differ in nothing that a recipe says but their seed."


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
