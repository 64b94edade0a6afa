"""What every registered data set promises; those that need a download are checked where it is."""

import functools
import os
import re
from pathlib import Path

import numpy as np
import pytest

from gatework import tasks
from gatework.data import REGISTRY
from gatework.data.recordings import Recordings
from gatework.options import DataOptions
from gatework.recipe import find_recipe
from gatework.tasks import load

once = functools.cache(load)
"""A set as its task reads it, which takes a moment: read once for all that is asked of it."""


@pytest.fixture(params=REGISTRY)
def name(request):
    spec = REGISTRY[request.param]
    if not (spec.is_built_in or (Path(os.environ.get("GATEWORK_DATA", "/nowhere")) / request.param).is_dir()):
        pytest.skip(f"GATEWORK_DATA holds no {request.param}")
    return request.param


def rows(split) -> list:
    """Each example as something to compare: its bytes, its text, or the place of its window in a table."""
    if isinstance(split.inputs, np.ndarray):
        return [row.tobytes() for row in split.inputs]
    if isinstance(split.inputs, Recordings):
        return split.inputs.identities()
    return [row.tobytes() for row in split.inputs.index] if hasattr(split.inputs, "index") else list(split.inputs)


def test_a_set_is_what_its_registration_says(name):
    spec, dataset = REGISTRY[name], once(name)
    assert dataset.name == spec.name == name
    assert bool(dataset.classes) == (find_recipe(spec.recipe).task == "classify")
    assert re.fullmatch(r"[0-9a-f]{64}", dataset.provenance.fingerprint)
    assert dataset.provenance.licence
    assert all(note.endswith(".") for note in dataset.provenance.notes)


def test_training_and_validation_share_no_example(name):
    dataset = once(name)
    assert not set(rows(dataset.train)) & set(rows(dataset.validation))
    assert min(len(dataset.train), len(dataset.validation), len(dataset.test)) > 0


def test_a_test_example_that_is_also_a_training_example_is_told(name):
    dataset = once(name)
    shared = set(rows(dataset.test)) & (set(rows(dataset.train)) | set(rows(dataset.validation)))
    assert bool(shared) == any("in the training part" in note for note in dataset.provenance.notes)


def test_a_set_is_the_same_every_time(name):
    first, again = once(name), load(name)
    assert first.provenance == again.provenance
    for part in ("train", "validation", "test"):
        assert rows(getattr(first, part)) == rows(getattr(again, part))
        targets = [getattr(dataset, part).targets for dataset in (first, again)]
        is_text = targets[0].dtype.kind == "O" and isinstance(targets[0][0], str)
        one, two = (values.tolist() if is_text else values.tobytes() for values in targets)
        assert one == two


def test_a_quick_look_has_every_class(name):
    whole = once(name)
    dataset = whole.limited(20)
    for part in ("train", "validation", "test"):
        assert len(getattr(dataset, part)) == min(20, len(getattr(whole, part)))
    if dataset.classes:
        assert all(len(np.unique(part.targets)) == len(dataset.classes) for part in (dataset.train, dataset.test))


def test_a_set_can_be_fitted_by_its_task(name):
    dataset = once(name)
    task = tasks.get(find_recipe(REGISTRY[name].recipe).task).fit(dataset, DataOptions())
    assert len(task.encode(dataset.test)) == len(dataset.test)
