"""The playground computes what Python does: gradients as torch's, and training as with the library's layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, linear, mse_loss

from gatework.cells import BUILT_IN, get
from gatework.errors import UsageError
from gatework.inside import gradient_flow, half_lives, trace
from gatework.inside.playground import write_playground
from gatework.nn import Recurrent

pytestmark = pytest.mark.browser

CUSTOM = Path(__file__).parents[1] / "support" / "custom_cells.py"
CUSTOM_CELLS = [f"{CUSTOM}:Mixed", f"{CUSTOM}:Names"]
SEQUENCES = 16
SETTINGS = {
    "task": "adding", "own": "", "units": 5, "layers": 2, "length": 12, "rate": 0.01, "optimiser": "adam", "scale": 1.5,
    "noise": 0.05, "batch": 6, "seed": 3,
}  # fmt: skip
# A task of numbers, and one of symbols with an answer at every step; rows and batches that leave remainders of four.
TASKS = [{}, {"task": "brackets", "batch": 7, "units": 6}]
TRAIN = """({ settings, entry, steps }) => {
  const race = new Race({ ...settings }, [entry]), { learner, losses } = race.runners[0];
  const weights = Object.fromEntries(Object.entries(learner.weights).map(([name, values]) => [name, [...values]]));
  const list = (values) => (values ? [...values] : null);
  const batches = Array.from({ length: steps }, (_, n) => race.drawn(n)).map(({ x, tokens, targets, scored }) => (
    { x: list(x), tokens: list(tokens), targets: list(targets), scored: list(scored) }));
  learner.forward(race.drawn(0));
  learner.backward(race.drawn(0), { truncation: entry.truncation });
  const gradients = Object.fromEntries(Object.entries(learner.gradients).map(([name, values]) => [name, [...values]]));
  for (let n = 0; n < steps; n++) race.train();
  return { weights, gradients, batches, losses, shapes: learner.shapes, outputs: learner.outputs };
}"""


@pytest.fixture(scope="module")
def trained(new_page, tmp_path_factory):
    """Trains a cell in the worker of a page that has every cell, and says with what and how it went."""
    path = write_playground(tmp_path_factory.mktemp("playground") / "page.html", [*BUILT_IN, *CUSTOM_CELLS])
    page = new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("#verdict:not(:empty)")  # the worker's first words

    def train(cell, truncation=0, script=TRAIN, **changes):
        entry = {"cell": get(cell).name, "forgetBias": 1, "clipping": 0.5, "truncation": truncation}
        settings = {**SETTINGS, **changes}
        return settings, page.workers[0].evaluate(script, {"settings": settings, "entry": entry, "steps": 20})

    yield train
    page.close()


def batch_of(drawn, settings, features, kind):
    """The inputs, (time, batch, features), the targets and which steps are scored."""
    steps, batch = settings["length"], settings["batch"]
    scored = torch.tensor(drawn["scored"], dtype=torch.bool)
    is_number = drawn["tokens"] is None
    targets = torch.tensor(drawn["targets"], dtype=kind if is_number else torch.int64).reshape(steps, batch)[scored]
    if not is_number:
        tokens = torch.tensor(drawn["tokens"]).reshape(steps, batch)
        return torch.nn.functional.one_hot(tokens, features).to(kind), targets, scored
    x = torch.tensor(drawn["x"], dtype=kind).reshape(steps, features, batch)
    return x.transpose(1, 2).contiguous(), targets, scored


def loss_of(outputs, targets):
    if targets.is_floating_point():
        return mse_loss(outputs.squeeze(-1), targets)
    return cross_entropy(outputs.flatten(0, 1), targets.flatten())


def tensors_of(result, kind):
    return {name: torch.tensor(v, dtype=kind).reshape(result["shapes"][name]) for name, v in result["weights"].items()}


def layer_by_equations(spec, weights, layer, x, units, truncation):
    """The output of one layer by step() itself, (time, batch, units)."""
    of = lambda name: weights.get(f"recurrent.{name}_l{layer}")  # noqa: E731
    states = dict.fromkeys(spec.states, x.new_zeros(x.shape[1], units))
    outputs = []
    for t, value in enumerate(x):
        if truncation and t % truncation == 0:
            states = {name: state.detach() for name, state in states.items()}
        inputs = linear(value, of("weight_ih"), of("bias_ih")).split(units, dim=1)
        recurrent = ()
        if spec.recurrent_gates:
            recurrent = linear(states["h"], of("weight_hh"), of("bias_hh")).split(units, dim=1)
        arguments = []
        for argument, (kind, _) in zip(spec.arguments, spec.sources, strict=True):
            gate = argument[2:]
            if kind == "state":
                arguments.append(states[argument])
            elif kind == "p":
                arguments.append(of("weight_unit")[spec.unit_weights.index(gate)])
            else:
                total = inputs[spec.input_gates.index(gate)] if kind in "ax" else 0.0
                arguments.append(total + (recurrent[spec.recurrent_gates.index(gate)] if kind in "au" else 0.0))
        named = spec.step(*arguments)
        states = {name: named[name] for name in spec.states}
        outputs.append(states["h"])
    return torch.stack(outputs)


@pytest.mark.parametrize("changes", TASKS, ids=["numbers", "symbols"])
@pytest.mark.parametrize("cell", [*BUILT_IN, *CUSTOM_CELLS], ids=lambda cell: cell.rpartition(":")[2])
def test_the_gradients_are_those_of_torch(trained, cell, changes):
    settings, result = trained(cell, truncation=5, **changes)
    weights = {name: tensor.requires_grad_() for name, tensor in tensors_of(result, torch.float64).items()}
    features = result["shapes"]["recurrent.weight_ih_l0"][1]
    x, targets, scored = batch_of(result["batches"][0], settings, features, torch.float64)
    for layer in range(settings["layers"]):
        x = layer_by_equations(get(cell), weights, layer, x, settings["units"], truncation=5)
    loss = loss_of(linear(x[scored], weights["output.weight"], weights["output.bias"]), targets)
    loss.backward()
    assert result["losses"][0] == pytest.approx(loss.item(), rel=1e-12)
    for name, weight in weights.items():
        # Both in double precision: what is left is the order of sums, some 100 of them long.
        expected = torch.zeros_like(weight) if weight.grad is None else weight.grad
        size = max(float(expected.abs().max()), 1e-6)
        computed = torch.tensor(result["gradients"][name], dtype=torch.float64)
        torch.testing.assert_close(
            computed, expected.flatten(), rtol=1e-9, atol=1e-11 * size, msg=lambda text, name=name: f"{name}: {text}"
        )


LOOK = """({ settings, entry, steps }) => {
  const race = new Race({ ...settings }, [entry]), { learner, probe } = race.runners[0];
  for (let n = 0; n < steps; n++) race.train();
  const list = (values) => (values ? [...values] : null), { x, tokens, targets, scored } = probe.drawn;
  const weights = Object.fromEntries(Object.entries(learner.weights).map(([name, values]) => [name, list(values)]));
  const { gradients, halfLives, maps, loss } = race.look(3)[0];
  return {
    weights, shapes: learner.shapes, loss, gradients: gradients.map(list), halfLives: halfLives.map(list),
    maps: maps.map((layer) => layer.map(list)),
    drawn: { x: list(x), tokens: list(tokens), targets: list(targets), scored: list(scored) },
  };
}"""


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "slstm"])
def test_what_is_shown_of_a_network_is_what_python_says_of_it(trained, cell):
    settings, shown = trained(cell, script=LOOK)
    weights = tensors_of(shown, torch.float32)
    layers = Recurrent(cell, 2, settings["units"], num_layers=settings["layers"])
    layers.load_state_dict({k.removeprefix("recurrent."): v for k, v in weights.items() if k.startswith("recurrent.")})
    x, targets, scored = batch_of(shown["drawn"], {**settings, "batch": SEQUENCES}, 2, torch.float32)

    def losses(result):
        said = linear(result[0][scored], weights["output.weight"], weights["output.bias"])
        return (said.squeeze(-1) - targets).square().sum()

    assert shown["loss"] == pytest.approx(losses(layers(x)).item() / SEQUENCES, rel=1e-4)
    flow = gradient_flow(layers, x, loss=losses)
    traced = trace(layers, x)
    for layer in range(settings["layers"]):
        np.testing.assert_allclose(shown["gradients"][layer], flow.curve(layer), rtol=1e-3, atol=1e-7)
        for name, values in zip(traced.names, shown["maps"][layer], strict=True):
            np.testing.assert_allclose(
                np.reshape(values, (-1, settings["units"])), traced[name][layer, 0, :, 3], atol=1e-4
            )
    if shown["halfLives"][0] is None:
        with pytest.raises(UsageError):
            half_lives(traced)
        return
    for row in half_lives(traced).iter_rows(named=True):
        assert shown["halfLives"][row["layer"]][row["unit"]] == pytest.approx(row["half_life"], rel=1e-3)


@pytest.mark.parametrize("changes", TASKS, ids=["numbers", "symbols"])
@pytest.mark.parametrize("cell", BUILT_IN)
def test_twenty_steps_of_training_are_those_of_the_library(trained, cell, changes):
    settings, result = trained(cell, **changes)
    weights = tensors_of(result, torch.float32)
    features = result["shapes"]["recurrent.weight_ih_l0"][1]
    layers = Recurrent(cell, features, settings["units"], num_layers=settings["layers"])
    layers.load_state_dict({k.removeprefix("recurrent."): v for k, v in weights.items() if k.startswith("recurrent.")})
    output = torch.nn.Linear(settings["units"], result["outputs"])
    output.load_state_dict({"weight": weights["output.weight"], "bias": weights["output.bias"]})
    parameters = [*layers.parameters(), *output.parameters()]
    adam = torch.optim.Adam(parameters, lr=settings["rate"])
    for drawn, said in zip(result["batches"], result["losses"], strict=True):
        x, targets, scored = batch_of(drawn, settings, features, torch.float32)
        loss = loss_of(output(layers(x)[0][scored]), targets)
        assert said == pytest.approx(loss.item(), abs=1e-4)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        adam.step()
    # It learnt something, so that the agreement says something.
    assert abs(result["losses"][-1] - result["losses"][0]) > 5e-4
