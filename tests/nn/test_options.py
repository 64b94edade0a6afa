"""What acts around a cell: dropout on the recurrence, zoneout, weight drop, clipping, layer norm, and resets."""

import copy
import math
from unittest import mock

import pytest
import torch
from torch.nn.functional import layer_norm

import gatework
from gatework import cells
from gatework.errors import KindError, UsageError
from gatework.nn import LSTM, ScanOptions
from gatework.scan import counter_rng, kernels

TIME, BATCH, INPUT, HIDDEN = 7, 4, 3, 5
CELLS = ["lstm", "gru", "peephole", "indrnn", "slstm"]


def layer_of(cell: str = "lstm", *, seed: int = 1, **options):
    torch.manual_seed(seed)
    rest = {key: options.pop(key) for key in ("num_layers", "bidirectional", "batch_first") if key in options}
    return gatework.nn.Recurrent(cell, INPUT, HIDDEN, dtype=torch.float64, options=ScanOptions(**options), **rest)


def x_of(time: int = TIME) -> torch.Tensor:
    return torch.randn(time, BATCH, INPUT, dtype=torch.float64, generator=torch.Generator().manual_seed(9))


def listed(states) -> tuple[torch.Tensor, ...]:
    return states if isinstance(states, tuple) else (states,)


# Resets


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("has_lengths", [False, True])
def test_a_reset_makes_the_state_zero_before_its_step(cell: str, has_lengths: bool):
    layer, x = layer_of(cell, num_layers=2), x_of()
    lengths = [7, 4, 0, 6] if has_lengths else [TIME] * BATCH
    reset = torch.rand(TIME, BATCH, generator=torch.Generator().manual_seed(3)) < 0.3
    reset[0, 1] = True
    hx = tuple(torch.rand(2, BATCH, HIDDEN, dtype=torch.float64) + 0.1 for _ in layer.spec.states)
    output, finals = layer(x, hx if len(hx) > 1 else hx[0], lengths=lengths if has_lengths else None, reset=reset)
    for b in range(BATCH):
        states = [state[:, b : b + 1] for state in hx]
        for t in range(lengths[b]):
            if reset[t, b]:
                states = [torch.zeros_like(state) for state in states]
            y, after = layer(x[t : t + 1, b : b + 1], tuple(states) if len(states) > 1 else states[0])
            states = list(listed(after))
            torch.testing.assert_close(output[t, b], y[0, 0])
        assert not output[lengths[b] :, b].any()
        for final, state in zip(listed(finals), states, strict=True):
            torch.testing.assert_close(final[:, b], state[:, 0])


def test_resets_cut_both_directions_into_the_same_pieces():
    layer, x = layer_of(bidirectional=True), x_of()
    reset = torch.zeros(TIME, BATCH)
    reset[3] = 1
    hx = tuple(torch.randn(2, BATCH, HIDDEN, dtype=torch.float64) for _ in range(2))
    output, finals = layer(x, hx, reset=reset)
    alone = [tuple(torch.stack([s[0] * on, s[1] * (1 - on)]) for s in hx) for on in (1, 0)]
    first, ends = layer(x[:3], alone[0])
    second, later = layer(x[3:], alone[1])
    torch.testing.assert_close(output, torch.cat([first, second]))
    for final, early, late in zip(finals, ends, later, strict=True):
        torch.testing.assert_close(final, torch.stack([late[0], early[1]]))
    traced = layer.trace(x, hx, reset=reset)
    torch.testing.assert_close(torch.cat([*traced["h"][0]], -1), output)


def test_gradients_pass_through_pieces_and_stop_at_resets():
    layer, x = layer_of(), x_of().requires_grad_()
    reset = torch.zeros(TIME, BATCH, dtype=torch.bool)
    reset[4] = True
    layer(x, reset=reset)[0][-1].sum().backward()
    assert not x.grad[:4].any()
    assert x.grad[4:].abs().sum(-1).all()


