import numpy as np
import pytest
import torch

from gatework.data.dataset import Split
from gatework.errors import UsageError
from gatework.inside import gradient_flow
from gatework.inside.gradients import Finding, start
from gatework.nn import GRU, LSTM, RNN, ScanOptions
from support.networks import run, series, texts


def last_square(outputs):
    return (outputs[0][-1] ** 2).sum(-1)


AROUND = [
    (LSTM, ScanOptions(zoneout={"c": 0.3, "h": 0.1}, clip=0.1)),
    (LSTM, ScanOptions(layer_norm=True, weight_drop=0.3)),
    (GRU, ScanOptions(zoneout=0.2, recurrent_dropout=0.4)),
]


@pytest.mark.parametrize(("make", "options"), [(LSTM, None), (GRU, None), (RNN, None), *AROUND])
def test_norms_are_those_of_the_gradient_by_stepwise_differentiation(make, options):
    torch.manual_seed(0)
    layer = make(2, 3, num_layers=2, options=options).double().eval()
    x = torch.randn(6, 4, 2, dtype=torch.float64)
    found = gradient_flow(layer, x, loss=last_square)
    state, states = None, []
    for step in x:
        output, state = layer.step(step, state)
        state = state if isinstance(state, tuple) else (state,)
        states.append([part.detach().clone().requires_grad_() for part in state])
        state = tuple(states[-1]) if len(state) > 1 else states[-1][0]
    for t, start_state in enumerate(states[:-1]):
        # From the state after step t alone: what the later steps make of it.
        output, _ = layer(x[t + 1 :], tuple(start_state) if len(start_state) > 1 else start_state[0])
        grads = torch.autograd.grad((output[-1] ** 2).sum(), start_state)
        for name, grad in zip(layer.spec.states, grads, strict=True):
            expected = grad[0].norm(dim=-1).numpy()  # the lower layer; the upper one's input at step t is in its h
            lower = found.states[name][0, 0, len(x) - 1 - t]
            upper = found.states[name][1, 0, len(x) - 1 - t]
            np.testing.assert_allclose(upper, grad[1].norm(dim=-1).numpy(), rtol=1e-9)
            if name == "c":
                np.testing.assert_allclose(lower, expected, rtol=1e-9)


def test_a_linear_network_gives_the_known_powers():
    layer = RNN(1, 2, nonlinearity="relu").double()
    with torch.no_grad():
        layer.weight_hh_l0.copy_(0.5 * torch.eye(2))
        for parameter in (layer.weight_ih_l0, layer.bias_ih_l0, layer.bias_hh_l0):
            parameter.fill_(1.0)
    found = gradient_flow(layer, torch.ones(12, 3, 1).double(), loss=lambda outputs: outputs[0][-1].sum(-1))
    np.testing.assert_allclose(found.curve(), 0.5 ** np.arange(12), rtol=1e-12)
    np.testing.assert_allclose(found.inputs[:, 0], 2 * 0.5 ** np.arange(12), rtol=1e-12)
    assert found.carried_curve() is None
    finding = found.finding()
    assert (finding.name, finding.reach) == ("vanishing", 7)
    assert finding.sentence("rnn") == "rnn: vanishing, below 1 % of the last step's norm from 7 steps back"


def test_a_growing_network_is_called_exploding():
    layer = RNN(1, 1, nonlinearity="relu")
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(2.0)
    found = gradient_flow(layer, torch.ones(12, 1, 1), loss=lambda outputs: outputs[0][-1].sum(-1))
    assert found.finding().name == "exploding"
    assert found.finding().highest == pytest.approx(2.0**11)


def test_the_product_of_forget_gates_is_what_the_cell_state_alone_carries():
    layer = LSTM(1, 4)
    with torch.no_grad():
        layer.weight_hh_l0.zero_()
    x = torch.randn(8, 2, 1)
    found = gradient_flow(layer, x, loss=lambda outputs: outputs[1][1][0].sum(-1))
    forget = layer.trace(x)["f"][0, 0].detach().numpy()
    products = np.stack([forget[8 - k :].prod(axis=0).mean(axis=-1) for k in range(8)])
    np.testing.assert_allclose(found.carried["c"][0, 0], products, rtol=1e-5)


@pytest.mark.parametrize("changes", [{}, {"bidirectional": True, "pooling": "mean"}, {"cell": "gru", "layers": 2}])
def test_batching_ragged_texts_changes_nothing(tmp_path, changes):
    opened = run(tmp_path / "run", **changes)
    split = texts(5, 4)
    together = gradient_flow(opened, split)
    order = np.argsort([-len(text.split()) for text in split.inputs], kind="stable")
    for place, position in enumerate(order):
        alone = gradient_flow(opened, split.take(np.array([position])))
        for name, values in alone.states.items():
            steps = values.shape[2]
            np.testing.assert_allclose(together.states[name][:, :, :steps, place], values[..., 0], rtol=1e-4, atol=1e-7)
            assert np.isnan(together.states[name][:, :, steps:, place]).all()
        np.testing.assert_allclose(together.inputs[:steps, place], alone.inputs[:, 0], rtol=1e-4, atol=1e-7)


def test_the_start_of_a_run_is_the_network_its_seed_gives(tmp_path):
    opened = run(tmp_path / "run", "series", seed=3)
    torch.manual_seed(3)
    expected = opened.task.model(opened.recipe.model).state_dict()
    state = torch.get_rng_state()
    found = start(opened).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    at_start = gradient_flow(opened, series(6, 1), at="start")
    assert not np.allclose(at_start.curve(), gradient_flow(opened, series(6, 1)).curve())


def test_the_network_is_left_as_it_was(tmp_path):
    opened = run(tmp_path / "run")
    before = {name: value.clone() for name, value in opened.network.state_dict().items()}
    gradient_flow(opened, texts(3, 1))
    assert all(torch.equal(value, before[name]) for name, value in opened.network.state_dict().items())
    assert all(parameter.grad is None for parameter in opened.network.parameters())
    assert not opened.network.recurrent._forward_pre_hooks


def test_a_finding_names_every_form_of_curve():
    assert Finding.of(np.array([1, 0.5, 0.4])).name == "steady"
    assert Finding.of(np.array([1, 0.001, 0.4])).reach is None
    assert Finding.of(np.array([np.nan, np.nan])).name == "none"
    assert Finding.of(np.array([1, 200.0, 1e-9])).name == "exploding"


def test_what_has_no_gradient_is_refused(tmp_path):
    opened = run(tmp_path / "run")
    with pytest.raises(UsageError, match="known targets"):
        gradient_flow(opened, "good film")
    with pytest.raises(UsageError, match="needs loss="):
        gradient_flow(opened.network, None)
    with pytest.raises(UsageError, match="does not depend"):
        gradient_flow(LSTM(1, 1), torch.zeros(2, 1, 1), loss=lambda outputs: torch.zeros(1))
    assert isinstance(texts(1, 0), Split)
