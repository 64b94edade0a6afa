"""A comparison's folder holds one plan, and nothing else is touched."""

from __future__ import annotations

import pytest

from gatework.errors import RunError, UsageError
from gatework.evaluation.plans import check_cells_and_seeds, claim

PLAN = {"cells": ["rnn", "lstm"], "seeds": 3}


@pytest.mark.parametrize(
    ("cells", "seeds", "message"),
    [
        ((), 3, "must be named, each once"),
        (("lstm", "lstm"), 3, "must be named, each once"),
        (("lstm", "ltsm"), 3, 'there is no cell "ltsm"'),
        (("lstm",), 0, "seeds is 0, expected 1 or more"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(cells, seeds, message):
    with pytest.raises(UsageError, match=message):
        check_cells_and_seeds(cells, seeds)


def test_a_folder_is_made_once_and_then_taken_again_by_the_same_plan(tmp_path):
    folder = tmp_path / "a" / "b"
    claim(folder, PLAN)
    written = (folder / "plan.json").read_bytes()
    (folder / "kept").touch()
    claim(folder, PLAN)
    assert (folder / "plan.json").read_bytes() == written
    assert (folder / "kept").exists()


def test_another_plan_is_refused_by_what_differs(tmp_path):
    claim(tmp_path / "out", PLAN)
    with pytest.raises(RunError, match="its seeds differ"):
        claim(tmp_path / "out", PLAN | {"seeds": 4})
    # Something that the earlier plan did not name is another plan, too.
    with pytest.raises(RunError, match="its samples differ"):
        claim(tmp_path / "out", PLAN | {"samples": 100})


def test_what_holds_something_else_is_left_alone(tmp_path):
    file = tmp_path / "thesis.tex"
    file.write_text("words")
    for path in (tmp_path, file):
        with pytest.raises(RunError, match="holds something else"):
            claim(path, PLAN)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
