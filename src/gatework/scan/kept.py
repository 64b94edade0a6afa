"""Memory that a training step leaves to the next one.

A large tensor takes its memory fresh from the system, which clears it page by page at each training step: a twentieth
to a fifth of the step. What a forward pass saves is by far the largest, and the next step saves as much.
"""

from __future__ import annotations

import math
import weakref
from typing import Any

import torch
from torch import Tensor

# Below this the C library itself keeps what is freed (csrc/dispatch.cpp).
_ALWAYS_FRESH = 32 << 20


class KeptMemory:
    """The blocks that one stack of layers took for what its forward passes save, as long as it trains.

    A block comes back when the last tensor in it is gone, which is after the backward pass, and goes to the next tensor
    that fits. There are never more of them than were in use at once.
    """

    def __init__(self) -> None:
        self._free: list[Tensor] = []
        self._in_use: dict[int, weakref.ref[Any]] = {}

    def empty(self, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        """A tensor of that shape and the element type of `like`, with any numbers in it."""
        count = math.prod(shape)
        if count * like.element_size() < _ALWAYS_FRESH:
            return like.new_empty(shape)
        block = self._take(count)
        if block is None:
            block = like.new_empty(count)
        # torch holds the array as long as any tensor lies in it.
        array = block.numpy()[:count]
        key = id(array)

        def come_back(_: object) -> None:
            del self._in_use[key]
            self._free.append(block)

        self._in_use[key] = weakref.ref(array, come_back)
        return torch.from_numpy(array).view(shape)

    def release(self) -> None:
        """Gives back to the system what no tensor lies in."""
        self._free.clear()

    def _take(self, count: int) -> Tensor | None:
        """The smallest free block for that many elements; where all are too small, one of them goes."""
        self._free.sort(key=len)
        for place, block in enumerate(self._free):
            if len(block) >= count:
                return self._free.pop(place)
        if self._free:
            self._free.pop()
        return None
