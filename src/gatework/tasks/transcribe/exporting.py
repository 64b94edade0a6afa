"""The network that listens as other people's systems call it: features in, the letters' log-probabilities out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gatework.tasks.transcribe.model import SpeechModel

if TYPE_CHECKING:
    from gatework.tasks._after_training import Exportable

_RECORDINGS, _FRAMES = 3, 17


class Listener(nn.Module):
    """A network that listens to recordings of several lengths, each to its own end."""

    def __init__(self, network: SpeechModel) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The log-probabilities of every letter at every step, and the steps of each recording.

        Args:
            inputs: Features, shape (batch, frames, bands).
            lengths: Frames of each recording, shape (batch,).

        Returns:
            Shape (batch, steps, letters + 1), the blank first; and (batch,).
        """
        network, stack = self.network, self.network.hearing.stack
        x = network.normalised(inputs, lengths)
        # As many frames behind as may be missing, and none of those that are not: no size decides what is computed.
        steps = (inputs.shape[1] + stack - 1) // stack
        x = nn.functional.pad(x, (0, 0, 0, stack - 1))[:, : steps * stack].reshape(x.shape[0], steps, -1)
        counts = torch.div(lengths + stack - 1, stack, rounding_mode="floor")
        hidden, _ = network.recurrent(x.transpose(0, 1), lengths=counts)
        return network.read(hidden).transpose(0, 1), counts


def exportable(network: SpeechModel) -> Exportable:
    """What is written of a network that listens, and how `gatework.export.onnx` is called for it."""
    example = torch.zeros(_RECORDINGS, _FRAMES, len(network.hearing.mean)), torch.tensor([_FRAMES, 9, 4])
    keywords = {"inputs": example, "fixed": {"inputs": (2,)}, "output_names": ("log_probs", "steps")}
    return {"": (Listener(network).eval(), keywords)}
