"""The state of a training run between two steps, as one file: all that is needed to go on exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gatework._files import read_tensors, write_tensors
from gatework.errors import RunError
from gatework.training.optimizer import Adam


@dataclass
class TrainingState:
    """Where a run stands.

    Attributes:
        epoch: The epoch under way, counted from 1.
        step: Steps done in this epoch.
        loss_sum: The loss of this epoch, summed.
        loss_weight: What it is a sum over, see `gatework.tasks.Loss`.
        sums: What else is followed in this epoch, summed.
        norm_sum: Sum over this epoch's steps of the gradient's norm before clipping.
        epoch_seconds: Seconds of training spent in this epoch.
        seconds: Seconds spent in all, evaluations of the validation part among them.
        history: One record per finished epoch, as in `metrics.jsonl`.
        best: The best validation metric so far.
        best_epoch: The epoch that had it; 0 before the first.
        is_finished: Whether no epoch is left.
    """

    epoch: int = 1
    step: int = 0
    loss_sum: float = 0.0
    loss_weight: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    norm_sum: float = 0.0
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: float = 0.0
    best_epoch: int = 0
    is_finished: bool = False


class Restored(NamedTuple):
    """What a checkpoint holds besides what goes straight into its place.

    Attributes:
        state: Where the run stands.
        best: The weights of the best epoch; empty before the first, or where they are not kept.
        carried: What the next batch goes on from, by shard.
        averaged: The averages of the weights; empty where there are none.
    """

    state: TrainingState
    best: dict[str, Tensor]
    carried: dict[int, tuple[Tensor, ...]]
    averaged: dict[str, Tensor]


def save(
    path: Path,
    state: TrainingState,
    model: nn.Module,
    optimizer: Adam,
    best: dict[str, Tensor],
    carried: Mapping[int, Sequence[Tensor]] = MappingProxyType({}),
    averaged: Mapping[str, Tensor] = MappingProxyType({}),
) -> None:
    """Writes weights, optimiser, the states of torch's random generators and progress in one piece.

    Args:
        path: The file to replace.
        state: Where the run stands.
        model: The network.
        optimizer: Its optimiser.
        best: The weights of the best epoch; empty before the first, or where they are not kept.
        carried: What the next batch goes on from, by shard.
        averaged: The averages of the weights; empty where there are none.
    """
    tensors: dict[str, Tensor] = {"random": torch.get_rng_state()}
    if any(tensor.is_cuda for tensor in optimizer.tensors):
        tensors["random_cuda"] = torch.cuda.get_rng_state()
    tensors |= {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"best/{name}": tensor for name, tensor in best.items()}
    tensors |= {f"average/{name}": tensor for name, tensor in averaged.items()}
    tensors |= {f"optimizer/{name}": tensor for name, tensor in optimizer.state().items()}
    tensors |= {f"carried/{n}/{place:03}": tensor for n, part in carried.items() for place, tensor in enumerate(part)}
    write_tensors(path, {name: tensor.cpu() for name, tensor in tensors.items()}, {"state": json.dumps(asdict(state))})


def load(path: Path, model: nn.Module, optimizer: Adam) -> Restored:
    """Restores what `save()` wrote into the network, the optimiser and torch's random generator.

    Raises:
        RunError: The file is corrupt or does not fit the network.
    """
    tensors, metadata = read_tensors(path)
    try:
        state = TrainingState(**json.loads(metadata["state"]))
        model.load_state_dict(_under(tensors, "model"))
        optimizer.load(_under(tensors, "optimizer"))
        torch.set_rng_state(tensors["random"])
        if "random_cuda" in tensors and any(tensor.is_cuda for tensor in optimizer.tensors):
            torch.cuda.set_rng_state(tensors["random_cuda"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise RunError(f"{path} does not belong to this run ({error}); delete it to train from the start") from None
    carried: dict[int, tuple[Tensor, ...]] = {}
    for name, tensor in sorted(_under(tensors, "carried").items()):
        shard = int(name.partition("/")[0])
        carried[shard] = (*carried.get(shard, ()), tensor)
    return Restored(state, _under(tensors, "best"), carried, _under(tensors, "average"))


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = prefix + "/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
