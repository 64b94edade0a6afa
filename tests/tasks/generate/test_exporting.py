import numpy as np
import onnxruntime
import pytest
import torch

from gatework.errors import UsageError
from gatework.export import _run
from support.texts import run as trained


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_language_model_in_onnx_goes_on_from_its_states_as_the_network_does(cell, tmp_path):
    run = trained(tmp_path, cell=cell, epochs=1, layers=2)
    file = tmp_path / "model.onnx"
    _run.run(run.predictor, "onnx", file)
    session = onnxruntime.InferenceSession(file)
    tokens = np.arange(12).reshape(2, 6) % len(run.task.tokens)
    states = [i.name for i in session.get_inputs()][1:]
    feed = {name: np.zeros((2, 2, 8), np.float32) for name in states}
    logits = []
    for part in (tokens[:, :4], tokens[:, 4:]):
        first, *after = session.run(None, {"inputs": part, **feed})
        feed = dict(zip(states, after, strict=True))
        logits.append(first)
    with torch.no_grad():
        features, _ = run.network(torch.from_numpy(tokens))
        wanted = run.network.logits(features).transpose(0, 1).numpy()
    np.testing.assert_allclose(np.concatenate(logits, axis=1), wanted, atol=1e-5)


def test_a_cell_with_other_states_is_refused_in_one_sentence(tmp_path):
    run = trained(tmp_path, cell="slstm", epochs=1)
    with pytest.raises(UsageError, match="with h and c"):
        _run.run(run.predictor, "onnx", tmp_path / "model.onnx")
