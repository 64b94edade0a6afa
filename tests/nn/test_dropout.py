"""Dropout from random bits is torch's dropout: as many zeros, anywhere, and what is kept scaled by what is kept."""

from __future__ import annotations

import pytest
import torch

from gatework.nn._dropout import dropout

COUNT = 400_000


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9])
def test_a_share_is_dropped_at_every_place_and_the_rest_and_its_gradient_are_scaled(share: float):
    torch.manual_seed(0)
    x = (torch.rand(COUNT // 8, 8) + 1).requires_grad_()
    y = dropout(x, share)
    is_zero = y == 0
    assert torch.equal(y.detach(), torch.where(is_zero, 0.0, x.detach() * torch.tensor(1 / (1 - share))))
    # Random words are cut in four: each of their quarters drops alike, within five standard deviations.
    spread = 5 * (share * (1 - share) / (COUNT / 8)) ** 0.5
    assert (is_zero.double().mean(0) - share).abs().max() < spread
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(gradient, torch.where(is_zero, 0.0, torch.tensor(1 / (1 - share))))


def test_the_seed_decides_and_neighbours_do_not_depend_on_each_other():
    def dropped(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return dropout(torch.ones(COUNT), 0.5) == 0

    first, again, other = dropped(0), dropped(0), dropped(1)
    assert torch.equal(first, again)
    for later in (other, first.roll(1), first.roll(4)):
        assert abs(float((first == later).double().mean()) - 0.5) < 5 * 0.5 / COUNT**0.5


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_every_type_keeps_its_own_and_odd_sizes_are_whole(dtype: torch.dtype):
    y = dropout(torch.ones(3, 7, dtype=dtype), 0.5)
    assert y.shape == (3, 7)
    assert y.dtype == dtype
    assert set(y.unique().tolist()) <= {0.0, 2.0}


def test_all_or_nothing():
    x = torch.randn(5)
    assert torch.equal(dropout(x, 0.4, is_training=False), x)
    assert torch.equal(dropout(x, 0.0), x)
    assert torch.equal(dropout(x, 1.0), torch.zeros(5))
    assert dropout(x[:0], 0.5).shape == (0,)
