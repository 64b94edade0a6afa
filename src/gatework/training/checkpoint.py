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

_LONGEST_REASON = 200
_RECORDED = ("epoch", "validation_loss", "seconds", "ms_per_step")
"""What every record of an epoch says."""


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
        best, averaged = _under(tensors, "best"), _under(tensors, "average")
        _check(state, model, best, averaged)
        model.load_state_dict(_under(tensors, "model"))
        optimizer.load(_under(tensors, "optimizer"))
        torch.set_rng_state(tensors["random"])
        if "random_cuda" in tensors and any(tensor.is_cuda for tensor in optimizer.tensors):
            torch.cuda.set_rng_state(tensors["random_cuda"])
        carried = _carried(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        raise RunError(f"{path} does not belong to this run ({reason}); delete it to train from the start") from None
    return Restored(state, best, carried, averaged)


def _check(state: TrainingState, model: nn.Module, best: Mapping[str, Tensor], averaged: Mapping[str, Tensor]) -> None:
    """Raises a ValueError where progress is none that a training stands at, or weights are those of another network."""
    counts, sums = (state.epoch, state.step, state.best_epoch), (state.best, state.epoch_seconds, state.seconds)
    followed = (state.loss_sum, state.loss_weight, state.norm_sum, *state.sums.values())
    if not all(type(count) is int for count in counts) or not all(map(_is_number, (*sums, *followed))):
        raise ValueError("its progress is no number")
    done = len(state.history)
    if (
        state.epoch != done + 1
        or state.step < 0
        or not 0 <= state.best_epoch <= done
        or (done and not state.best_epoch)
    ):
        raise ValueError(f"it stands at epoch {state.epoch} and has {done} behind it")
    if not all(_is_number(record[name]) for record in state.history for name in _RECORDED):
        raise ValueError("what it says of an epoch is no number")
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    parameters = {name: shapes[name] for name, _ in model.named_parameters()}
    for kept, expected in ((best, shapes), (averaged, parameters)):
        if kept and {name: tensor.shape for name, tensor in kept.items()} != expected:
            raise ValueError("the weights that it keeps are those of another network")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _carried(tensors: dict[str, Tensor]) -> dict[int, tuple[Tensor, ...]]:
    carried: dict[int, tuple[Tensor, ...]] = {}
    for name, tensor in sorted(_under(tensors, "carried").items()):
        shard = int(name.partition("/")[0])
        carried[shard] = (*carried.get(shard, ()), tensor)
    return carried


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = prefix + "/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
