"""The reference scan against the equations written out by hand, in both layouts."""

import pytest
import torch
from torch import Tensor

from gatework import cells
from gatework.scan.reference import run, trace
from gatework.scan.scan import Scan, ScanWeights

TIME, BATCH, INPUT, HIDDEN = 4, 3, 2, 5


def some_weights(name: str, dtype: torch.dtype = torch.float64, projection: int = 0) -> ScanWeights:
    generator = torch.Generator().manual_seed(7)
    spec = cells.get(name)
    inputs, gates = len(spec.input_gates) * HIDDEN, len(spec.recurrent_gates) * HIDDEN

    def values(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=dtype) / 2

    return ScanWeights(
        values(inputs, INPUT),
        values(gates, projection or HIDDEN),
        values(inputs),
        values(gates),
        values(projection, HIDDEN) if projection else None,
        values(len(spec.unit_weights), HIDDEN) if spec.unit_weights else None,
    )


def some_states(name: str, output: int = HIDDEN) -> tuple[Tensor, ...]:
    spec = cells.get(name)
    return tuple(torch.randn(BATCH, output if s == "h" else HIDDEN, dtype=torch.float64) for s in spec.states)


def test_lstm_follows_its_equations_step_by_step():
    weights = some_weights("lstm")
    x = torch.randn(TIME, BATCH, INPUT, dtype=torch.float64)
    h, c = initial = some_states("lstm")
    outputs = []
    for t in range(TIME):
        sums = x[t] @ weights.weight_ih.T + weights.bias_ih + h @ weights.weight_hh.T + weights.bias_hh
        i, f, g, o = sums.split(HIDDEN, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    output, finals = run(Scan(cells.get("lstm"), x, weights, initial))
    torch.testing.assert_close(output, torch.stack(outputs))
    torch.testing.assert_close(finals, (h, c))


def test_gru_resets_after_the_recurrent_product():
    weights = some_weights("gru")
    x = torch.randn(1, BATCH, INPUT, dtype=torch.float64)
    (h,) = some_states("gru")
    xr, xz, xn = (x[0] @ weights.weight_ih.T + weights.bias_ih).split(HIDDEN, 1)
    ur, uz, un = (h @ weights.weight_hh.T + weights.bias_hh).split(HIDDEN, 1)
    z = torch.sigmoid(xz + uz)
    expected = (1 - z) * torch.tanh(xn + torch.sigmoid(xr + ur) * un) + z * h
    output, _ = run(Scan(cells.get("gru"), x, weights, (h,)))
    torch.testing.assert_close(output[0], expected)


@pytest.mark.parametrize("name", cells.BUILT_IN)
@pytest.mark.parametrize("reverse", [False, True])
def test_packed_rows_run_as_each_sequence_alone(name: str, reverse: bool):
    spec, weights = cells.get(name), some_weights(name)
    lengths = [4, 2, 0]
    states = some_states(name)
    sequences = [torch.randn(n, INPUT, dtype=torch.float64) for n in lengths]
    rows = torch.cat([torch.stack([s[t] for s in sequences if t < len(s)]) for t in range(TIME)])
    sizes = torch.tensor([2, 2, 1, 1])
    output, finals = run(Scan(spec, rows, weights, states, batch_sizes=sizes, reverse=reverse))
    steps = output.split(sizes.tolist())
    for n, sequence in enumerate(sequences[:2]):
        alone, ends = run(
            Scan(spec, sequence.unsqueeze(1), weights, tuple(s[n : n + 1] for s in states), reverse=reverse)
        )
        torch.testing.assert_close(torch.stack([steps[t][n] for t in range(lengths[n])]), alone[:, 0])
        torch.testing.assert_close(tuple(final[n] for final in finals), tuple(end[0] for end in ends))
    for final, state in zip(finals, states, strict=True):
        assert torch.equal(final[2], state[2]), "an empty sequence keeps its initial states"


@pytest.mark.parametrize("name", cells.BUILT_IN)
def test_a_trace_names_what_the_step_returns_and_its_h_is_the_output(name: str):
    spec = cells.get(name)
    x = torch.randn(TIME, BATCH, INPUT, dtype=torch.float64)
    output, finals, named = trace(Scan(spec, x, some_weights(name), some_states(name)))
    assert torch.equal(named["h"], output)
    for state, final in zip(spec.states, finals, strict=True):
        assert torch.equal(named[state][-1], final)
    assert all(values.shape == (TIME, BATCH, HIDDEN) for values in named.values())


def test_the_projection_acts_on_the_output_and_on_what_the_next_step_sees():
    weights = some_weights("lstm", projection=3)
    states = some_states("lstm", output=3)
    x = torch.randn(TIME, BATCH, INPUT, dtype=torch.float64)
    output, _, named = trace(Scan(cells.get("lstm"), x, weights, states))
    assert output.shape == (TIME, BATCH, 3)
    torch.testing.assert_close(output, (named["o"] * torch.tanh(named["c"])) @ weights.weight_hr.T)
    again, _ = run(Scan(cells.get("lstm"), x[2:], weights, (output[1], named["c"][1])))
    torch.testing.assert_close(again, output[2:])


@pytest.mark.parametrize("name", cells.BUILT_IN)
def test_no_steps_give_an_empty_output_and_the_initial_states(name: str):
    spec, states = cells.get(name), some_states(name)
    for x, sizes in ((torch.empty(0, BATCH, INPUT), None), (torch.empty(0, INPUT), torch.empty(0, dtype=torch.int64))):
        output, finals, named = trace(Scan(spec, x.double(), some_weights(name), states, batch_sizes=sizes))
        assert output.shape == (*x.shape[:-1], HIDDEN)
        assert set(named) >= {"h"}
        assert all(torch.equal(final, state) for final, state in zip(finals, states, strict=True))


@pytest.mark.parametrize("name", cells.BUILT_IN)
@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_agree_with_finite_differences(name: str, reverse: bool):
    spec, weights = cells.get(name), some_weights(name)
    x = torch.randn(5, INPUT, dtype=torch.float64)
    everything = weights._asdict()
    given = {name: tensor for name, tensor in everything.items() if tensor is not None and tensor.numel()}
    leaves = [leaf.requires_grad_() for leaf in (x, *given.values(), *some_states(name))]

    def results(x, *rest):
        known = dict(zip(given, rest[: len(given)], strict=True))
        sizes = torch.tensor([2, 2, 1])
        output, finals = run(Scan(spec, x, weights._replace(**known), rest[len(given) :], sizes, reverse))
        return output, *finals

    assert torch.autograd.gradcheck(results, leaves)
