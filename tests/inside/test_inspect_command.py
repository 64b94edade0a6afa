"""`gatework inspect` and `gatework compare memory` as a person runs them."""

import json
import re

import numpy as np
import polars as pl
import pytest

from gatework._files import write_json
from gatework.errors import RunError
from gatework.inside import trace
from gatework.training import train
from support.command_line import gatework
from support.daily_tables import daily
from support.networks import run, texts


def presets(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text())[1])["presets"]


def test_inspect_writes_a_page_beside_the_run_and_says_where(tmp_path):
    made = run(tmp_path / "run")
    code, out, err = gatework("inspect", made.path, "a very good film")
    assert code == 0
    assert re.fullmatch(r"one file of \d+ kB, which opens offline\n", err)
    assert out.strip() == str(made.path / "inspect.html")
    assert presets(made.path / "inspect.html") == [
        {"answer": None, "text": "a very good film", "label": "a very good film"}
    ]


def test_inspect_reads_a_file_of_inputs(tmp_path):
    made = run(tmp_path / "run")
    pl.DataFrame({"text": ["good", "bad film"]}).write_csv(tmp_path / "texts.csv")
    code, _, _ = gatework("inspect", made.path, tmp_path / "texts.csv", "--out", tmp_path / "page.html")
    assert code == 0
    assert [preset["text"] for preset in presets(tmp_path / "page.html")] == ["good", "bad film"]


def test_inspect_takes_a_comparison_and_offers_its_test_part(tmp_path):
    home = tmp_path / "comparison"
    (home / "runs").mkdir(parents=True)
    write_json(home / "plan.json", {})
    for k, cell in enumerate(["lstm", "rnn", "gru"]):
        run(home / "runs" / f"{cell}-seed0", cell=cell, seed=k)
    run(home / "runs" / "rnn-seed1", cell="rnn", seed=7)
    test = texts(40, 5)
    pl.DataFrame({"text": test.inputs.strings, "target": test.targets}).write_parquet(home / "test.parquet")
    code, out, _ = gatework("inspect", home)
    assert code == 0
    page = home / "inspect.html"
    assert out.strip() == str(page)
    assert "Inside rnn, gru and lstm" in page.read_text()
    found = presets(page)
    assert len(found) == 6
    known = dict(zip(test.inputs, test.targets, strict=True))
    assert [preset["answer"] for preset in found] == [
        ("negative", "positive")[known[preset["text"]]] for preset in found
    ]


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (["nowhere"], "nowhere is not there: a run folder", 1),
        (["{run}", ""], "the text is empty; give one with a word", 2),
        (["{run}", "good", "bad"], "one text or file of inputs can be given, and these are 2", 2),
        (["{run}", "{series}"], "runs side by side share one input, and these do not", 2),
        (["{empty}"], "is not a run folder", 1),
    ],
)
def test_inspect_answers_misuse_with_one_sentence(tmp_path, arguments, says, code):
    places = {"run": run(tmp_path / "run").path, "series": run(tmp_path / "series", "series").path}
    places["empty"] = tmp_path / "empty"
    places["empty"].mkdir()
    found, out, err = gatework("inspect", *(a.format(**places) for a in arguments))
    assert (found, out) == (code, "")
    assert says in err
    assert err.startswith("gatework: ")
    assert err.count("\n") == 1


def test_a_run_of_another_task_is_refused_by_the_trace(tmp_path):
    table, small = daily(np.sin(np.arange(90))), {"epochs": 1, "hidden": 2}
    made = train("detect", table, time="day", target="y", out=tmp_path / "run", **small)
    with pytest.raises(RunError, match='was trained for the task "detect"; looking inside needs'):
        trace(made, [1.0, 2.0])


def test_compare_memory_refuses_options_that_it_does_not_take(tmp_path):
    code, _, err = gatework("compare", "memory", "--out", tmp_path / "memory", "--epochs", 3, "--hidden", 4)
    assert code == 2
    assert "compare memory takes --cells, --seeds, --jobs and --quick; leave out --hidden, --epochs" in err
    code, _, err = gatework("compare", "memory", "--out", tmp_path / "memory", "--cells", "lstn")
    assert (code, 'no cell "lstn"' in err) == (2, True)
    code, _, err = gatework("compare", "waves", "--out", tmp_path / "waves", "--quick")
    assert (code, "--quick is for gatework compare memory" in err) == (2, True)
    assert not (tmp_path / "memory").exists()
    assert not (tmp_path / "waves").exists()
