"""Networks as JavaScript, in node, beside the networks themselves."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gatework import export
from gatework.data.dataset import Split
from gatework.data.series import Scale, SeriesEncoder
from gatework.data.text import TextEncoder, Texts, Vocabulary
from gatework.errors import KindError, UsageError
from gatework.nn import LSTM
from gatework.tasks._sequence import encoder_state
from support import patience
from support.export_networks import KINDS, Network, allowed, sequence

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed (Debian: apt-get install nodejs)")


def node(file: Path, expression: str) -> Any:
    script = f"const model = require({json.dumps(str(file))}); console.log(JSON.stringify({expression}));"
    done = subprocess.run(
        [str(NODE), "-e", script], capture_output=True, text=True, timeout=patience.SECONDS, check=False
    )
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_predicts_the_same_in_javascript(kind: str, tmp_path: Path):
    network = KINDS[kind]().eval()
    inputs = sequence(network)
    exact, error = allowed(network, inputs)
    file = export.js(network, tmp_path / "model.js")
    found = node(file, f"model.predict({json.dumps(inputs[0].tolist())})")
    # The arithmetic is float64, and so are the inputs as they are written; the weights are float32 on both sides.
    assert np.abs(np.array(found) - exact.numpy()).max() <= error


def test_a_layer_gives_its_states_of_every_step_and_goes_on_where_a_call_has_left_off(tmp_path: Path):
    layer = LSTM(3, 4, 2)
    x = torch.randn(7, 1, 3)
    file = export.js(layer, tmp_path / "model.js", name="tide")
    values = json.dumps(x[:, 0].tolist())
    parts = (
        f"(() => {{ const x = {values}, first = model.run(x.slice(0, 3)); "
        "return [...first.output, ...model.run(x.slice(3), first.states).output]; })()"
    )
    for found in (node(file, f"model.predict({values})"), node(file, parts)):
        torch.testing.assert_close(torch.tensor(found), layer(x)[0][:, 0].detach(), atol=1e-6, rtol=1e-5)


def test_a_text_is_answered_with_a_label_and_a_series_with_values_in_their_own_unit(tmp_path: Path):
    words = ("good", "it's", "çok", "film", "die", "straße", "42", "!")
    pairs = ("good film", "film die", "die straße")  # of the first one the text has the end alone
    encoder = TextEncoder(Vocabulary(words, pairs), max_tokens=5, padding="mask")
    network = Network("gru", "last", tokens=len(encoder.vocabulary))
    about = {"encoder": encoder_state(encoder), "classes": ["bad", "good"]}
    file = export.js(network, tmp_path / "text.js", about=about)
    text = "Nobody: IT’S a çok good film, DIE Straße 42!"
    batch = encoder.encode(Split(Texts.of([text]), np.zeros(1)), np.zeros(1)).batch(np.array([0]))
    shares = network(batch.inputs).softmax(-1)[0].tolist()
    answer = node(file, f"model.answer({json.dumps(text)})")
    # As in programs of before 2023, which do not know half a character.
    assert node(file, f"(delete String.prototype.toWellFormed, model.answer({json.dumps(text)}))") == answer
    assert node(file, "(() => { try { model.answer(5); } catch (e) { return e.message; } })()") == "a text was expected"
    assert answer["probabilities"] == pytest.approx({"bad": shares[0], "good": shares[1]}, abs=1e-5)
    assert answer["label"] == ("bad" if shares[0] > shares[1] else "good")

    scale = Scale((10.0, 0.0, -3.0), (2.0, 1.0, 0.5))
    network = Network("rnn", "mean")
    about = {"encoder": encoder_state(SeriesEncoder(scale)), "scale": Scale((100.0, 0.0), (10.0, 1.0)).state()}
    file = export.js(network, tmp_path / "series.js", about=about)
    series = np.random.default_rng(0).normal(scale.mean, scale.std, (6, 3))
    scaled = torch.tensor((series - scale.mean) / scale.std, dtype=torch.float32)[None]
    wanted = network(scaled)[0].detach().numpy() * [10.0, 1.0] + [100.0, 0.0]
    assert node(file, f"model.answer({json.dumps(series.tolist())})") == pytest.approx(wanted.tolist(), abs=1e-4)
    wrong = "[[], null, [[1]], [[1, 2], [1]], [[1, NaN]], ['1', 2]]"
    said = node(
        file, f"{wrong}.map((input) => {{ try {{ return model.answer(input); }} catch (e) {{ return e.message; }} }})"
    )
    assert [sentence.split()[0] for sentence in said] == ["a", "a", *["each"] * 4]


def test_a_wrong_input_is_an_error_that_names_the_step(tmp_path: Path):
    file = export.js(Network("rnn", "last", tokens=5), tmp_path / "model.js")
    caught = "(() => { try { model.predict([1, 5]); } catch (e) { return e.message; } })()"
    assert node(file, caught) == "step 2 is 5; the model takes tokens from 0 to 4"


def test_what_cannot_be_written_is_said_in_a_sentence(tmp_path: Path):
    with pytest.raises(UsageError, match="neither a recurrent layer nor a network"):
        export.js(torch.nn.Linear(2, 3), tmp_path / "model.js")
    with pytest.raises(UsageError, match="letters, digits"):
        export.js(LSTM(3, 4), tmp_path / "model.js", name="my model")
    with pytest.raises(KindError, match="JSON"):
        export.js(LSTM(3, 4), tmp_path / "model.js", about={"classes": {1, 2}})
    assert not list(tmp_path.iterdir())
