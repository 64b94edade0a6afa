"""A trained run as a file, by the command."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import gatework
from support.command_line import run_forked, run_here
from support.datasets import opinions

pytestmark = pytest.mark.slow
TEXTS = ["a good film", "bad", "a film that is not good at all, bad"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "run"
    return gatework.train("classify", opinions(), out=out, epochs=1, hidden=5, embedding=4, threads=1)


def test_the_onnx_file_of_a_run_says_what_the_run_says(run):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (gatework[export])")
    done = run_forked("export", run.path)
    assert done.returncode == 0, done.stderr
    session = runtime.InferenceSession(run.path / "model.onnx")
    about = json.loads(session.get_modelmeta().custom_metadata_map["gatework"])["about"]
    assert about["classes"] == list(run.task.classes)
    assert about["encoder"]["words"] == list(run.task.encoder.vocabulary.words)
    split = run.predictor.read(TEXTS)
    batch = run.task.encode(split).batch(np.arange(len(TEXTS)))
    (scores,) = session.run(None, {"inputs": batch.inputs.numpy(), "lengths": batch.lengths.numpy()})
    assert f"it holds the network alone, and the run answers with {run.summary['answer']['name']}" in done.stdout
    expected, _ = replace(run.task, chosen=None).outputs(run.network, run.task.encode(split))
    uncalibrated = run.network.eval()(batch.inputs, batch.lengths).detach().numpy()
    assert np.abs(scores - uncalibrated).max() > 1e-3, "the temperature is part of what is written"
    # Both are float32 sums of a few dozen terms below 1.
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize(("to", "name"), [("js", "model.js"), ("c", "model.c"), ("torch", "model.pt2")])
def test_every_other_target_is_one_file(run, to, name):
    done = run_here("export", run.path, "--to", to)
    assert done.returncode == 0, done.stderr
    assert name in done.stdout
    assert (run.path / name).stat().st_size > 1000


def test_what_cannot_be_exported_is_one_sentence(run, tmp_path):
    done = run_here("export", run.path, "--to", "onix")
    assert (done.returncode, done.stderr) == (2, 'gatework: --to onix: did you mean "onnx"?\n')


def test_a_forecaster_is_exported_as_it_computes_before_its_intervals_are_stretched(tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (gatework[export])")
    forecast = gatework.train("forecast", "airline", out=tmp_path / "run", epochs=1, blend=False, threads=1)
    done = run_here("export", forecast.path)
    assert done.returncode == 0, done.stderr
    session = runtime.InferenceSession(forecast.path / "model.onnx")
    task = forecast.task
    batch = task.encode(task.read(None, forecast.recipe)).batch(np.zeros(2, dtype=np.int64)).tensors()
    feed = {name: tensor.numpy() for name, tensor in batch.items()}
    (quantiles,) = session.run(None, {name: feed[name] for name in (value.name for value in session.get_inputs())})
    expected = forecast.network(**batch).detach().numpy()
    # Passengers by the hundred, in float32: seven digits.
    np.testing.assert_allclose(quantiles, expected, rtol=1e-5)
    done = run_here("export", forecast.path, "--to", "js")
    assert done.returncode == 2
    assert done.stderr == 'gatework: a network of the task "forecast" is not written as js; --to onnx writes it\n'


def test_a_forecaster_of_counts_that_needs_to_know_what_comes_is_exported_and_has_no_input_without_columns(tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (gatework[export])")
    random = np.random.default_rng(0)
    days = [date(2024, 1, 1) + timedelta(days=k) for k in range(120)]
    promo = random.integers(0, 2, 120)
    frame = pl.DataFrame({"day": days, "promo": promo, "sold": random.poisson(1 + promo)})
    options = {"time": "day", "target": "sold", "known": "promo", "horizon": 3, "distribution": "negative-binomial"}
    forecast = gatework.train("forecast", frame, out=tmp_path / "run", epochs=1, blend=False, hidden=4, **options)
    done = run_here("export", forecast.path)
    assert done.returncode == 0, done.stderr
    session = runtime.InferenceSession(forecast.path / "model.onnx")
    shapes = {value.name: value.shape for value in session.get_inputs()}
    assert list(shapes) == ["inputs", "ahead", "level", "scale", "skip"]
    assert {shape[0] for shape in shapes.values()} == {"batch"}
    coming = frame.head(3).with_columns(pl.col("day") + timedelta(days=120), sold=None)
    task = forecast.task
    split = task.read(pl.concat([frame, coming.select(frame.columns)], how="vertical_relaxed"), forecast.recipe)
    batch = task.encode(split).batch(np.zeros(2, dtype=np.int64)).tensors()
    (law,) = session.run(None, {name: batch[name].numpy() for name in shapes})
    np.testing.assert_allclose(law, forecast.network(**batch).detach().numpy(), rtol=1e-5)