def test_no_resets_and_no_steps_are_as_without():
    layer, x = layer_of(batch_first=True), x_of().transpose(0, 1)
    torch.testing.assert_close(layer(x, reset=torch.zeros(BATCH, TIME)), layer(x))
    empty = torch.zeros(BATCH, 0, INPUT, dtype=torch.float64)
    assert layer(empty, reset=torch.zeros(BATCH, 0))[0].shape == (BATCH, 0, HIDDEN)
    single = layer_of()
    torch.testing.assert_close(single(x[0], reset=torch.zeros(TIME)), single(x[0]))


def test_resets_that_do_not_fit_are_one_sentence():
    layer, x = layer_of(), x_of()
    with pytest.raises(UsageError, match=r"reset must have shape \(7, 4\), \(time, batch\); got \(4, 7\)"):
        layer(x, reset=torch.zeros(BATCH, TIME))
    with pytest.raises(KindError, match="reset must be a Tensor, got list"):
        layer(x, reset=[True])
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.full((BATCH,), TIME))
    with pytest.raises(UsageError, match="reset= needs a padded batch"):
        layer(packed, reset=torch.zeros(TIME, BATCH))


# Masks


def test_a_mask_depends_on_its_seed_and_place_alone():
    def mask(seed: int, *place: int, count: int = 20_000) -> torch.Tensor:
        return counter_rng.is_kept(seed, *place, shape=(count,), share=0.7, device=torch.device("cpu"))

    one = mask(5, 0, 1)
    before = torch.get_num_threads()
    torch.set_num_threads(1 if before > 1 else 2)
    again = mask(5, 0, 1)
    torch.set_num_threads(before)
    assert torch.equal(one, again)
    assert torch.equal(mask(5, 0, 1, count=100), one[:100])
    # The share of 20,000 draws is within 5 standard deviations of 0.7, that of two masks alike within 5 of 0.58.
    for other in (one, mask(6, 0, 1), mask(5, 1, 1), mask(5, 0, 2)):
        assert abs(other.double().mean() - 0.7) < 5 * math.sqrt(0.21 / 20_000)
        if other is not one:
            assert abs((other == one).double().mean() - 0.58) < 5 * math.sqrt(0.58 * 0.42 / 20_000)


@pytest.mark.parametrize("options", [{"recurrent_dropout": 0.4}, {"zoneout": 0.3}, {"weight_drop": 0.5}])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_masks_come_from_torchs_seed_and_only_in_training(cell: str, options: dict):
    layer, x = layer_of(cell, num_layers=2, **options), x_of()
    runs = []
    for seed in (4, 4, 5):
        torch.manual_seed(seed)
        runs.append(layer(x)[0])
    assert torch.equal(runs[0], runs[1])
    assert not torch.allclose(runs[0], runs[2])
    layer.eval()
    assert torch.equal(layer(x)[0], layer(x)[0])


@pytest.mark.parametrize("options", [{"zoneout": 0.3}, {"clip": 0.2}, {"layer_norm": True}])
def test_inference_mode_and_no_grad_give_what_a_forward_pass_gives(options: dict):
    layer, x = layer_of(num_layers=2, bidirectional=True, **options).eval(), x_of()
    output, states = layer(x)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            plain, finals = layer(x)
        assert not plain.requires_grad
        assert torch.equal(plain, output)
        assert all(torch.equal(a, b) for a, b in zip(listed(finals), listed(states), strict=True))


def test_recurrent_dropout_hides_the_same_units_from_every_recurrent_product():
    layer, x = layer_of(recurrent_dropout=0.4), x_of()
    torch.manual_seed(8)
    output, _ = layer(x)
    torch.manual_seed(8)
    seed = counter_rng.drawn_seed()
    kept = counter_rng.is_kept(seed, 0, 0, shape=(BATCH, HIDDEN), share=0.6, device=x.device).double() / 0.6
    assert 0 < kept.count_nonzero() < kept.numel()
    h = c = x.new_zeros(BATCH, HIDDEN)
    for t in range(TIME):
        sums = x[t] @ layer.weight_ih_l0.T + layer.bias_ih_l0 + (h * kept) @ layer.weight_hh_l0.T + layer.bias_hh_l0
        values = cells.get("lstm").step(*sums.chunk(4, 1), c)
        h, c = values["h"], values["c"]
        torch.testing.assert_close(output[t], h)


