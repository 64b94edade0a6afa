"""Dropout of single numbers on the processor, in less than half of the time that torch takes for drawing them.

torch draws a whole number of 32 bits for each and changes it to a float; here 16 random bits are compared with the
share, which is thereby rounded to a multiple of $2^{-16}$.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_BITS = 16
_LEAST = torch.iinfo(torch.int64).min


def dropout(x: Tensor, share: float, is_training: bool = True) -> Tensor:
    """Zeros in the place of a share of numbers, the others scaled up by what is kept; by torch's generator.

    Args:
        x: Any shape.
        share: The share that is dropped.
        is_training: Whether anything is dropped.
    """
    is_plain = x.device.type == "cpu" and x.numel() and share < 1 and not torch.compiler.is_compiling()
    if not (is_training and share and is_plain):
        return nn.functional.dropout(x, share, is_training)
    words = torch.empty(-(-x.numel() * _BITS // 64), dtype=torch.int64).random_(_LEAST, None)
    bits = words.view(torch.int16)[: x.numel()].view(x.shape)
    is_kept = bits >= round(share * 2**_BITS) - 2 ** (_BITS - 1)
    return x * is_kept.to(x.dtype).mul_(1 / (1 - share))


class Dropout(nn.Module):
    """`dropout()` while a network is trained.

    Args:
        share: The share that is dropped.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Numbers of any shape, some of them zero and the others scaled up by 1 / (1 - share)."""
        return dropout(x, self.share, self.training)
