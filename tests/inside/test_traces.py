import base64
import io
import re

import matplotlib.image
import numpy as np
import polars as pl
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from gatework.errors import RunError, UsageError
from gatework.inside import trace
from gatework.nn import GRU, LSTM, RNN
from support.networks import plain_trace, run, series

LAYERS = {
    "rnn": lambda **o: RNN(3, 5, **o),
    "rnn_relu": lambda **o: RNN(3, 5, nonlinearity="relu", **o),
    "gru": lambda **o: GRU(3, 5, **o),
    "lstm": lambda **o: LSTM(3, 5, **o),
}
OPTIONS = [{}, {"num_layers": 2, "bidirectional": True}, {"bias": False}, {"batch_first": True}]
CASES = [(cell, options) for cell in LAYERS for options in OPTIONS] + [
    ("lstm", {"proj_size": 2, "bidirectional": True})
]


@pytest.mark.parametrize(("cell", "options"), CASES)
def test_a_trace_is_what_the_equations_written_out_by_hand_give(cell, options):
    torch.manual_seed(1)
    layer = LAYERS[cell](dtype=torch.float64, **options)
    x = torch.randn(7, 4, 3, dtype=torch.float64)
    lengths = torch.tensor([4, 7, 1, 6])
    given = x.transpose(0, 1) if options.get("batch_first") else x
    found = trace(layer, given, lengths=lengths)
    state = {name: value.detach().numpy() for name, value in layer.state_dict().items()}
    directions = 2 if options.get("bidirectional") else 1
    for b, length in enumerate(lengths.tolist()):
        expected = plain_trace(cell, state, x[:length, b].numpy(), options.get("num_layers", 1), directions)
        own = found.sequence(b)
        for layer_number, by_direction in enumerate(expected):
            for direction, values in enumerate(by_direction):
                assert list(values) == list(found.names)
                for name, value in values.items():
                    # Sums of at most 10 products of order 1 in float64, seven steps deep.
                    np.testing.assert_allclose(own[name][layer_number, direction], value, rtol=0, atol=1e-13)
        assert all((found[name][:, :, length:, b] == 0).all() for name in found.names)


def test_torchs_own_layer_and_a_packed_batch_give_the_same_trace():
    torch.manual_seed(2)
    layer = torch.nn.LSTM(3, 4, 2, bidirectional=True)
    x, lengths = torch.randn(6, 3, 3), torch.tensor([2, 6, 3])
    padded = trace(layer, x, lengths=lengths)
    packed = trace(layer, pack_padded_sequence(x, lengths, enforce_sorted=False))
    assert packed.lengths.tolist() == lengths.tolist()
    for name in padded.names:
        np.testing.assert_array_equal(padded[name], packed[name])
    output, _ = layer(x[:, 1:2])
    np.testing.assert_allclose(padded["h"][1, 0, :, 1], output[:, 0, :4].detach().numpy(), atol=1e-6)


def test_a_trace_is_one_line_in_a_terminal():
    found = trace(torch.nn.LSTM(3, 5, num_layers=2), torch.randn(7, 4, 3))
    assert repr(found) == "Trace(lstm: i, f, g, o, c, h; (layers, directions, time, batch, units) (2, 1, 7, 4, 5))"


@pytest.mark.parametrize("changes", [{}, {"padding": "pre", "max_tokens": 9}, {"bidirectional": True, "layers": 2}])
def test_the_trace_of_a_text_run_names_what_every_step_reads(tmp_path, changes):
    opened = run(tmp_path / "run", **changes)
    found = trace(opened, ["Good film!", "a very, very slow plot"])
    assert [t for t in found.steps[0] if t] == ["good", "film", "!"]
    assert [len(own) for own in found.steps] == found.lengths.tolist()
    table = found.table()
    assert table.columns == ["sequence", "step", "reads", "layer", "direction", "unit", *found.names]
    assert len(table) == found.lengths.sum() * found["h"].shape[0] * found["h"].shape[1] * 6
    row = table.filter((pl.col("sequence") == 1) & (pl.col("step") == found.lengths[1] - 1) & (pl.col("unit") == 2))
    assert row["reads"][0] == "plot"
    assert row["c"][0] == found["c"][0, 0, found.lengths[1] - 1, 1, 2]


def test_the_outputs_of_a_run_follow_from_its_trace(tmp_path):
    opened = run(tmp_path / "run", "series", cell="gru", variables=2)
    examples = series(5, 9, variables=2)
    found = trace(opened, examples.inputs)
    output = opened.network.output
    expected = found["h"][0, 0, -1] @ output.weight.detach().numpy().T + output.bias.detach().numpy()
    np.testing.assert_allclose(
        opened.task.outputs(opened.network, opened.task.encode(examples))[0], expected, atol=1e-5
    )


def test_a_projected_output_is_missing_for_the_units_it_does_not_have():
    found = trace(LSTM(3, 5, proj_size=2), torch.zeros(4, 1, 3)).table()
    assert found.filter(pl.col("unit") >= 2)["h"].null_count() == 3 * 4
    assert found.filter(pl.col("unit") < 2)["h"].null_count() == 0


@pytest.mark.parametrize(
    ("inputs", "says"),
    [("", "text 1 is ''"), (["good", "  "], "text 2"), ([], "nothing to look at"), (np.zeros(3), "was given numbers")],
)
def test_a_text_run_refuses_what_it_cannot_read(tmp_path, inputs, says):
    with pytest.raises(UsageError, match=says):
        trace(run(tmp_path / "run"), inputs)


@pytest.mark.parametrize(
    ("inputs", "says"), [("a text", "given str"), (np.zeros((4, 3)), "shape"), ([1.0, float("nan")], "at step 2")]
)
def test_a_series_run_refuses_what_it_cannot_read(tmp_path, inputs, says):
    with pytest.raises(UsageError, match=says):
        trace(run(tmp_path / "run", "series"), inputs)


def test_what_has_no_recurrent_layer_has_no_trace(tmp_path):
    with pytest.raises(UsageError, match="no recurrent layer"):
        trace(torch.nn.Linear(2, 2), torch.zeros(1, 2))
    with pytest.raises(UsageError, match="needs a run, a network or a recurrent layer"):
        trace("runs/lstm", "text")
    opened = run(tmp_path / "run")
    (opened.path / "summary.json").unlink()
    with pytest.raises(RunError, match="not finished"):
        trace(opened, "good")
    with pytest.raises(UsageError, match='has no "q"'):
        trace(LSTM(1, 1), torch.zeros(1, 1, 1))["q"]


def test_a_notebook_shows_every_gate_and_state_of_a_trace_and_the_parameters_of_a_layer():
    layer = LSTM(3, 5, 2)
    page = trace(layer, torch.randn(7, 4, 3))._repr_html_()
    assert "the first of 4 sequences, 7 steps, layer 2 of 2" in page
    pictures = dict(re.findall(r'alt="(.)" src="data:image/png;base64,([^"]+)"', page))
    assert list(pictures) == list("ifgoch")
    for picture in pictures.values():
        points = matplotlib.image.imread(io.BytesIO(base64.b64decode(picture)), format="png")
        assert points.shape == (5, 7, 3)
    assert "weight_ih_l1" in layer._repr_html_()
    assert f"{sum(p.numel() for p in layer.parameters()):,}" in layer._repr_html_()
