import numpy as np
import pytest
import torch

from gatework.errors import UsageError
from gatework.inside import attribute
from gatework.inside.attribution import METHODS
from gatework.nn import RNN
from support.networks import run, series


@pytest.mark.parametrize("method", METHODS)
def test_a_linear_network_is_explained_exactly(method):
    layer = RNN(2, 3, nonlinearity="relu", batch_first=True).double()
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.abs_().mul_(0 if name.startswith("bias") else 1)
    x = torch.rand(1, 5, 2).double() + 0.1  # positive weights and inputs: the rectifier never acts
    found = attribute(layer, x, target=1, method=method)
    known = [
        (torch.linalg.matrix_power(layer.weight_hh_l0, 4 - t) @ layer.weight_ih_l0 @ x[0, t])[1].item()
        for t in range(5)
    ]
    np.testing.assert_allclose(found.values, known, rtol=1e-12)
    assert found.output == pytest.approx(layer(x)[0][0, -1, 1].item())


@pytest.mark.parametrize("changes", [{}, {"cell": "gru", "bidirectional": True, "pooling": "concat"}])
def test_integrated_gradients_add_up_to_the_difference_from_the_baseline(tmp_path, changes):
    opened = run(tmp_path / "run", **changes)
    found = attribute(opened, "a very slow plot, never good", points=256)
    # The midpoint rule's error falls with the square of the points; 256 of them leave well under a thousandth here.
    assert found.values.sum() == pytest.approx(found.output - found.baseline, abs=2e-3)
    assert found.steps == ("a", "very", "slow", "plot", "never", "good")
    probabilities = opened.predict(_split("a very slow plot, never good"))["probabilities"][0]
    assert found.target == max(probabilities, key=probabilities.get)
    share = probabilities[found.target]
    assert found.output == pytest.approx(np.log(share / (1 - share)), abs=1e-4)


def _split(text):
    from gatework.data.dataset import Split
    from gatework.data.text import Texts

    return Split(Texts.of([text]), np.zeros(1, dtype=np.int64))


def test_the_two_classes_of_a_pair_are_explained_by_opposite_values(tmp_path):
    opened = run(tmp_path / "run")
    ours, theirs = (attribute(opened, "good bad film", target=t, points=8) for t in ("positive", "negative"))
    np.testing.assert_allclose(ours.values, -theirs.values, rtol=1e-5)
    table = ours.table()
    assert table["reads"].to_list() == ["good", "bad", "film"]


def test_gradient_times_input_of_a_series_is_the_slope_times_the_value(tmp_path):
    opened = run(tmp_path / "run", "series", variables=2)
    example = series(1, 5, variables=2).inputs
    found = attribute(opened, example[0], method="gradient x input")
    scaled = torch.from_numpy(opened.task.encoder.scale.apply(example)).double()
    model = opened.network.double()
    model.recurrent.double()

    def value(x):

        return float(model(x)[0, 0])

    step, expected = 1e-6, np.zeros(scaled.shape[1])
    for t, k in np.ndindex(*scaled.shape[1:]):
        ahead, behind = scaled.clone(), scaled.clone()
        ahead[0, t, k] += step
        behind[0, t, k] -= step
        with torch.no_grad():
            expected[t] += float(scaled[0, t, k]) * (value(ahead) - value(behind)) / (2 * step)
    np.testing.assert_allclose(found.values, expected, rtol=1e-3, atol=1e-4)


def test_what_cannot_be_explained_is_refused(tmp_path):
    opened = run(tmp_path / "run")
    for example, options, says in [
        (["good", "bad"], {}, "got 2 examples"),
        ("good", {"target": "neutral"}, 'no class "neutral"'),
        ("good", {"target": 2}, "expected 0 to 1"),
        ("good", {"method": "lime"}, "expected one of"),
    ]:
        with pytest.raises(UsageError, match=says):
            attribute(opened, example, **options)
