"""The live page of a task that brings its own part: texts that are written, sentences that are translated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gatework.cells._derive import Derivation
from gatework.data.dataset import Split
from gatework.data.sounds import SoundEncoder
from gatework.errors import RunError, UsageError
from gatework.inside.page.packing import pack, pack_words
from gatework.inside.page.runs import described, equations, names_of, shape
from gatework.tasks._live import Live, LivePart
from gatework.tasks._sequence import SequenceTask
from gatework.training.run import read_table, test_part_of

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from gatework.training.run import Run

EXACT_TO = 4_000_000
"""Up to so many weights in all are written in 24 bits, a page of at most 13 MB; more of them in half precision."""
MOST = 32_000_000
"""The most weights of a page. So many are about 75 MB of text; a browser holds that, its bytes and the numbers in
single precision at once, 270 MB, near the most that a phone gives a page."""


@dataclass(frozen=True)
class LiveContent:
    """What the page holds of its runs.

    Attributes:
        part: The task's part of it.
        runs: What the script must know of each run, as values that JSON can hold.
        examples: Inputs to offer.
        weights: Each run's weights as text.
        lists: Each list of texts once, as text; a run names its own by position.
        cells: The equations of the cells, by the names by which the runs refer to them.
        precision: How large tables of weights are held, in words.
    """

    part: LivePart
    runs: list[dict[str, Any]]
    examples: list[str]
    weights: list[str]
    lists: list[str]
    cells: dict[str, Derivation]
    precision: str


def has_own_part(run: Run) -> bool:
    """Whether a run's task brings its own part of the page; other classifiers and regressions share one."""
    return not isinstance(run.task, SequenceTask) or isinstance(run.task.encoder, SoundEncoder)


def live_content(runs: Sequence[Run], given: Any = None) -> LiveContent:
    """What the page holds of these runs.

    Args:
        runs: Finished runs of one task.
        given: The inputs that a person gave, as the task reads them; None for examples of the test part.

    Raises:
        RunError: A run is not finished, has a network that no page can run, or too many weights.
        UsageError: The runs are of several tasks.
    """
    others = [run for run in runs if run.recipe.task != runs[0].recipe.task]
    if others:
        raise UsageError(
            f"runs side by side share one task, and these do not: {runs[0].path} is of {runs[0].recipe.task}, "
            f"{others[0].path} of {others[0].recipe.task}"
        )
    lives = [_live(run, given) for run in runs]
    count = sum(tensor.numel() for run in runs for tensor in run.network.state_dict().values())
    if count > MOST:
        raise RunError(
            f"{runs[0].path} has {count:,} weights, with all runs that were named, and a page holds at most {MOST:,}: "
            "a phone's browser has no room for more; name fewer runs, or ask with gatework predict"
        )
    lists: list[str] = []
    cells: dict[str, Derivation] = {}
    entries, weights = [], []
    for run, live, name in zip(runs, lives, names_of(runs), strict=True):
        entry, text = _entry(run, live, is_exact=count <= EXACT_TO, lists=lists, cells=cells)
        entries.append(entry | {"name": name})
        weights.append(text)
    precision = "24 bits" if count <= EXACT_TO else "half precision"
    return LiveContent(lives[0].part, entries, list(lives[0].examples), weights, lists, cells, precision)


def _live(run: Run, given: Any) -> Live:
    split = given if given is None or isinstance(given, Split) else run.task.read(given, run.recipe)
    live = run.task.live(run.network, split, run.backtest if run.task.row_table else _test_part(run))
    if live is None:
        raise RunError(
            f'{run.path} was trained for the task "{run.recipe.task}"; the live page is for runs that read single '
            "texts or series, that write, that translate, that continue a table of times, or that watch one"
        )
    return live


def _test_part(run: Run) -> pl.DataFrame | None:
    """The test part as the run or its comparison keeps it."""
    file = test_part_of(run.path)
    return None if file is None else read_table(file)


def _entry(
    run: Run, live: Live, *, is_exact: bool, lists: list[str], cells: dict[str, Derivation]
) -> tuple[dict[str, Any], str]:
    """What the script must know of a run, and its weights as text; fills in the lists and cells that it needs."""
    stacks: dict[str, dict[str, Any]] = {}
    for prefix, layer in live.layers.items():
        name, derivation = equations(run, layer)
        cells[name] = derivation
        stacks[prefix] = {"equations": name, **shape(layer)}
    places = {}
    for name, texts in live.lists.items():
        packed = pack_words(tuple(texts))
        if packed not in lists:
            lists.append(packed)
        places[name] = lists.index(packed)
    state: dict[str, Tensor] = run.network.state_dict()
    listing, text = pack({key: value.numpy() for key, value in state.items()}, bytes_of_many=3 if is_exact else 2)
    entry = described(run) | {"stacks": stacks, "lists": places, "tensors": listing, "isExact": is_exact}
    return entry | dict(live.about), text
