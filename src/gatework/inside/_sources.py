"""What can be looked into: a run, a network, or a bare layer; and how its inputs reach the recurrent layer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from gatework.data.dataset import Batch, Split
from gatework.data.inputs import SeriesInputs
from gatework.data.text import TextEncoder, Texts
from gatework.errors import RunError, UsageError
from gatework.nn import GRU, LSTM, RNN, RecurrentLayer
from gatework.tasks._sequence import SequenceTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatework.training.run import Run

_TORCH_LAYERS = {"LSTM": LSTM, "GRU": GRU, "RNN_TANH": RNN, "RNN_RELU": RNN}


@dataclass(frozen=True)
class NamedSteps:
    """Examples as a run's network reads them.

    Attributes:
        batch: The encoded examples, in the order given.
        steps: What each step of each example reads: its token ("" for padding), or its number counted from 1.
    """

    batch: Batch
    steps: tuple[tuple[str, ...], ...]


def read(run: Run, inputs: Any) -> NamedSteps:
    """Encodes examples as the run's task does.

    Args:
        run: The run.
        inputs: One text or several; one series of shape (time,) or (time, input), or several of shape
            (examples, time, input); or a Split with its targets.

    Raises:
        RunError: The run's task reads neither texts nor series.
        UsageError: There is no example, an empty text, or a series of the wrong shape or with a missing value.
    """
    split = as_split(run, inputs)
    encoder = sequence_task(run).encoder
    batch = run.task.encode(split).batch(np.arange(len(split)))
    lengths = batch.lengths.tolist()
    if not isinstance(encoder, TextEncoder) or not isinstance(split.inputs, Texts):
        return NamedSteps(batch, tuple(tuple(str(step) for step in range(1, length + 1)) for length in lengths))
    words = encoder.names(split.inputs)
    return NamedSteps(batch, tuple(_step_names(row, length) for row, length in zip(words, lengths, strict=True)))


def sequence_task(run: Run) -> SequenceTask:
    """The task of a run that reads single texts or series.

    Raises:
        RunError: It reads something else.
    """
    if not isinstance(run.task, SequenceTask):
        raise RunError(
            f'{run.path} was trained for the task "{run.recipe.task}"; looking inside needs a run that reads single '
            "texts or series"
        )
    return run.task


def answered(network: nn.Module, batch: Any) -> Any:
    """The output of a network for a Batch, or of a layer for its input tensor."""
    return network(**batch.tensors()) if isinstance(batch, Batch) else network(batch)


def as_split(run: Run, inputs: Any) -> Split:
    """Examples as a Split, with zeros where no targets are given; see `read()` for arguments and errors."""
    task = sequence_task(run)
    encoder = task.encoder
    split = inputs if isinstance(inputs, Split) else None
    if split is None:
        values = _texts(inputs) if isinstance(encoder, TextEncoder) else _series(inputs, len(encoder.scale.mean))
        split = Split(values, task.no_targets(len(values)))
    if not len(split):
        raise UsageError("there is nothing to look at: give one text or series at least")
    return split


def _step_names(words: Sequence[str], length: int) -> tuple[str, ...]:
    # An empty text is read as one unknown word; padding in front is counted as steps.
    words = words or ["(nothing)"]
    return ("",) * (length - len(words)) + tuple(words)


def _texts(inputs: Any) -> Any:
    if isinstance(inputs, Texts):
        return inputs
    if isinstance(inputs, np.ndarray) and inputs.dtype.kind in "fiub":
        raise UsageError("the run reads texts and was given numbers; give one text or a list of texts")
    strings = [inputs] if isinstance(inputs, str) else list(inputs)
    for position, string in enumerate(strings):
        if not isinstance(string, str) or not string.strip():
            raise UsageError(f"text {position + 1} is {string!r}; give a text with one word at least")
    return Texts.of(strings)


def _series(inputs: Any, variables: int) -> SeriesInputs:
    wanted = f"numbers of shape (time,), (time, {variables}) or (examples, time, {variables})"
    try:
        values = np.asarray(inputs, dtype=np.float32)
    except (TypeError, ValueError):
        raise UsageError(f"the run reads series and was given {type(inputs).__name__}; give {wanted}") from None
    if values.ndim == 1 and variables == 1:
        values = values[:, np.newaxis]
    if values.ndim == 2:
        values = values[np.newaxis]
    if values.ndim != 3 or values.shape[-1] != variables or not values.shape[1]:
        raise UsageError(f"the run reads {wanted}, and was given shape {np.shape(inputs)}")
    if not np.isfinite(values).all():
        where = np.argwhere(~np.isfinite(values))[0]
        raise UsageError(f"series {where[0] + 1} has no number at step {where[1] + 1}; fill it in or leave it out")
    return SeriesInputs.of(values)


def recurrent_of(network: nn.Module) -> RecurrentLayer:
    """The recurrent layer of a network; torch's own layers are taken over with their weights.

    Raises:
        UsageError: The network has no recurrent layer, or several.
    """
    if isinstance(network, nn.RNNBase):
        return _taken_over(network)
    layers = [module for module in network.modules() if isinstance(module, (RecurrentLayer, nn.RNNBase))]
    if len(layers) != 1:
        count = "no recurrent layer" if not layers else f"{len(layers)} recurrent layers; name one of them"
        raise UsageError(f"{type(network).__name__} has {count}: give a gatework.nn or torch.nn RNN, GRU or LSTM")
    return layers[0] if isinstance(layers[0], RecurrentLayer) else _taken_over(layers[0])


def _taken_over(layer: nn.RNNBase) -> RecurrentLayer:
    weight = next(layer.parameters())
    options: dict[str, Any] = {name: getattr(layer, name) for name in ("bias", "batch_first", "bidirectional")}
    options |= {"device": weight.device, "dtype": weight.dtype}
    if layer.proj_size:
        options["proj_size"] = layer.proj_size
    if layer.mode == "RNN_RELU":
        options["nonlinearity"] = "relu"
    taken = _TORCH_LAYERS[layer.mode](layer.input_size, layer.hidden_size, layer.num_layers, **options)
    taken.load_state_dict(layer.state_dict())
    taken.dropout = layer.dropout
    return taken.train(layer.training)


def capturing(layer: nn.Module, calls: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> AbstractContextManager[None]:
    """Notes the arguments of every call of `layer` within the block."""

    def note(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.append((args, kwargs))

    @contextmanager
    def block() -> Iterator[None]:
        handle = layer.register_forward_pre_hook(note, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()

    return block()


def batch_lengths(x: Tensor, lengths: Any, batch_first: bool) -> np.ndarray:
    """The steps of each sequence of a layer's input, int64, shape (batch,)."""
    if lengths is not None:
        return np.asarray(lengths, dtype=np.int64)
    if x.dim() == 2:
        return np.array([x.shape[0]])
    time, batch = (x.shape[1], x.shape[0]) if batch_first else (x.shape[0], x.shape[1])
    return np.full(batch, time, dtype=np.int64)
