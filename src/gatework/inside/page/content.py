"""What the page holds of a run: its network's shape and weights, and how it reads inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatework.cells._derive import Derivation
from gatework.data.series import SeriesEncoder
from gatework.data.sounds import SoundEncoder
from gatework.data.text import PADDING, UNKNOWN, TextEncoder
from gatework.errors import RunError, UsageError
from gatework.inside._sources import sequence_task
from gatework.inside.page.packing import pack, pack_words
from gatework.inside.page.runs import described, equations, names_of, shape
from gatework.nn.model import SequenceModel
from gatework.training.run import Run


@dataclass(frozen=True)
class Content:
    """What the page holds of its runs.

    Attributes:
        kind: "text" or "series".
        variables: Values per step of a series; 0 for texts.
        runs: What the page's script must know of each run, as values that JSON can hold.
        weights: Each run's weights as text.
        vocabularies: Each vocabulary once, as text; a run names its own by position.
        cells: The equations of the cells, by the names by which the runs refer to them.
    """

    kind: str
    variables: int
    runs: list[dict[str, Any]]
    weights: list[str]
    vocabularies: list[str]
    cells: dict[str, Derivation]


def content(runs: Sequence[Run]) -> Content:
    """What the page holds of these runs.

    Raises:
        RunError: A run is not finished, or has a network that the page cannot run.
        UsageError: There is no run, or the runs do not read the same kind of input.
    """
    if not runs:
        raise UsageError("the live page needs one run at least")
    encoders = [_encoder(run) for run in runs]
    kinds = {_kind(encoder) for encoder in encoders}
    if len(kinds) > 1:
        kinds_in_words = "; ".join(
            f"{run.path} reads {_in_words(*_kind(e))}" for run, e in zip(runs, encoders, strict=True)
        )
        raise UsageError(f"runs side by side share one input, and these do not: {kinds_in_words}")
    kind, variables = kinds.pop()
    vocabularies: list[str] = []
    entries, weights = [], []
    cells: dict[str, Derivation] = {}
    names = names_of(runs)
    for run, encoder, name in zip(runs, encoders, names, strict=True):
        network = run.network
        assert isinstance(network, SequenceModel)
        tensors = {key: value.numpy() for key, value in network.tensors().items()}
        listing, text = pack(tensors)
        cell, derivation = equations(run, network.recurrent)
        cells[cell] = derivation
        entry = _described(run, network) | {"equations": cell, "name": name, "tensors": listing}
        if isinstance(encoder, TextEncoder):
            words = pack_words((*encoder.words.words, *encoder.words.pairs))
            if words not in vocabularies:
                vocabularies.append(words)
            entry |= {"vocabulary": vocabularies.index(words), "maxTokens": encoder.max_tokens}
            entry |= {"padding": encoder.padding, "paddingIndex": PADDING, "unknownIndex": UNKNOWN}
        else:
            entry |= {"inputScale": encoder.scale.state()}
        entries.append(entry)
        weights.append(text)
    return Content(kind, variables, entries, weights, vocabularies, cells)


def _encoder(run: Run) -> TextEncoder | SeriesEncoder:
    encoder = sequence_task(run).encoder
    if isinstance(encoder, SoundEncoder):
        raise RunError(f"{run.path} reads sounds, which have a page of their own; name it apart")
    if not isinstance(run.network, SequenceModel) or not run.network.reads_words_alone:
        raise RunError(f"{run.path} has a network that the live page cannot run; see gatework report {run.path}")
    return encoder


def _kind(encoder: TextEncoder | SeriesEncoder) -> tuple[str, int]:
    return ("text", 0) if isinstance(encoder, TextEncoder) else ("series", len(encoder.scale.mean))


def _in_words(kind: str, variables: int) -> str:
    return "texts" if kind == "text" else f"series of {variables} variable{'' if variables == 1 else 's'}"


def _described(run: Run, network: SequenceModel) -> dict[str, Any]:
    task = sequence_task(run)
    scale = task.output_scale
    return {
        **described(run),
        **shape(network.recurrent),
        "outputs": network.output.out_features,
        "pooling": run.recipe.model.pooling,
        "classes": list(task.classes),
        "outputScale": scale.state() if scale is not None else None,
    }