def test_zoneout_keeps_states_in_training_and_takes_the_mean_in_evaluation():
    layer, x = layer_of(zoneout={"c": 0.5, "h": 0.25}), x_of(1)
    h, c = torch.randn(1, BATCH, HIDDEN).double(), torch.randn(1, BATCH, HIDDEN).double()
    plain = LSTM(INPUT, HIDDEN, dtype=torch.float64)
    plain.load_state_dict(layer.state_dict())
    _, (new_h, new_c) = plain(x, (h, c))
    _, (found_h, found_c) = layer(x, (h, c))
    for found, old, new in ((found_h, h, new_h), (found_c, c, new_c)):
        is_kept = found == old
        torch.testing.assert_close(found, torch.where(is_kept, old, new))
        assert 0 < is_kept.sum() < is_kept.numel()
    layer.eval()
    _, (mean_h, mean_c) = layer(x, (h, c))
    torch.testing.assert_close(mean_h, 0.25 * h + 0.75 * new_h)
    torch.testing.assert_close(mean_c, 0.5 * c + 0.5 * new_c)
    streamed, (step_h, _) = layer.step(x[0], (h, c))
    torch.testing.assert_close((streamed, step_h), (mean_h[0], mean_h))


def test_weight_drop_zeroes_the_recurrent_matrix_and_leaves_the_parameter_whole():
    layer, x = layer_of(weight_drop=0.5), x_of()
    before = copy.deepcopy(layer.state_dict())
    torch.manual_seed(6)
    output, _ = layer(x)
    output.sum().backward()
    torch.manual_seed(6)
    dropped = torch.nn.functional.dropout(layer.weight_hh_l0.detach(), 0.5)
    plain = LSTM(INPUT, HIDDEN, dtype=torch.float64)
    plain.load_state_dict({**before, "weight_hh_l0": dropped})
    torch.testing.assert_close(output, plain(x)[0])
    assert torch.equal(layer.weight_hh_l0.grad == 0, dropped == 0)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


