"""What a notebook shows of a training and of a run."""

import html
import os
import sys
import types

import pandas
import pytest

import gatework
from gatework.errors import UsageError
from gatework.training.notebook import NotebookProgress, is_notebook
from support.datasets import opinions


@pytest.fixture
def notebook(monkeypatch):
    """A kernel's display, as far as a page that is updated in place needs one."""
    shown: list[tuple[str, str]] = []

    class Handle:
        def update(self, content):
            shown.append(("update", content))

    def display(content, display_id):
        shown.append(("new", content))
        return Handle()

    module = types.ModuleType("IPython.display")
    module.HTML, module.display = str, display
    python = types.ModuleType("IPython")
    python.get_ipython = object
    for name, value in (("IPython", python), ("IPython.display", module), ("ipykernel", types.ModuleType("ipykernel"))):
        monkeypatch.setitem(sys.modules, name, value)
    return shown


def test_a_training_is_one_display_that_is_updated(notebook, tmp_path):
    assert is_notebook()
    run = gatework.train("classify", opinions(), out=tmp_path / "run", epochs=2, hidden=3, embedding=3, threads=1)
    assert [kind for kind, _ in notebook].count("new") == 1
    last = notebook[-1][1]
    assert "for training" in last
    assert "embedding" in last
    assert "epoch 2/2" in last
    # What is set out in columns stands in them, and a note's lines end, wherever the notebook is shown.
    assert "<pre style='font-family:monospace;white-space:pre-wrap'>" in last
    bar = last.split("<progress aria-label='run'")[1]
    assert bar.split("max='")[1].split("'")[0] == bar.split("value='")[1].split("'")[0]
    page = run._repr_html_()
    assert "test accuracy" in page
    assert run.task.blend.name in page
    assert "<script" not in page
    scores = run.scores
    page = scores._repr_html_()
    for name in ("test calibration error", *scores.baselines):
        assert html.escape(name) in page
    assert page.count("<td>") == len(scores.metrics) * (1 + len(scores.baselines))


def test_the_bar_of_a_training_of_so_many_minutes_follows_the_clock(notebook):
    def bar():
        content = notebook[-1][1]
        return tuple(float(content.split(f"{name}='")[1].split("'")[0]) for name in ("value", "max")), content

    progress = NotebookProgress()
    progress.limited("run", 60.0, 30.0)
    progress.started("run", 1000, 10, 0)
    (value, most), content = bar()
    assert 30 <= value <= most == 60
    assert "<td>epoch 1</td>" in content
    progress.finished("run")
    (value, most), content = bar()
    assert value == most
    assert "<td>done</td>" in content


def test_a_run_shows_itself_and_answers_in_the_kind_of_frame_it_was_trained_on(tmp_path):
    words = [f"{word} film {k}" for k in range(40) for word in ("good", "bad")]
    frame = pandas.DataFrame({"text": words, "label": ["p", "n"] * 40})
    run = gatework.train(
        "classify", frame, text="text", label="label", out=tmp_path / "run", epochs=1, hidden=3, threads=1, blend=False
    )
    assert repr(run).startswith(f"Run({str(run.path)!r}, classify, lstm, test accuracy ")
    assert type(run.predict(["good"])) is type(frame)
    opened = gatework.Run.open(run.path)
    assert not isinstance(opened.predict(["good"]), type(frame))
    for page in (run.report(), opened.plot(["good", "bad"]), opened.inspect(["good"])):
        assert f"{page}" == os.fspath(page)
        frame_of_page = page._repr_html_()
        assert html.escape("<!doctype html>") in frame_of_page.lower()
        assert "<script" not in frame_of_page
    with pytest.raises(UsageError, match="nothing was given to answer"):
        opened.plot()
    with pytest.raises(UsageError, match="predict --plot draws images"):
        opened.plot(["good"], out="picture.png")
