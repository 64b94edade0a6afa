"""A language model that writes without torch: its weights as arrays, in the native loop."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from gatework.decoding.loop import Matrices, NativeLayers, WritingLoop
from gatework.errors import UsageError
from gatework.inference._layers import Layers, has_layers, weight_shapes
from gatework.tasks.generate.interactive import Turns, played
from gatework.tasks.generate.prompts import asked
from gatework.tasks.generate.writing import drawn_by, streamed, written

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.dataset import Split
    from gatework.data.pieces import Tokens
    from gatework.options import ModelOptions
    from gatework.recipe import Recipe
    from gatework.tasks._stream import Stream

_RECURRENT = "recurrent."


class LanguageInference:
    """A trained language model as arrays; see `gatework.tasks._inference.Inference`.

    Args:
        tokens: What texts are read as.
        writer: The network.
    """

    is_batched = False

    def __init__(self, tokens: Tokens, writer: WritingLoop) -> None:
        self._tokens, self._writer = tokens, writer

    @classmethod
    def of(cls, tokens: Tokens, config: ModelOptions, weights: Mapping[str, np.ndarray]) -> LanguageInference | None:
        """A network of this recipe; None where it cannot be computed here, or these are not its weights.

        Args:
            tokens: What texts are read as.
            config: The cell, its size and its options.
            weights: By the names that training gives them.
        """
        if not has_layers(config) or config.bidirectional:
            return None
        shapes = _shapes(config, len(tokens))
        if set(shapes) != set(weights) or any(
            weights[name].shape != shape or weights[name].dtype != np.float32 for name, shape in shapes.items()
        ):
            return None
        held = {name: np.ascontiguousarray(array) for name, array in weights.items()}
        recurrent = {name.removeprefix(_RECURRENT): w for name, w in held.items() if name.startswith(_RECURRENT)}
        layers = Layers(config, config.embedding, recurrent)
        widths = [config.hidden] * layers.states
        embedding = held["embedding.weight"]
        writer = WritingLoop(
            NativeLayers(layers.kernel, layers.records, (), config.embedding, widths, layers),
            Matrices(embedding, held["projection.weight"], held["projection.bias"], embedding, held["bias"]),
        )
        return cls(tokens, writer)

    @property
    def threads(self) -> int:
        """How many threads compute."""
        return self._writer.threads

    @threads.setter
    def threads(self, count: int) -> None:
        self._writer.threads = count

    def quantized(self) -> LanguageInference:
        """Refuses.

        Raises:
            UsageError: Always.
        """
        raise UsageError("a language model has no int8 form yet: its loop reads float32; leave out weights int8")

    def predict(self, split: Split) -> pl.DataFrame:
        """The text that follows each prompt: "prompt", "sample" and "text"."""
        return written(drawn_by(self._writer), self._tokens, *asked(split))

    def pieces(self, split: Split) -> Iterator[str]:
        """The text that follows the prompt, as it comes."""
        texts, request = asked(split)
        if request.is_interactive:
            return played(Turns(self._writer, self._tokens, texts[0], request), sys.stdin)
        return streamed(drawn_by(self._writer), self._tokens, texts, request)

    def stream(self, recipe: Recipe) -> Stream:
        """Refuses.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f'the task "{recipe.task}" cannot answer row by row')


def _shapes(config: ModelOptions, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """The weights of the network by name, with their shapes."""
    layers = {f"{_RECURRENT}{name}": shape for name, shape in weight_shapes(config, config.embedding).items()}
    return layers | {
        "embedding.weight": (vocabulary, config.embedding),
        "projection.weight": (config.embedding, config.hidden),
        "projection.bias": (config.embedding,),
        "bias": (vocabulary,),
    }
