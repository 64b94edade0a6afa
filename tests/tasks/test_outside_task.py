"""A task with ragged outputs, registered from outside, through everything that the workbench does with a task."""

import json
import signal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import support
from support.command_line import run_forked
from support.forked import COMMAND, Forked
from support.killed import killed_at

# It is not imported here: the other tests ask every registered task.
PLUGIN = ("--plugin", Path(support.__file__).with_name("spelling.py"))
SETTINGS = ("--hidden", 8, "--embedding", 8, "--epochs", 6, "--batch-size", 16, "--learning-rate", 0.02, "--threads", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("spelling")
    random = np.random.default_rng(0)
    numbers = ["".join(map(str, random.integers(0, 10, size=random.integers(1, 9)))) for _ in range(300)]
    (folder / "numbers.csv").write_text("number\n" + "\n".join(numbers) + "\n")
    done = run_forked(*PLUGIN, "train", "spell", "numbers.csv", "--out", "run", *SETTINGS, "-q", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_it_learns_and_keeps_ragged_answers(folder):
    answers = pl.read_parquet(folder / "run" / "answers.parquet")
    assert answers["actual"].list.len().n_unique() > 3
    assert (answers["actual"].list.len() == answers["said"].list.len()).all()
    summary = json.loads((folder / "run" / "summary.json").read_text())
    assert summary["metrics"]["test_exact"] > 0.9
    exact = [actual == said for actual, said in answers.select("actual", "said").iter_rows()]
    assert summary["metrics"]["test_exact"] == np.mean(exact)


def test_a_killed_training_goes_on_to_the_same_weights(folder):
    words = (*PLUGIN, "train", "spell", "numbers.csv", "--out", "killed", *SETTINGS, "--checkpoint-seconds", 0, "-q")
    kill = killed_at(3, folder / "killed" / "checkpoint", "state.safetensors")
    process = Forked(*words, cwd=folder, code=kill + COMMAND)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    done = run_forked(*PLUGIN, "train", "--resume", "killed", "-q", cwd=folder)
    assert done.returncode == 0, done.stderr
    for name in ("model.safetensors", "answers.parquet"):
        assert (folder / "killed" / name).read_bytes() == (folder / "run" / name).read_bytes()


def test_it_has_no_live_page_and_says_so(folder):
    done = run_forked(*PLUGIN, "inspect", "run", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert 'was trained for the task "spell"; the live page is for runs that read single texts or' in done.stderr
    assert not (folder / "run" / "inspect.html").exists()


def test_it_is_evaluated_and_predicts_and_streams(folder):
    done = run_forked(*PLUGIN, "evaluate", "run", "numbers.csv", "--json", cwd=folder)
    assert json.loads(done.stdout)["exact"] > 0.9
    said = run_forked(*PLUGIN, "predict", "run", "--json", cwd=folder, stdin="407\n9\n")
    assert json.loads(said.stdout) == [
        {"number": "407", "words": "four zero seven"},
        {"number": "9", "words": "nine"},
    ]
    wrong = run_forked(*PLUGIN, "predict", "run", "4o7", cwd=folder)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == 'gatework: "4o7" is no number, digits were expected\n'
    lines = run_forked(*PLUGIN, "predict", "run", "--stream", cwd=folder, stdin="digit\n4\n0\n7\n")
    assert [json.loads(line)["words"] for line in lines.stdout.splitlines()] == ["four", "four zero", "four zero seven"]


def test_it_is_compared_with_its_baseline_and_reported(folder):
    words = ("compare", "numbers.csv", "--task", "spell", "--cells", "rnn,lstm", "--seeds", 1, "--jobs", 1)
    done = run_forked(*PLUGIN, *words, *SETTINGS[:-2], "--out", "compared", "-q", cwd=folder)
    assert done.returncode == 0, done.stderr
    content = json.loads((folder / "compared" / "comparison.json").read_text())
    assert {entry["name"] for entry in content["entries"]} == {"rnn", "lstm", "most frequent word"}
    assert content["metric"] == "test_exact"
    page = (folder / "compared" / "report.html").read_text()
    assert "share spelt right" in page
    assert "most frequent word" in page


def test_without_the_plugin_the_run_is_one_sentence(folder):
    done = run_forked("predict", "run", "12", cwd=folder)
    assert done.returncode != 0
    assert 'there is no task "spell"' in done.stderr
    assert "name its file by --plugin" in done.stderr
    assert done.stderr.count("\n") == 1
