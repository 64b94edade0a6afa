"""The drawing of CTC's paths: its sums are those of all paths, and of torch's loss."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch

from gatework.course import AlignmentDrawing
from gatework.errors import UsageError

SYMBOLS = ["-", "a", "b<"]


@pytest.mark.parametrize("text", [["a"], ["a", "b<"], ["a", "a"], ["a", "b<", "b<"]], ids="".join)
def test_its_sum_is_that_of_all_paths_and_torchs(text):
    likely = np.random.default_rng(0).dirichlet([1.0, 1.0, 1.0], size=5)
    drawing = AlignmentDrawing(likely, SYMBOLS, text)
    wanted = [SYMBOLS.index(symbol) for symbol in text]
    total = 0.0
    for path in itertools.product(range(3), repeat=5):
        if [k for k, _ in itertools.groupby(path) if k] == wanted:
            total += float(np.prod([likely[t, k] for t, k in enumerate(path)]))
    loss = torch.nn.functional.ctc_loss(
        torch.tensor(likely).log()[:, None], torch.tensor([wanted]), [5], [len(wanted)], reduction="sum"
    )
    assert drawing.total == pytest.approx(total, rel=1e-12)
    assert -np.log(drawing.total) == pytest.approx(float(loss), rel=1e-9)
    # At every step a path is somewhere.
    np.testing.assert_allclose(drawing.shares().sum(axis=1), 1, rtol=1e-12)


def test_a_place_that_no_path_passes_is_not_drawn_and_names_are_escaped():
    page = AlignmentDrawing(np.full((3, 3), 1 / 3), SYMBOLS, ["a", "b<"])._repr_html_()
    assert "b&lt;" in page
    assert "b<" not in page
    # Of 5 rows and 3 steps: the first and last step have two places each, the middle one all but the outer blanks.
    assert page.count("<circle") == 2 + 3 + 2
    assert len(re.findall(r'aria-label="[^"]+"', page)) == 1


def test_what_cannot_be_written_is_one_sentence():
    with pytest.raises(UsageError, match='"c" is none of the symbols a, b<'):
        AlignmentDrawing(np.full((2, 3), 1 / 3), SYMBOLS, ["c"])
    with pytest.raises(UsageError, match="2 steps are too few to write aa"):
        AlignmentDrawing(np.full((2, 3), 1 / 3), SYMBOLS, ["a", "a"])
