"""A translator as other people's systems call it: an encoder, and one step of the decoder, each a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gatework.errors import UsageError
from gatework.nn.attention import Memory
from gatework.tasks.translate.model import TranslationModel

if TYPE_CHECKING:
    from gatework.tasks._after_training import Exportable

_TEXTS, _PIECES = 3, 5
# What is added to the scores of places behind a source's end; a decoder that is given less looks nowhere there.
_BEYOND = -1e9


class Encoder(nn.Module):
    """What reads the source."""

    def __init__(self, model: TranslationModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """What the decoder looks at, and the states that it begins in.

        Args:
            inputs: The source's pieces, shape (batch, source), int64.
            lengths: Pieces of each, shape (batch,).

        Returns:
            The memory's vectors and keys, shape (batch, source, ...); 0 at the source's places and far below it behind
            its end, shape (batch, source); and the decoder's first states, shape (layers, batch, hidden).
        """
        model = self.model
        outputs, states = model.encoder(model.vectors(inputs.transpose(0, 1)), lengths=lengths)
        values, keys, _ = model.decoder.remember(outputs)
        places = torch.arange(inputs.shape[1])
        reach = torch.where(places >= lengths[:, None], _BEYOND, 0.0).to(values.dtype)
        states = states if isinstance(states, tuple) else (states,)
        return values, keys, reach, *(model.beside(state) for state in states)


class _Step(nn.Module):
    """One step of the decoder."""

    def __init__(self, model: TranslationModel) -> None:
        super().__init__()
        self.model = model

    def _scored(
        self, previous: Tensor, memory: tuple[Tensor, Tensor, Tensor], state: Any
    ) -> tuple[Tensor, Any, Tensor]:
        values, keys, reach = memory
        looked = Memory(values, keys, reach < _BEYOND / 2)
        decoded = self.model.decoder(self.model.vectors(previous)[None], looked, state)
        weights = torch.zeros_like(reach) if decoded.weights is None else decoded.weights[0]
        return self.model.scored(decoded.output[0]), decoded.state, weights


class OneStateStep(_Step):
    """The step of a cell that carries h."""

    def forward(
        self, previous: Tensor, values: Tensor, keys: Tensor, reach: Tensor, h: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The scores of every piece, shape (batch, vocabulary), where it looked, and h."""
        scores, state, weights = self._scored(previous, (values, keys, reach), h)
        return scores, weights, state


class TwoStateStep(_Step):
    """The step of a cell that carries h and c."""

    def forward(
        self, previous: Tensor, values: Tensor, keys: Tensor, reach: Tensor, h: Tensor, c: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The scores of every piece, shape (batch, vocabulary), where it looked, and h and c."""
        scores, state, weights = self._scored(previous, (values, keys, reach), (h, c))
        return scores, weights, *state


def exportable(model: TranslationModel) -> Exportable:
    """What is written of a translator, and how `gatework.export.onnx` is called for each part.

    Raises:
        UsageError: Its decoder has no attention or feeds its output back, or its cell carries more than h and c.
    """
    names = model.decoder.recurrent.spec.states
    if model.decoder.attention is None or model.decoder.input_feeding:
        raise UsageError("translators are written with attention and without input feeding, and this one is not so")
    if set(names) - {"h", "c"}:
        raise UsageError(f"the cell carries {', '.join(names)}, and translators are written of cells with h and c")
    vocabulary = len(model.bias)
    pieces = torch.arange(_TEXTS * _PIECES).view(_TEXTS, _PIECES) % vocabulary
    lengths = torch.tensor([_PIECES, 3, 2])
    parts = ("values", "keys", "reach", *names)
    encoder = Encoder(model).eval()
    with torch.no_grad():
        memory = encoder(pieces, lengths)
    step = (OneStateStep if len(names) == 1 else TwoStateStep)(model).eval()
    axes = {"values": (2,), "keys": (2,)} | dict.fromkeys(names, (0, 2))
    return {
        "encoder": (encoder, {"inputs": (pieces, lengths), "output_names": parts}),
        "step": (
            step,
            {
                "inputs": (pieces[:, 0].contiguous(), *memory),
                "fixed": axes,
                "output_names": ("scores", "weights", *(f"{name}_next" for name in names)),
                "state": {name: f"{name}_next" for name in names},
            },
        ),
    }
