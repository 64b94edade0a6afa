"""A forecaster's network as other people's systems call it: windows in, what is said of every step ahead out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gatework.data.dataset import Examples
    from gatework.tasks._after_training import Exportable
    from gatework.tasks.forecast.model import ForecastNetwork

_WINDOWS = 3


def exportable(network: ForecastNetwork, examples: Examples) -> Exportable:
    """What is written of a forecaster, and how `gatework.export.onnx` is called for it.

    Only how many windows there are is free; what has no columns is no input.

    Args:
        network: The network.
        examples: Some of its windows.
    """
    # More than one, so that their number stays free.
    windows = examples.batch(np.resize(np.arange(len(examples)), max(len(examples), _WINDOWS)))
    tensors = {name: tensor for name, tensor in windows.tensors().items() if tensor is not None and tensor.numel()}
    return {
        "": (
            network,
            {
                "inputs": tuple(tensors.get(name) for name in windows.tensors()),
                "fixed": {name: tuple(range(1, tensor.dim())) for name, tensor in tensors.items() if tensor.dim() > 1},
            },
        )
    }
