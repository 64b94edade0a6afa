"""The functions of `step()` that Triton lacks or computes too coarsely; what printed kernels call."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def larger(a: tl.tensor, b: tl.tensor) -> tl.tensor:
    """The larger of two values; not a number where either is none."""
    return tl.maximum(a, b, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def smaller(a: tl.tensor, b: tl.tensor) -> tl.tensor:
    """The smaller of two values; not a number where either is none."""
    return tl.minimum(a, b, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def sigmoid(x: tl.tensor) -> tl.tensor:
    """The logistic function, by an exponential that never overflows."""
    e = tl.exp(-tl.abs(x))
    share = 1 / (1 + e)
    return tl.where(x >= 0, share, e * share)


@triton.jit
def tanh(x: tl.tensor) -> tl.tensor:
    """The hyperbolic tangent; near 0, where the quotient would cancel, its series."""
    e = tl.exp(-2 * tl.abs(x))
    size = (1 - e) / (1 + e)
    y = x * x
    series = y * (62 / 2835 + y * (-1382 / 155925 + y * (21844 / 6081075 + y * (-929569 / 638512875))))
    series = x * (1 + y * (-1 / 3 + y * (2 / 15 + y * (-17 / 315 + series))))
    return tl.where(tl.abs(x) < 0.125, series, tl.where(x < 0, -size, size))


@triton.jit
def softplus(x: tl.tensor) -> tl.tensor:
    """log(1 + e^x); the rest that 1 + e loses is made up for, as in the usual log1p of a calculator."""
    e = tl.exp(-tl.abs(x))
    whole = 1 + e
    rest = tl.where(whole == 1, e, tl.log(whole) * (e / tl.where(whole == 1, e + 1, whole - 1)))
    return tl.where(x > 0, x, 0.0) + rest
