"""A search: the default first, the hopeless stopped, cut off and gone on with, joined by others, judged in the end."""

import json
import shutil
from types import SimpleNamespace

import polars as pl
import pytest
from optuna.trial import create_trial

import gatework
from gatework import training
from gatework.errors import RunError, UsageError
from gatework.recipe import read_recipe
from gatework.reports import report
from gatework.search.searching import planned
from gatework.search.study import Study, is_hopeless
from support.command_line import run_here
from support.datasets import opinions, small

TRIALS = 8
SETTINGS = {"recipe": small(epochs=4, hidden=4, embedding=4, layers=1), "seeds": 2, "trials": TRIALS}


class CutOff(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class CutsOff(training.Progress):
    """Ends the process's work in the middle of a trial."""

    def __init__(self, label: str) -> None:
        self.label, self.last = label, 0

    def started(self, label, epochs, steps, done):
        self.last = 2 * steps + 3

    def stepped(self, label, done, loss):
        if label == self.label and done >= self.last:
            raise CutOff


class Followed(training.Progress):
    """Knows the runs that have started and not been dropped, as bars on a terminal do."""

    def __init__(self) -> None:
        self.runs: set[str] = set()

    def started(self, label, epochs, steps, done):
        self.runs.add(label)

    def stepped(self, label, done, loss):
        assert label in self.runs

    def finished(self, label):
        assert label in self.runs

    def dropped(self, label):
        self.runs.remove(label)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    followed = Followed()
    out = tmp_path_factory.mktemp("search") / "out"
    done = gatework.tune("classify", opinions(), out=out, progress=followed, **SETTINGS)
    assert not [label for label in followed.runs if label.startswith("trial")], "a trial that has ended has no bar"
    return done


def outcomes(tuned):
    return [(t["values"], t["scores"], t["is_complete"]) for t in tuned.content["trials"]]


def test_the_default_comes_first_and_is_never_stopped(tuned):
    trials = tuned.content["trials"]
    assert len(trials) == TRIALS
    assert trials[0]["is_complete"]
    start = SETTINGS["recipe"].to_dict()
    assert trials[0]["values"] == {name: start[name.split(".")[0]][name.split(".")[1]] for name in trials[0]["values"]}


def test_the_worse_half_is_stopped_by_the_third_epoch(tuned):
    trials = tuned.content["trials"]
    stopped = [trial for trial in trials if not trial["is_complete"]]
    assert len(stopped) >= TRIALS // 2 - 1, "one that was better than all before it goes on beside its half"
    for trial in stopped:
        before = [t["scores"][2] for t in trials[: trial["number"]]]
        assert len(trial["scores"]) == 3
        assert trial["scores"][2] <= max(before), "the best so far was stopped"


@pytest.mark.parametrize(
    ("score", "stopped"),
    [
        (lambda k: -k, 29),  # none is better than the first
        (lambda k: 0, 15),
        (lambda k: k % 2 - 1 / (k + 1), 14),  # every other one is the best so far, and the first is none of these
        (lambda k: k - 3 * (k % 3), 15),  # it gets better: most are among the better half of those before them
        (lambda k: k, 0),  # each is the best so far
    ],
)
def test_half_of_the_trials_is_stopped_in_a_search_that_gets_better_too(score, stopped):
    for sign in (1, -1):
        trials = []
        for k in range(30):
            scores = {epoch: sign * score(k) for epoch in range(1, 7)}
            running = SimpleNamespace(name="RUNNING")
            trial = SimpleNamespace(number=k, state=running, intermediate_values=scores, last_step=3)
            trials.append(trial)
            assert not is_hopeless([*trials[:-1], SimpleNamespace(**vars(trial) | {"last_step": 2})], k, sign < 0)
            if k and is_hopeless(trials, k, sign < 0):
                trial.state, trial.intermediate_values = SimpleNamespace(name="PRUNED"), {3: scores[3]}
            else:
                trial.last_step = 6
        assert sum(trial.state.name == "PRUNED" for trial in trials) == stopped


def test_trials_never_answer_the_test_part(tuned):
    left = {file.name for folder in (tuned.path / "trials").iterdir() for file in folder.iterdir()}
    assert left == {"recipe.toml", "environment.json", "task.json", "metrics.jsonl"}


def test_the_end_compares_fresh_seeds_and_says_which_recipe_is_kept(tuned):
    content = tuned.content
    seeds = [run.rpartition("seed")[2] for entry in content["contenders"] for run in entry["runs"]]
    assert set(seeds) == {"1", "2"}, "the trials had seed 0"
    names = [entry["name"] for entry in content["contenders"]]
    assert names == (["default", "best"] if content["best_trial"] else ["default"])
    assert content["chosen"] == ("best" if content["gap"] and content["gap"]["low"] > 0 else "default")
    kept = read_recipe(tuned.path / "best.toml").to_dict()
    assert content["values"] == {name: kept[name.split(".")[0]][name.split(".")[1]] for name in content["values"]}
    assert tuned.recipe.task == "classify"
    assert content["verdict"].startswith(content["headline"])
    assert "looked at once" in tuned.verdict


@pytest.mark.parametrize(
    ("values", "chosen", "words"),
    [
        ([0.72, 0.74], "default", "ahead by no more than seeds differ: keep the default"),
        ([0.9, 0.91], "best", "found a better recipe than the default"),
        ([0.69, 0.71], "default", "no better with other seeds: keep the default"),
    ],
)
def test_the_default_is_kept_unless_the_best_is_ahead_by_more_than_seeds_differ(values, chosen, words, tuned, tmp_path):
    assert tuned.content["best_trial"] != 0
    out = shutil.copytree(tuned.path, tmp_path / "out")
    for entry, figures in zip(tuned.content["contenders"], ([0.7, 0.72], values), strict=True):
        for run, figure in zip(entry["runs"], figures, strict=True):
            file = out / run / "summary.json"
            summary = json.loads(file.read_text())
            summary["validation"]["validation_accuracy"] = figure
            file.write_text(json.dumps(summary))
    again = gatework.tune("classify", opinions(), out=out, **SETTINGS)
    assert again.content["chosen"] == chosen
    assert words in again.verdict
    assert ("stands in" in again.verdict) == (chosen == "default" and values[0] > 0.7)


def test_more_trials_and_seeds_go_on_and_train_the_recipe_that_is_best_now(tuned, tmp_path):
    out = shutil.copytree(tuned.path, tmp_path / "out")
    dataset = opinions()
    plan = planned(dataset, SETTINGS["recipe"], {}, dataset, TRIALS, 2, None, 1)
    study = Study(out, plan).study
    before = study.trials[1]
    study.add_trial(
        create_trial(params=before.params | {"model.hidden": 3}, distributions=before.distributions, value=1.0)
    )
    done = gatework.tune("classify", opinions(), out=out, **SETTINGS | {"trials": TRIALS + 1, "seeds": 3})
    assert done.content["best_trial"] == TRIALS
    default, best = done.content["contenders"]
    assert [len(entry["runs"]) for entry in (default, best)] == [3, 3]
    assert {read_recipe(out / run / "recipe.toml").model.hidden for run in best["runs"]} == {3}


def test_the_page_and_the_table_hold_every_trial(tuned):
    page = report(tuned.path).read_text(encoding="utf-8")
    assert content_of(page)["search"]["trials"][TRIALS - 1]["number"] == TRIALS - 1
    for title in ("contenders-title", "history-title", "importance-title", "trials-title"):
        assert f'id="{title}"' in page
    assert isinstance(tuned.table, pl.DataFrame)
    assert tuned.table["trial"].to_list() == list(range(1, TRIALS + 1))
    assert "model.hidden" in tuned._repr_html_()


def content_of(page):
    return json.loads(page.partition('id="data">')[2].partition("</script>")[0])


def test_a_search_that_is_cut_off_goes_on_and_ends_the_same(tuned, tmp_path):
    with pytest.raises(CutOff):
        gatework.tune("classify", opinions(), out=tmp_path / "out", progress=CutsOff("trial 3"), **SETTINGS)
    assert not (tmp_path / "out" / "search.json").exists()
    again = gatework.tune("classify", opinions(), out=tmp_path / "out", **SETTINGS)
    assert outcomes(again) == outcomes(tuned)
    assert again.content["values"] == tuned.content["values"]


def test_another_plan_is_refused(tuned):
    with pytest.raises(RunError, match=r"search of another plan \(its recipe differ\)"):
        gatework.tune("classify", opinions(), out=tuned.path, **SETTINGS | {"epochs": 5})


def test_without_time_the_default_alone_is_trained(tmp_path):
    done = gatework.tune("classify", opinions(), out=tmp_path / "out", minutes=0.0, **SETTINGS | {"seeds": 1})
    assert [t["is_complete"] for t in done.content["trials"]] == [True]
    assert done.content["chosen"] == "default"
    assert done.verdict.startswith("No trial was better than the default: keep it")


def test_a_search_may_vary_how_the_data_are_read_but_not_what_is_judged(tmp_path):
    texts = [f"{word} film number {k}" for k in range(60) for word in ("good", "bad")]
    table = pl.DataFrame({"text": texts, "label": ["yes", "no"] * 60})
    settings = {"seeds": 1, "trials": 2, "epochs": 2, "hidden": 4, "embedding": 4, "text": "text", "label": "label"}
    done = gatework.tune("classify", table, out=tmp_path / "a", over={"max_tokens": "1..3"}, **settings)
    kept = [read_recipe(folder / "recipe.toml").data.max_tokens for folder in sorted((done.path / "trials").iterdir())]
    assert kept == done.table["data.max_tokens"].to_list()
    assert len(set(kept)) == 2
    with pytest.raises(UsageError, match=r"cannot vary data\.split_seed: its trials would be judged by different"):
        gatework.tune("classify", table, out=tmp_path / "b", over={"split_seed": [0, 1]}, **settings)


def test_other_executors_search_and_tell_of_their_trials(tmp_path, monkeypatch):
    lines = []

    class Noted(training.Progress):
        def described(self, said):
            lines.extend(said)

    (tmp_path / "searchers.py").write_text("from concurrent.futures import ThreadPoolExecutor as pool\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = SETTINGS | {"seeds": 1, "trials": 2, "on": "searchers:pool", "workers": 1}
    done = gatework.tune("classify", opinions(), out=tmp_path / "out", progress=Noted(), **settings)
    assert len(done.content["trials"]) == 2
    assert [line.split()[1] for line in lines if line.startswith("trial ")] == ["1/2", "2/2"]


def test_a_corrupt_result_is_one_sentence(tmp_path):
    (tmp_path / "search.json").write_text('{"task": "classify", "metric": "validation_accuracy"}')
    with pytest.raises(RunError, match=r"holds a value that gatework did not write there"):
        report(tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--over", "hidden=9..3"), "give two ends, the lower first"),
        (("--over", "hidden", "--over", "hidden=1..3"), "--over names hidden twice"),
        (("--trials", "0"), "trials is 0, expected 1 or more"),
    ],
)
def test_misuse_on_the_command_line_is_one_sentence(words, message, tmp_path):
    done = run_here("tune", "regress", "waves", "--out", tmp_path / "out", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
