"""Many launches as one: what a scan does on a GPU, recorded once for its shapes and played again.

A step of a scan is two launches, and each takes the processor longer than the GPU. What comes back with the same shapes
is therefore recorded as a CUDA graph, on tensors of its own: what is given is copied in, what it gives is copied out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock

import torch
from torch import Tensor

Values = Sequence[Tensor | None]
Function = Callable[..., Values]

_MOST = 16
# Shapes that come once, as those of the last batch of an epoch, are not worth the recording.
_WORTH_RECORDING = 2
_recorded: OrderedDict[Hashable, _Recording | int] = OrderedDict()
_lock = Lock()


class _Recording:
    """One function on tensors of one set of shapes."""

    def __init__(self, function: Function, given: Values) -> None:
        self.given = [None if t is None else t.detach().clone() for t in given]
        side, now = torch.cuda.Stream(), torch.cuda.current_stream()
        side.wait_stream(now)
        with torch.cuda.stream(side):
            function(*self.given)  # compiles, and asks for what a recording must not ask for
        now.wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self.results = function(*self.given)

    def play(self, given: Values) -> Values:
        """The function of other values."""
        for mine, value in zip(self.given, given, strict=True):
            if mine is not None and value is not None:
                mine.copy_(value)
        self.graph.replay()
        return [None if t is None else t.clone() for t in self.results]


def run(key: Hashable, function: Function, given: Values) -> Values:
    """The function of the values; on a GPU recorded when it comes again with the same shapes.

    Args:
        key: What the function depends on besides the values.
        function: What is computed, without any look at a number.
        given: What it is computed from, all on one device.
    """
    device = next(t.device for t in given if t is not None)
    if device.type != "cuda" or torch.cuda.is_current_stream_capturing():
        return function(*given)
    shapes = tuple(None if t is None else (t.shape, t.stride(), t.dtype) for t in given)
    with _lock:
        whole = (key, torch.cuda.current_stream(device).cuda_stream, device, shapes)
        known = _recorded.pop(whole, 0)
        if isinstance(known, int):
            known = _Recording(function, given) if known + 1 >= _WORTH_RECORDING else known + 1
        _recorded[whole] = known
        _forget()
        return function(*given) if isinstance(known, int) else known.play(given)


def _forget() -> None:
    """Gives up the recordings that were not played for longest."""
    kept = [key for key, value in _recorded.items() if isinstance(value, _Recording)]
    for key in kept[: max(len(kept) - _MOST, 0)]:
        del _recorded[key]
    while len(_recorded) > 16 * _MOST:
        _recorded.popitem(last=False)
