"""Examples that a network was made from are known again when it is measured on them."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gatework import training
from gatework.data.inputs import SeriesInputs
from gatework.data.learnt import MOST, LearntExamples
from gatework.data.text import Texts
from gatework.errors import RunError
from gatework.recipe import Recipe
from gatework.training.run import LEARNT_FILE, Run


def texts(first: int, end: int) -> Texts:
    return Texts(pl.Series([f"text {k}" for k in range(first, end)]))


def counts(note: str) -> list[int]:
    return [int(figure.replace(",", "")) for figure in re.findall(r"\d[\d,]*", note)]


def test_what_was_learnt_is_counted_over_parts_and_new_examples_are_not() -> None:
    learnt = LearntExamples.of([texts(0, 50), texts(50, 60)])
    recount = LearntExamples.from_table(learnt.table()).recount()
    recount.add(texts(40, 70))
    recount.add(texts(0, 5))
    assert counts(recount.notes[0]) == [25, 35]
    new = learnt.recount()
    new.add(texts(60, 200))
    assert new.notes == ()
    assert learnt.recount().notes == ()


def test_texts_that_were_learnt_from_without_labels_are_counted_apart() -> None:
    learnt = LearntExamples.of([texts(0, 50)], [texts(40, 80)])
    recount = LearntExamples.from_table(learnt.table()).recount()
    recount.add(texts(30, 100))
    labelled, unlabelled = recount.notes
    assert counts(labelled) == [20, 70]
    assert counts(unlabelled) == [30, 70]
    assert "among the texts without labels that it learnt from" in unlabelled


def test_of_many_examples_a_sample_tells_the_share() -> None:
    learnt = LearntExamples.of([texts(0, 4 * MOST)])
    assert len(learnt.hashes) == MOST
    recount = learnt.recount()
    recount.add(texts(3 * MOST, 5 * MOST))
    said, asked = counts(recount.notes[0])
    # A quarter of them is looked at, and half were learnt from: a binomial share, and five of its deviations.
    assert asked == 2 * MOST
    assert abs(said / asked - 0.5) < 5 * 0.5 / np.sqrt(MOST / 2)
    assert recount.notes[0].startswith("About ")
    new = learnt.recount()
    new.add(texts(4 * MOST, 6 * MOST))
    assert new.notes == ()


def test_series_are_known_by_their_numbers() -> None:
    values = np.random.default_rng(0).normal(size=(20, 7, 2)).astype(np.float32)
    recount = LearntExamples.of([SeriesInputs.of(values[:15])]).recount()
    recount.add(SeriesInputs.of(values))
    assert counts(recount.notes[0]) == [15, 20]


def test_a_run_says_that_it_is_measured_on_what_it_learnt(tmp_path: Path) -> None:
    words = ["good", "fine", "bad", "poor"]
    rows = [{"text": f"{words[k % 4]} film number {k}", "label": "pn"[k % 4 // 2]} for k in range(80)]
    frame = pl.DataFrame(rows)
    recipe = Recipe(task="classify").changed(hidden=4, embedding=4, epochs=1, text="text", label="label", blend=False)
    run = training.train("classify", frame, out=tmp_path / "run", recipe=recipe, threads=1)
    opened = Run.open(run.path)
    learnt = sum(run.summary["splits"][part] for part in ("train", "validation"))
    (note,) = opened.evaluate(frame).notes
    assert counts(note) == [learnt, 80]
    assert opened.evaluate(frame.with_columns(text="a new " + pl.col("text"))).notes == ()
    frame.write_csv(tmp_path / "rows.csv")
    assert counts(opened.predictor.measure_parts(tmp_path / "rows.csv").scores.notes[0]) == [learnt, 80]
    pl.DataFrame({"hash": ["x"]}).write_parquet(run.path / LEARNT_FILE)
    with pytest.raises(RunError, match=r"hashes\.parquet is corrupt"):
        Run.open(run.path).evaluate(frame)
