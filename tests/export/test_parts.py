"""Networks of the tasks as ONNX: what they carry goes in and out, and several parts are several files."""

import numpy as np
import pytest
import torch

from gatework import export, tasks
from gatework.errors import UsageError
from gatework.export._run import _together
from gatework.recipe import find_recipe
from gatework.tasks.detect.exporting import exportable as of_detector
from gatework.tasks.detect.model import NextRowNetwork
from gatework.tasks.translate.exporting import exportable as of_translator
from gatework.tasks.translate.model import TranslationModel
from gatework.tasks.translate.options import TranslateOptions
from support import recordings

pytestmark = pytest.mark.slow
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (gatework[export])")


def sessions(parts, folder):
    for name, (module, keywords) in parts.items():
        export.onnx(module, folder / f"{name}.onnx", **keywords)
    return [runtime.InferenceSession(folder / f"{name}.onnx") for name in parts]


def test_a_translator_is_an_encoder_and_a_step_that_go_on_as_its_decoder_does(tmp_path):
    config = find_recipe("translate").changed(cell="gru", hidden=6, embedding=5).model
    model = TranslationModel(config, TranslateOptions(), 20).eval()
    encoder, step = sessions(of_translator(model), tmp_path)
    sources, lengths = np.array([[3, 4, 5, 6], [7, 8, 0, 0]]), np.array([4, 2])
    memory = encoder.run(None, {"inputs": sources, "lengths": lengths})
    names = [output.name for output in encoder.get_outputs()]
    pieces = np.array([[1, 2, 9], [1, 11, 12]])
    scores, state = [], dict(zip(names, memory, strict=True))
    for place in range(3):
        given, looked, state["h"] = step.run(None, {"previous": pieces[:, place], **state})
        scores.append(given)
    assert (looked[1, 2:] == 0).all(), "nothing is looked at behind a source's end"
    with torch.no_grad():
        expected = model(*map(torch.from_numpy, (sources, lengths, pieces)), torch.tensor([3, 3]))
    # A few dozen terms below 1 in float32.
    np.testing.assert_allclose(np.stack(scores, axis=1).reshape(6, -1), expected, atol=1e-5)
    parts = of_translator(model)
    parts["step"] = (parts["step"][0], parts["step"][1] | {"state": {"h": "nothing"}})
    with pytest.raises(UsageError, match='has no "nothing"'):
        _together(parts, tmp_path / "whole.onnx", {})
    assert not list(tmp_path.glob("*whole*")), "no part is written where another cannot be"
    with pytest.raises(UsageError, match="with attention and without input feeding"):
        of_translator(TranslationModel(config, TranslateOptions(attention="none"), 20))


def test_a_network_that_listens_hears_recordings_of_any_length_each_to_its_end(tmp_path):
    dataset, recipe = recordings.dataset(train=6, held=2), recordings.small(cell="gru", hidden=5)
    task = tasks.get("transcribe").fit(dataset, recipe.data)
    network = task.model(recipe.model).eval()
    (session,) = sessions({"listener": task.exportable(network)[""]}, tmp_path)
    bands = len(network.hearing.mean)
    sounds, lengths = np.random.default_rng(0).normal(size=(2, 30, bands)).astype(np.float32), np.array([30, 7])
    log_probs, steps = session.run(None, {"inputs": sounds, "lengths": lengths})
    with torch.no_grad():
        expected = network.scores(torch.from_numpy(sounds), torch.from_numpy(lengths))
    assert steps.tolist() == expected.steps.tolist()
    for row, count in enumerate(steps):
        np.testing.assert_allclose(log_probs[row, :count], expected.log_probs[:count, row], atol=1e-5)


def test_a_detector_goes_on_with_its_state_from_row_to_row(tmp_path):
    config = find_recipe("detect").changed(cell="lstm", hidden=5).model
    network = NextRowNetwork(config, 2, 3, (1, 4)).eval()
    torch.nn.init.normal_(network.output.weight)
    (session,) = sessions(of_detector(network), tmp_path)
    rows = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    state = {"h": np.zeros((1, 1, 5), np.float32), "c": np.zeros((1, 1, 5), np.float32)}
    answers = []
    for row in rows:
        answer, *state = session.run(None, {"inputs": row[None, None], **dict(zip("hc", state.values(), strict=True))})
        state = dict(zip("hc", state, strict=True))
        answers.append(answer[0, 0])
    with torch.no_grad():
        expected, _ = network.follow(torch.from_numpy(rows), None)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
