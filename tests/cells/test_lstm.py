"""The LSTM in its two usual notations."""

import torch

from gatework.cells import lstm


def test_both_notations_give_the_same_numbers():
    generator = torch.Generator().manual_seed(3)
    hidden, features, batch = 4, 3, 6
    w, u, b, b2, x, h, c = (
        torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in (
            (4 * hidden, features),
            (4 * hidden, hidden),
            (4 * hidden,),
            (4 * hidden,),
            (batch, features),
            (batch, hidden),
            (batch, hidden),
        )
    )
    separate = lstm.step(*(x @ w.T + b + h @ u.T + b2).split(hidden, 1), c)
    matrix, bias = lstm.concatenated(w, u, b, b2)
    assert matrix.shape == (4 * hidden, hidden + features)
    together = lstm.step(*(torch.cat([h, x], 1) @ matrix.T + bias).split(hidden, 1), c)
    assert list(separate) == ["i", "f", "g", "o", "c", "h"]
    # Both are sums of 8 products of order 1, in another order: a few units in the last place.
    for name in separate:
        torch.testing.assert_close(separate[name], together[name], rtol=0, atol=64 * torch.finfo(torch.float64).eps)


def test_a_large_forget_gate_keeps_the_cell_state_and_a_small_one_drops_it():
    c = torch.tensor([2.0])
    zero, large = torch.tensor([0.0]), torch.tensor([30.0])
    kept = lstm.step(-large, large, zero, large, c)
    dropped = lstm.step(-large, -large, zero, large, c)
    torch.testing.assert_close(kept["c"], c)
    torch.testing.assert_close(dropped["c"], zero)
