"""Networks as C99, compiled and run beside the networks themselves."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from gatework import export
from gatework.errors import UsageError
from gatework.nn import LSTM
from support import patience
from support.export_networks import KINDS, Network, allowed, sequence

COMPILER = shutil.which("cc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler (Debian: apt-get install gcc)")
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC")


def compiled(file: Path) -> ctypes.CDLL:
    library = file.with_suffix(".so")
    command = [str(COMPILER), *STRICT, str(file), "-o", str(library), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS, check=False)
    assert not done.stderr, done.stderr
    return ctypes.CDLL(str(library))


def predicted(library: ctypes.CDLL, inputs: np.ndarray, outputs: int, scratch: int) -> np.ndarray:
    """The output of `model_predict`; with `scratch` values of scratch space where it is not 0."""
    found, room = np.full(outputs + 1, 7.0, np.float32), np.empty(scratch, np.float32)
    arguments = [ctypes.c_void_p(inputs.ctypes.data), ctypes.c_size_t(len(inputs)), ctypes.c_void_p(found.ctypes.data)]
    library.model_predict(*arguments, *([ctypes.c_void_p(room.ctypes.data)] if scratch else []))
    assert found[-1] == 7.0, "nothing is written beyond the output"
    return found[:-1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_predicts_the_same_in_c(kind: str, tmp_path: Path):
    network = KINDS[kind]().eval()
    inputs = sequence(network)
    exact, error = allowed(network, inputs)
    library = compiled(export.c(network, tmp_path / "model.c"))
    values = inputs[0].numpy()
    values = np.ascontiguousarray(values, np.int32 if network.embedding is not None else np.float32)
    layer = network.recurrent
    scratch = 2 * len(values) * 2 * layer.output_size if layer.bidirectional else 0
    assert np.abs(predicted(library, values, 2, scratch) - exact.numpy()).max() <= error


@pytest.mark.parametrize("is_both_ways", [False, True])
def test_a_layer_gives_its_states_of_every_step(is_both_ways: bool, tmp_path: Path):
    layer = LSTM(3, 4, 2, bidirectional=is_both_ways)
    x = torch.randn(7, 1, 3)
    library = compiled(export.c(layer, tmp_path / "model.c"))
    width = 8 if is_both_ways else 4
    found = predicted(library, x[:, 0].numpy(), 7 * width, 2 * 7 * width if is_both_ways else 0)
    wanted = layer(x)[0].detach().flatten()
    torch.testing.assert_close(torch.from_numpy(found), wanted, atol=1e-6, rtol=1e-5)


def test_a_stream_gives_after_each_step_what_a_prediction_up_to_it_gives(tmp_path: Path):
    network = Network("gru", "attention")
    library = compiled(export.c(network, tmp_path / "model.c"))
    x = torch.randn(1, 6, 3)
    state, output = ctypes.create_string_buffer(4096), np.empty(2, np.float32)
    library.model_start(state)
    for step in range(6):
        library.model_step(state, ctypes.c_void_p(x[0, step].numpy().ctypes.data))
        library.model_output(state, ctypes.c_void_p(output.ctypes.data))
        wanted = network(x[:, : step + 1])[0].detach()
        torch.testing.assert_close(torch.from_numpy(output), wanted, atol=1e-6, rtol=1e-5)


def test_the_name_starts_every_function(tmp_path: Path):
    file = export.c(LSTM(3, 4), tmp_path / "tide.c", name="tide")
    assert compiled(file).tide_predict
    with pytest.raises(UsageError, match="letters, digits"):
        export.c(LSTM(3, 4), tmp_path / "a.c", name="9")
