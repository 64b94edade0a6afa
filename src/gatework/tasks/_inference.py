"""The interface of what answers for a trained run without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from gatework.data.dataset import Split
    from gatework.recipe import Recipe
    from gatework.tasks._stream import Stream


class Inference(Protocol):
    """A fitted task with its trained network as arrays, ready to answer.

    Its answers agree with those of the task with the network in torch to the rounding of the last sums.

    Attributes:
        threads: How many threads compute.
        is_batched: Whether several examples are answered faster together.
    """

    threads: int
    is_batched: bool

    def quantized(self) -> Inference:
        """The same with its recurrent layers on int8.

        Raises:
            UsageError: There is no such form of its network.
        """
        ...

    def predict(self, split: Split) -> pl.DataFrame:
        """As `Task.predict()`; what is said of an example does not depend on the others, to the last bit."""
        ...

    def pieces(self, split: Split) -> Iterator[str] | None:
        """As `Task.pieces()`."""
        ...

    def stream(self, recipe: Recipe) -> Stream:
        """As `Task.stream()`."""
        ...