@pytest.mark.parametrize("cell", ["lstm", "peephole"])
def test_a_clipped_state_stays_in_bounds_and_passes_no_gradient_beyond(cell: str):
    layer, x = layer_of(cell, clip=0.5), 20 * x_of()
    c = torch.full((1, BATCH, HIDDEN), 3.0, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        layer.bias_ih_l0[HIDDEN : 2 * HIDDEN] += 400  # the forget gate stays open
    output, (_, final) = layer(0 * x[:2], (torch.zeros_like(c), c))
    assert final.abs().max() == 0.5
    plain = gatework.nn.Recurrent(cell, INPUT, HIDDEN, dtype=torch.float64)
    plain.load_state_dict(layer.state_dict())
    first, (h, carried) = plain(0 * x[:1], (torch.zeros_like(c), c))
    second, _ = plain(0 * x[:1], (h, carried.clamp(-0.5, 0.5)))
    torch.testing.assert_close(output, torch.cat([first, second]))
    layer(0 * x[:1], (torch.zeros_like(c), c))[1][1].sum().backward()
    assert not c.grad.any()


# Layer norm


def test_layer_norm_follows_its_equations():
    layer, x = layer_of(layer_norm=True, num_layers=2), x_of()
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if "norm" in name:
                parameter.normal_()
    output, (h_end, c_end) = layer(x)
    for k in range(2):
        w, u, b, d, gain_x, gain_h, gain_c, shift_c = (
            getattr(layer, f"{name}_l{k}")
            for name in (
                *("weight_ih", "weight_hh", "bias_ih", "bias_hh"),
                *("norm_ih", "norm_hh", "norm_state", "norm_state_bias"),
            )
        )
        h = c = x.new_zeros(BATCH, HIDDEN)
        outputs = []
        for step in x:
            sums = layer_norm(step @ w.T, w.shape[:1], gain_x, b) + layer_norm(h @ u.T, u.shape[:1], gain_h, d)
            i, f, g, o = sums.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(layer_norm(c, (HIDDEN,), gain_c[0], shift_c[0]))
            outputs.append(h)
        x = torch.stack(outputs)
        torch.testing.assert_close((h_end[k], c_end[k]), (h, c))
    torch.testing.assert_close(output, x)


@pytest.mark.parametrize("cell", list(cells.BUILT_IN))
def test_every_option_together_with_every_cell_trains_and_streams(cell: str):
    options = {"recurrent_dropout": 0.2, "zoneout": 0.1, "weight_drop": 0.2, "layer_norm": True}
    if "c" in cells.get(cell).states:
        options["clip"] = 3.0
    layer, x = layer_of(cell, num_layers=2, bidirectional=True, **options), x_of()
    reset = torch.zeros(TIME, BATCH)
    reset[3, 1] = 1
    output, _ = layer(x, lengths=[7, 5, 0, 2], reset=reset)
    output.square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    forward = layer_of(cell, num_layers=2, **options).eval()
    whole, state = forward(x)[0], None
    for t in range(TIME):
        y, state = forward.step(x[t], state)
        torch.testing.assert_close(y, whole[t])
    assert torch.equal(copy.deepcopy(forward)(x)[0], whole)


@pytest.mark.parametrize("cell", list(cells.BUILT_IN))
def test_the_kernels_take_every_option(cell: str):
    options = {"recurrent_dropout": 0.2, "zoneout": 0.1, "layer_norm": True}
    layer, x = layer_of(cell, num_layers=2, **options), x_of()
    torch.manual_seed(3)
    with mock.patch("gatework.scan.reference.run", side_effect=AssertionError("a loop")):
        output, _ = layer(x)
        output.sum().backward()
    gradients = [parameter.grad.clone() for parameter in layer.parameters()]
    layer.zero_grad()
    torch.manual_seed(3)
    with mock.patch("gatework.nn._paths.choose", return_value="reference"):
        expected, _ = layer(x)
    expected.sum().backward()
    torch.testing.assert_close(output, expected)
    for found, parameter in zip(gradients, layer.parameters(), strict=True):
        torch.testing.assert_close(found, parameter.grad)
    with torch.no_grad(), mock.patch("gatework.scan.reference.trace", side_effect=AssertionError("a loop")):
        torch.manual_seed(3)
        torch.testing.assert_close(layer.trace(x)["h"][-1, 0], expected)


@pytest.mark.parametrize("options", [{"recurrent_dropout": 0.4}, {"zoneout": 0.3}])
def test_masks_depend_neither_on_threads_nor_on_the_instruction_set(options: dict):
    layer = gatework.nn.LSTM(40, 70, options=ScanOptions(**options))
    x = torch.randn(50, 33, 40, generator=torch.Generator().manual_seed(5))
    states, before = [], torch.get_num_threads()
    try:
        for isa in kernels.supported_isas():
            for threads in (1, 3):
                torch.set_num_threads(threads)
                torch.manual_seed(4)
                with kernels.use_isa(isa), torch.no_grad():
                    states.append(layer.trace(x)["c"][0, 0])
    finally:
        torch.set_num_threads(before)
    # A unit that is zoned out has the very same state as a step before.
    for state in states:
        torch.testing.assert_close(state, states[0])
        assert torch.equal(state[1:] == state[:-1], states[0][1:] == states[0][:-1])


@pytest.mark.parametrize("options", [{"zoneout": 0.3, "clip": 0.4}, {"layer_norm": True, "recurrent_dropout": 0.3}])
def test_gradients_of_gradients_pass_what_acts_around_the_cell(options: dict):
    layer, x = layer_of(**options), x_of(3).requires_grad_()

    def run(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(2)
        return layer(x)[0]

    assert torch.autograd.gradgradcheck(run, x)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recurrent_dropout": 1.0}, "recurrent_dropout is a share"),
        ({"zoneout": {"c": -0.1}}, "zoneout of c is a share"),
        ({"zoneout": {"m": 0.1}}, 'has no state "m"'),
        ({"clip": 0.0}, "clip is a distance above 0"),
    ],
)
def test_an_option_out_of_its_range_is_refused(options: dict, words: str):
    with pytest.raises(UsageError, match=words):
        layer_of(**options)


def test_a_clip_without_a_cell_state_is_refused():
    with pytest.raises(UsageError, match='"gru" has no cell state c'):
        layer_of("gru", clip=1.0)
