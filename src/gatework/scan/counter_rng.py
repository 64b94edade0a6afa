"""Random masks by counters: the same seed and place give the same mask, whatever computes it and on how many threads.

Every element's number is a hash of the seed and of the element's own place, so nothing depends on the order in which
elements are drawn. Source: the finaliser of SplitMix64, G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom
number generators", OOPSLA 2014.
"""

from __future__ import annotations

import torch
from torch import Tensor

_STEP, _FIRST, _SECOND = -7046029254386353131, -4658895280553007687, -7723592293110705685  # as signed 64-bit numbers


def drawn_seed() -> int | Tensor:
    """A seed from torch's generator, so that `torch.manual_seed` decides it; a tensor in a program being compiled."""
    seed = torch.randint(2**62, ())
    return seed if torch.compiler.is_compiling() else int(seed)


def is_kept(seed: int, *place: int, shape: tuple[int, ...], share: float, device: torch.device) -> Tensor:
    """A mask, true with the probability `share`.

    Args:
        seed: The seed of the whole forward pass.
        place: What tells this mask from others of the same pass, such as the layer and the step.
        shape: Its shape.
        share: The probability of true.
        device: Where it lies.
    """
    count = 1
    for size in shape:
        count *= size
    start = chained(seed, *place)
    start -= 2**64 if start >= 2**63 else 0
    numbers = _mixed(torch.arange(1, count + 1, device=device) * _STEP + start)
    return (_shifted(numbers, 11) < int(share * 2**53)).view(shape)


def is_kept_each(
    seed: int, *place: int, steps: int, shape: tuple[int, ...], share: float, device: torch.device
) -> Tensor:
    """The masks of `is_kept()` at each of the steps, whose numbers end the place; shape (steps, *shape)."""
    starts = [chained(seed, *place, step) for step in range(steps)]
    starts = [start - 2**64 if start >= 2**63 else start for start in starts]
    counted = torch.arange(1, torch.Size(shape).numel() + 1, device=device) * _STEP
    numbers = _mixed(counted + torch.tensor(starts, device=device)[:, None])
    return (_shifted(numbers, 11) < int(share * 2**53)).view(steps, *shape)


def chained(seed: int, *place: int) -> int:
    """The seed of the masks at a place, from 0 to below 2^64."""
    for part in place:
        z = (seed + (part + 1) * _STEP) % 2**64
        z = (z ^ (z >> 30)) * _FIRST % 2**64
        z = (z ^ (z >> 27)) * _SECOND % 2**64
        seed = z ^ (z >> 31)
    return seed % 2**64


def _mixed(z: Tensor) -> Tensor:
    z = (z ^ _shifted(z, 30)) * _FIRST
    z = (z ^ _shifted(z, 27)) * _SECOND
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, bits: int) -> Tensor:
    """A shift to the right that fills with zeros, which torch's of signed numbers does not."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)
