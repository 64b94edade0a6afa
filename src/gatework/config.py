"""The recipe: what is learnt from what, by which model, trained how; TOML is only its serialisation.

Every field has a default, so a recipe file holds what differs. A run folder's `recipe.toml` holds every field.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gatework.errors import UsageError, nearest

Padding = Literal["mask", "pre"]
Pooling = Literal["last", "mean", "max", "concat", "attention"]
Schedule = Literal["constant", "cosine", "linear"]
Missing = Literal["previous", "zero", "error"]
Duplicates = Literal["error", "mean", "sum", "first", "last"]
Skip = Literal["auto", "seasonal", "last", "mean", "linear"]
Scaling = Literal["window", "series"]
Decoder = Literal["direct", "recursive"]
Distribution = Literal["free", "normal", "student"]
Scorer = Literal["forecast", "reconstruction"]
ThresholdRule = Literal["quantile", "pot", "dynamic"]


@dataclass(frozen=True)
class DataConfig:
    """What is learnt from.

    Attributes:
        dataset: A registered data set, or the path of a person's own table or folder.
        text: The column that holds the text.
        label: The column that holds the class.
        target: The column that holds the value to predict.
        validation: The share of the training examples that is held back for validation.
        test: The share of the examples that is held back for testing, where there is no test part.
        vocabulary: The most frequent training words that are kept; every other word is "unknown".
        max_tokens: The last so many tokens of a text are read; 0 reads all.
        padding: "mask" runs each sequence for its own length; "pre" puts padding tokens in front and runs over them,
            as the original Keras experiment does.
        scale: Whether series are standardised with the training part's mean and standard deviation.
        split_seed: The seed of the split.
    """

    dataset: str = ""
    text: str | None = None
    label: str | None = None
    target: str | None = None
    validation: float = 0.2
    test: float = 0.2
    vocabulary: int = 10_000
    max_tokens: int = 200
    padding: Padding = "mask"
    scale: bool = False
    split_seed: int = 0


@dataclass(frozen=True)
class TimeConfig:
    """What the columns of a table with a time column are; the columns to predict or watch are `DataConfig.target`.

    Attributes:
        time: The column that holds the time.
        series: The columns that tell series apart, separated by commas; the whole table is one series if None.
        known: Columns that are known ahead (a promotion, a holiday), separated by commas.
        past: Columns that are known only up to now (a temperature), separated by commas.
        static: Columns that never change within a series (a region), separated by commas.
        frequency: The step, such as "D", "15min" or "M"; inferred if None.
        missing: What stands for a step or a value that is not there: the "previous" value, "zero" (a true one, as
            where no row means no sale), or "error". Steps filled with the previous value are inputs only: they are
            never learnt as a target and never scored.
        duplicates: What stands for rows of one series at the same time that differ.
        time_format: The format of the time column, as in strptime; tried out if None.
        time_zone: The zone of stamps that name none, such as "Europe/Berlin".
    """

    time: str | None = None
    series: str | None = None
    known: str | None = None
    past: str | None = None
    static: str | None = None
    frequency: str | None = None
    missing: Missing = "previous"
    duplicates: Duplicates = "error"
    time_format: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True)
class ForecastConfig:
    """What is forecast, and from what. Where 0 stands, a value is chosen from the table and written into the run.

    Attributes:
        horizon: The longest forecast, in steps; every shorter one is its beginning.
        window: The steps that a forecast is made from.
        segment: The steps that the cell reads, and answers, at once; 1 goes step by step.
        season: The steps of one season.
        skip: What the network learns the difference to: the "seasonal" naive forecast, the "last" value, the window's
            "mean", a "linear" regression on the window fitted beforehand, or, with "auto", the one that is best on the
            validation part.
        scaling: Whether a window is measured by its "window"'s own spread or by that of its "series".
        decoder: "direct" answers every segment from the window's state; "recursive" reads its own last answer.
        distribution: "free" learns every quantile by itself; "normal" and "student" (4 degrees of freedom) learn the
            location and the scale of such a distribution.
        calendar: Whether the network sees the hour, the day of the week and of the year.
        test_steps: The last steps of every series, held back for testing.
        validation_steps: The steps before those, held back for choosing weights and calibrating intervals.
        refit: Train again after every so many steps of the test part, on all that stands before, and forecast on; 0
            never does. The settings stay those of the first training.
        max_windows: At most so many windows are learnt from, evenly spread.
        max_origins: At most so many origins of each series are evaluated, evenly spread up to the last.
    """

    horizon: int = 0
    window: int = 0
    segment: int = 0
    season: int = 0
    skip: Skip = "auto"
    scaling: Scaling = "window"
    decoder: Decoder = "direct"
    distribution: Distribution = "free"
    calendar: bool = True
    test_steps: int = 0
    validation_steps: int = 0
    refit: int = 0
    max_windows: int = 20_000
    max_origins: int = 100


@dataclass(frozen=True)
class DetectConfig:
    """How anomalies are told from what is usual: a scorer, a threshold, and spans.

    Attributes:
        scorer: What an error is: that of a "forecast" of the row from those before it, or of the "reconstruction" of
            the last `context` rows by an autoencoder.
        threshold: From which error on a row is anomalous: a robust "quantile" of the last errors, the extreme value
            rule "pot", or the "dynamic" rule without a law.
        context: Rows of a training window, and those that an autoencoder reads.
        smooth: An error is the mean over so many rows, the row's own and those before it.
        sensitivity: Thresholds are divided by it: a higher one flags more.
        gap: Flagged rows with at most so many others between them are one span.
    """

    scorer: Scorer = "forecast"
    threshold: ThresholdRule = "quantile"
    context: int = 64
    smooth: int = 1
    sensitivity: float = 1.0
    gap: int = 10


AROUND = ("recurrent_dropout", "zoneout", "weight_drop", "cell_clip", "layer_norm")
"""The fields of a ModelConfig that act around the cell, as `gatework.nn.ScanOptions` explains them."""


@dataclass(frozen=True)
class ModelConfig:
    """The network.

    Attributes:
        cell: A registered cell, or a person's own as `FILE.py:NAME`.
        hidden: Units per layer and direction.
        layers: Stacked layers.
        bidirectional: Whether every layer also reads the sequence backwards.
        embedding: Size of a word's vector (texts only).
        dropout: Share of units dropped between layers and before the output.
        embedding_dropout: Share of words whose vectors are dropped (texts only).
        pooling: What the output sees of the states: the "last" one, their "mean" or "max" over time, "concat" of all
            three, or a learnt "attention" average.
        forget_bias: What the forget gate's bias starts from; a negative one forgets. Ignored by cells without one.
        orthogonal: Whether each gate's recurrent matrix starts orthogonal.
        recurrent_dropout: Share of units of h that the recurrent product does not see, the same at all steps.
        zoneout: Share of units that keep their previous state at a step, for all states or by state, as
            `{c = 0.5, h = 0.05}`.
        weight_drop: Share of the recurrent matrix that is zero throughout a training step.
        cell_clip: The cell state c that is carried on stays within this distance of 0; 0 does not clip.
        layer_norm: Whether W x, U h and the cell state inside the output's tanh are normalised.
    """

    cell: str = "lstm"
    hidden: int = 128
    layers: int = 1
    bidirectional: bool = False
    embedding: int = 128
    dropout: float = 0.0
    embedding_dropout: float = 0.0
    pooling: Pooling = "last"
    forget_bias: float = 1.0
    orthogonal: bool = True
    recurrent_dropout: float = 0.0
    zoneout: float | dict[str, float] = 0.0
    weight_drop: float = 0.0
    cell_clip: float = 0.0
    layer_norm: bool = False

    @property
    def cell_name(self) -> str:
        """What the cell is called: of `FILE.py:NAME` the name."""
        return self.cell.rpartition(":")[2]


@dataclass(frozen=True)
class TrainingConfig:
    """How it is trained.

    Attributes:
        epochs: Passes over the training examples.
        batch_size: Examples per step.
        learning_rate: Adam's, at its highest.
        weight_decay: Decoupled weight decay (AdamW) where above 0.
        schedule: "constant", or a "cosine" or "linear" fall to zero over all steps.
        warmup: Share of the steps over which the learning rate rises from zero.
        clip: The gradient's norm is clipped to this; 0 does not clip.
        patience: Stop after so many epochs without a better validation metric; 0 never stops early.
        best_weights: Whether the weights of the best validation epoch are kept, rather than the last ones.
        bucket: Whether batches hold sequences of similar length.
        seed: Seeds weights, data order and dropout.
        checkpoint_seconds: The longest time between two checkpoints within an epoch.
    """

    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: Schedule = "constant"
    warmup: float = 0.0
    clip: float = 1.0
    patience: int = 0
    best_weights: bool = True
    bucket: bool = True
    seed: int = 0
    checkpoint_seconds: float = 60.0


@dataclass(frozen=True)
class Recipe:
    """A task, its data, a model and its training settings; further sections for tables with a time column."""

    task: str = "classify"
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    time: TimeConfig | None = None
    forecast: ForecastConfig | None = None
    detect: DetectConfig | None = None

    def changed(self, **changes: Any) -> Recipe:
        """The recipe with some fields changed, each named by the field alone, as `changed(hidden=64, seed=1)`.

        Raises:
            UsageError: There is no such field, or a value is out of its range.
        """
        sections: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
        top: dict[str, Any] = {}
        for name, value in changes.items():
            if name == "task":
                top["task"] = value
                continue
            section = next((s for s in sections if name in _fields(_SECTIONS[s])), None)
            if section is None:
                known = [f for s in sections for f in _fields(_SECTIONS[s])]
                raise UsageError(f'a recipe has no field "{name}": {nearest(name, known)}')
            sections[section][name] = value
        parts = {
            s: dataclasses.replace(getattr(self, s) or _SECTIONS[s](), **values)
            for s, values in sections.items()
            if values
        }
        changed = dataclasses.replace(self, **top, **parts)
        problems = _range_problems(changed)
        if problems:
            raise UsageError("; ".join(problems))
        return changed

    def to_dict(self) -> dict[str, Any]:
        """Every field, by section, without those, or sections, that are None (TOML has no null)."""
        values = dataclasses.asdict(self)
        return {
            name: {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
            for name, value in values.items()
            if value is not None
        }


_SECTIONS: dict[str, type[Any]] = {
    "data": DataConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "time": TimeConfig,
    "forecast": ForecastConfig,
    "detect": DetectConfig,
}

# Field -> (lowest, highest, whether the lowest itself is allowed).
_RANGES: dict[str, tuple[float, float, bool]] = {
    "validation": (0, 0.9, False),
    "test": (0, 0.9, False),
    "vocabulary": (1, 10_000_000, True),
    "max_tokens": (0, 1_000_000, True),
    "hidden": (1, 65_536, True),
    "layers": (1, 64, True),
    "embedding": (1, 65_536, True),
    "dropout": (0, 0.99, True),
    "embedding_dropout": (0, 0.99, True),
    "recurrent_dropout": (0, 0.99, True),
    "zoneout": (0, 0.99, True),
    "weight_drop": (0, 0.99, True),
    "cell_clip": (0, 1_000_000, True),
    "horizon": (0, 100_000, True),
    "window": (0, 100_000, True),
    "segment": (0, 10_000, True),
    "season": (0, 100_000, True),
    "test_steps": (0, 10_000_000, True),
    "validation_steps": (0, 10_000_000, True),
    "refit": (0, 10_000_000, True),
    "max_windows": (1, 10**9, True),
    "max_origins": (1, 10**9, True),
    "context": (2, 100_000, True),
    "smooth": (1, 100_000, True),
    "sensitivity": (0, 1_000_000, False),
    "gap": (0, 1_000_000, True),
    "epochs": (1, 1_000_000, True),
    "batch_size": (1, 1_000_000, True),
    "learning_rate": (0, 1000, False),
    "weight_decay": (0, 1000, True),
    "warmup": (0, 1, True),
    "clip": (0, float("inf"), True),
    "patience": (0, 1_000_000, True),
    "seed": (0, 2**63 - 1, True),
    "split_seed": (0, 2**63 - 1, True),
    "checkpoint_seconds": (0, float("inf"), True),
}


def _fields(section: Any) -> list[str]:
    return [f.name for f in dataclasses.fields(section)]


def _range_problems(recipe: Recipe) -> list[str]:
    problems = []
    for section in _SECTIONS:
        config = getattr(recipe, section)
        if config is None:
            continue
        hints = typing.get_type_hints(type(config))
        for name in _fields(config):
            value, where = getattr(config, name), f"{section}.{name}"
            if problem := _type_problem(where, value, hints[name]):
                problems.append(problem)
            elif name in _RANGES:
                by_key = {f"{where}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {where: value}
                problems += [p for place, v in by_key.items() if (p := _range_problem(place, v, *_RANGES[name]))]
    return problems


def _range_problem(where: str, value: float, low: float, high: float, closed: bool) -> str | None:
    if (low <= value if closed else low < value) and value <= high:
        return None
    return f"{where} is {value}, expected {'at least' if closed else 'above'} {low:g} and at most {high:g}"


def _type_problem(where: str, value: Any, hint: Any) -> str | None:
    origin = typing.get_origin(hint)
    if origin is Literal:
        allowed = typing.get_args(hint)
        return None if value in allowed else f'{where} is "{value}", expected one of {", ".join(allowed)}'
    if origin in (typing.Union, types.UnionType):
        members = [h for h in typing.get_args(hint) if h is not type(None)]
        fitting = [h for h in members if typing.get_origin(h) is dict and isinstance(value, dict)]
        return None if value is None else _type_problem(where, value, [*fitting, *members][0])
    if origin is dict:
        _, inner = typing.get_args(hint)
        return next((p for key, v in value.items() if (p := _type_problem(f"{where}.{key}", v, inner))), None)
    is_right = isinstance(value, hint) and not (hint is not bool and isinstance(value, bool))
    if hint is float:
        is_right = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if is_right else f"{where} is {value!r}, expected {_NAMES[hint]}"


_NAMES = {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}


def recipe_from_dict(values: Mapping[str, Any], where: str) -> Recipe:
    """Builds a recipe from nested values and reports every problem at once.

    Args:
        values: The sections and fields, as TOML gives them.
        where: The file, for messages.

    Raises:
        UsageError: A key is unknown or a value has the wrong type or range.
    """
    problems: list[str] = []
    parts: dict[str, Any] = {}
    for key, value in values.items():
        if key == "task":
            parts["task"] = value
        elif key not in _SECTIONS:
            problems.append(f'unknown key "{key}" ({nearest(key, ["task", *_SECTIONS])})')
        elif not isinstance(value, Mapping):
            problems.append(f"[{key}] is {value!r}, expected a section")
        else:
            known = _fields(_SECTIONS[key])
            unknown = [k for k in value if k not in known]
            problems += [f'unknown key "{key}.{k}" ({nearest(k, known)})' for k in unknown]
            parts[key] = _SECTIONS[key](**{k: v for k, v in value.items() if k in known})
    recipe = Recipe(**parts)
    if not isinstance(recipe.task, str):
        problems.append(f"task is {recipe.task!r}, expected a text in quotes")
    problems += _range_problems(recipe)
    if problems:
        raise UsageError(f"{where}: " + "; ".join(problems))
    return recipe


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Reads a recipe from a TOML file.

    Raises:
        UsageError: The file is missing, is not TOML, or holds an unknown key or a wrong value.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such recipe file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a TOML file: {error}") from None
    return recipe_from_dict(values, str(path))


def recipe_to_toml(recipe: Recipe) -> str:
    """The recipe as TOML with every default filled in."""
    import tomli_w

    return tomli_w.dumps(recipe.to_dict())


def find_recipe(name: str) -> Recipe:
    """A built-in recipe by its name, or a person's own by its path.

    Raises:
        UsageError: There is neither.
    """
    folder = Path(__file__).parent / "recipes"
    built_in = {file.stem: file for file in sorted(folder.glob("*.toml"))}
    if name in built_in:
        return read_recipe(built_in[name])
    if name.endswith(".toml") or os.sep in name:
        return read_recipe(name)
    raise UsageError(f'there is no recipe "{name}": {nearest(name, built_in)}; or give the path of a .toml file')
