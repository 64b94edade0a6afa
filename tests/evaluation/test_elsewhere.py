"""Comparisons on other people's executors: the same figures, read once a worker, progress from the folder."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

import gatework
from gatework import training
from gatework.errors import TrainingError, UsageError
from gatework.evaluation.elsewhere import DataSource, Elsewhere, _data, perform_on, working_on
from gatework.evaluation.processes import start_early
from support.command_line import run_here
from support.datasets import opinions, small

CELLS = ("rnn", "lstm")
RECIPE = small(epochs=2, hidden=3, embedding=3, layers=1)
MODULE = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

threads = ThreadPoolExecutor(2)

def processes():
    return ProcessPoolExecutor(1, multiprocessing.get_context("forkserver"))

def nothing():
    return 3
"""


class Noted(training.Progress):
    def __init__(self):
        self.epochs = []

    def epoch_done(self, label, record):
        self.epochs.append((label, record["epoch"]))


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "mycluster.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "mycluster"


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    out = tmp_path_factory.mktemp("here") / "out"
    return gatework.compare(opinions(), out=out, cells=CELLS, seeds=1, recipe=RECIPE)


def figures(compared):
    return {entry["name"]: entry["metrics"] for entry in compared.content["entries"]}


def test_an_executor_of_ones_own_gives_the_same_figures_and_tells_how_it_goes(here, module, tmp_path):
    noted = Noted()
    out = tmp_path / "out"
    there = gatework.compare(
        opinions(), out=out, cells=CELLS, seeds=1, recipe=RECIPE, on=f"{module}:threads", progress=noted
    )
    assert figures(there) == figures(here)
    assert sorted(noted.epochs) == [(f"{cell}, seed 0", epoch) for cell in sorted(CELLS) for epoch in (1, 2)]


@pytest.mark.slow
def test_processes_read_a_table_themselves_and_once(module, tmp_path, monkeypatch):
    texts = [f"{word} film number {k}" for k in range(40) for word in ("good", "bad")]
    table = pl.DataFrame({"text": texts, "label": ["yes", "no"] * 40})
    table.write_csv(tmp_path / "t.csv")
    monkeypatch.chdir(tmp_path)
    words = ["--text", "text", "--label", "label", "--epochs", "1", "--hidden", "3", "--embedding", "3"]
    done = run_here(
        "compare", "t.csv", *words, "--seeds", "1", "--cells", "rnn,gru", "--on", f"{module}:processes", "--json",
        "--out", "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"rnn", "gru"} < {entry["name"] for entry in json.loads(done.stdout)["entries"]}


class Kills(training.Progress):
    """Kills a process when the first epoch of a run is done."""

    def __init__(self, process):
        self.process = process

    def epoch_done(self, label, record):
        if self.process:
            os.kill(self.process, signal.SIGKILL)
        self.process = 0


@pytest.mark.slow
def test_a_dask_cluster_of_which_a_worker_is_killed_gives_the_same_figures(here, tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs distributed, of the extra cluster")
    import dask

    # Its workers are copies of a server that has imported torch.
    start_early()
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        address = cluster.scheduler_address.replace("tcp://", "dask://")
        kills = Kills(min(client.run(os.getpid).values()))
        there = gatework.compare(
            opinions(), out=tmp_path / "out", cells=CELLS, seeds=1, recipe=RECIPE, on=address, progress=kills
        )
    assert kills.process == 0
    assert figures(there) == figures(here)


def test_a_worker_reads_the_data_once_and_notices_other_data(tmp_path):
    texts = [f"{word} film number {k}" for k in range(40) for word in ("good", "bad")]
    table = pl.DataFrame({"text": texts, "label": ["yes", "no"] * 40})
    table.write_csv(tmp_path / "t.csv")
    recipe = RECIPE.changed(text="text", label="label", dataset=str(tmp_path / "t.csv"))
    dataset = gatework.tasks.get("classify").load(str(tmp_path / "t.csv"), recipe)
    source = DataSource.of(dataset, recipe, is_named=True)
    assert _data(source) is _data(source)
    table.reverse().write_csv(tmp_path / "t.csv")
    _data(DataSource.of(opinions(), RECIPE, is_named=False))
    with pytest.raises(TrainingError, match="reads other data"):
        _data(source)


def fails(dataset, progress):
    raise ValueError("no room\nat all")


def test_what_another_system_raises_is_one_sentence():
    source = DataSource.of(opinions(), RECIPE, is_named=False)
    with ThreadPoolExecutor(1) as pool, pytest.raises(TrainingError, match=r"ValueError: no room at all\); repeat"):
        perform_on(*Elsewhere(pool, source), [fails], lambda: None, lambda: None)


@pytest.mark.parametrize(
    ("on", "message"),
    [
        ("cluster", "expected processes, dask://HOST:PORT, or MODULE:NAME"),
        ("nowhere:pool", "there is no such executor: No module named 'nowhere'"),
        ("mycluster:other", "there is no such executor: module 'mycluster' has no attribute 'other'"),
        ("mycluster:nothing", "mycluster:nothing is int, expected an executor"),
    ],
)
def test_a_place_that_is_none_is_one_sentence(module, on, message):
    with pytest.raises(UsageError) as caught, working_on(on, opinions(), RECIPE, is_named=False):
        pass
    assert message in str(caught.value)
