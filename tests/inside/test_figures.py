import json

import numpy as np
import pytest
import torch

from gatework.errors import UsageError
from gatework.inside import attribute, figures, gradient_flow, trace
from gatework.nn import LSTM, RNN
from support.networks import run


def test_a_heat_map_shows_the_values_of_the_trace(tmp_path):
    found = trace(run(tmp_path / "run"), ["good film", "very bad plot!"])
    figure = figures.heat_map(found, "c", sequence=1)
    np.testing.assert_array_equal(np.array(figure.data[0].z), found["c"][0, 0, :4, 1].T)
    assert list(figure.layout.xaxis.ticktext) == ["very", "bad", "plot", "!"]
    every = figures.heat_map(found)
    assert [d.hovertemplate.partition(",")[0] for d in every.data] == ["i", "f", "g", "o", "c", "h"]
    assert (every.data[0].zmin, every.data[0].zmax) == (0, 1)
    assert every.data[5].zmin == -every.data[5].zmax


def test_one_unit_is_drawn_with_all_its_gates():
    found = trace(LSTM(1, 3), torch.randn(5, 1, 1))
    figure = figures.unit(found, 2)
    assert [line.name for line in figure.data] == list(found.names)
    np.testing.assert_array_equal(figure.data[1].y, found["f"][0, 0, :, 0, 2])
    with pytest.raises(UsageError, match="units 0 to 2"):
        figures.unit(found, 3)


def test_gradient_curves_stand_on_one_logarithmic_axis():
    x = torch.randn(20, 4, 1)
    flows = {name: gradient_flow(layer, x, loss=lambda o: o[0][-1].sum(-1)) for name, layer in _layers().items()}
    figure = figures.gradient_flow(flows)
    assert figure.layout.yaxis.type == "log"
    assert [line.name for line in figure.data] == ["rnn", "lstm", "lstm: product of forget gates"]
    np.testing.assert_allclose(figure.data[0].y, flows["rnn"].curve())


def _layers():
    return {"rnn": RNN(1, 4), "lstm": LSTM(1, 4, forget_bias=1.0)}


def test_every_figure_can_be_written_down(tmp_path):
    opened = run(tmp_path / "run", layers=2, bidirectional=True)
    found = trace(opened, "good film, very bad plot")
    for figure in (
        figures.saturation(found),
        figures.half_lives(found),
        figures.heat_map(found),
        figures.attribution(attribute(opened, "good film", points=4)),
    ):
        assert json.loads(figure.to_json())["data"]
