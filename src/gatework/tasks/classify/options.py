"""The options of classification."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gatework.data._sound_files import lists_labelled_recordings, recordings_by_class
from gatework.options import (
    AnswerOptions,
    ColumnSummary,
    Names,
    OptionSection,
    RecordingAnswerOptions,
    RecordingOptions,
    TaskOptions,
    TimeOptions,
    columns_holding,
    option,
    options_of,
)

Apart = Literal["auto", "speakers", "recordings"]
Normalise = Literal["auto", "global", "utterance"]
BALANCED = "balanced"
# So few numbers could stand for classes.
_FEW = 10
ClassWeights = str | tuple[str, ...] | dict[str, float] | None


@dataclass(frozen=True)
class SequenceOptions(OptionSection):
    """What each step of a series holds, in a long table: the columns that tell series apart are those of the times."""

    section = "sequence"
    title = "Series from a long table"

    value: Names = option(
        None,
        help="The columns of the values at each step of a series; every other column of numbers if absent.",
        metavar="COLUMN",
    )


@dataclass(frozen=True)
class LossOptions(OptionSection):
    """What the network of a classifier learns by."""

    section = "loss"
    title = "Loss"

    class_weights: ClassWeights = option(
        None,
        help="How many times an example of a class counts in the loss: balanced lets each class count the same, "
        "however rare it is; or LABEL=WEIGHT, repeated or by commas (in Python and TOML also a mapping), 1 for those "
        "that are not named. Answers are then the network's alone, as without --blend.",
        metavar="balanced|LABEL=WEIGHT",
    )
    adversarial: float = option(
        0.0,
        low=0,
        high=1,
        help="Of texts: a training step also withstands word vectors moved where that hurts most, by this share of "
        "their length; 0.05 suits long reviews. A step takes 2.6 times as long.",
    )


@dataclass(frozen=True)
class PretrainingOptions(OptionSection):
    """What a classifier of texts knows before it sees a label."""

    section = "pretraining"
    title = "Pre-training"

    pretrain: str | None = option(
        None,
        help="Texts without labels: a file of lines, a folder, a table, or a data set that has some. The network first "
        "learns to predict the words of these and of the training texts from those around them.",
        metavar="FILE",
        is_path=True,
    )
    unlabelled: str | None = option(
        None,
        help="Texts without labels, as --pretrain takes them, to learn from too: a first network learns from the "
        "labels, it and the best linear model say how probable each class is of these texts, and the run's own network "
        "and linear model learn from all of them.",
        metavar="FILE",
        is_path=True,
    )
    contextual: int = option(
        0,
        low=0,
        high=100_000,
        help="Units, for each direction, of a language model that first learns the words of the texts of --unlabelled "
        "and stays as it is: beside each word the network reads what that model knows there. 0: none.",
    )
    from_run: str | None = option(
        None,
        flag="from",
        help="The network begins from this finished language model (gatework train generate --level subword), with its "
        "pieces of words, its size and its layers.",
        metavar="RUN",
        is_path=True,
    )
    pretrain_minutes: float = option(
        0.0,
        low=0,
        high=100_000,
        help="The pre-training ends after so many minutes; 0: after its epochs. Of --minutes, where given alone, it "
        "takes the half.",
    )
    pretrain_epochs: int = option(2, low=1, high=1_000_000, help="Passes over the texts of the pre-training.")
    pretrain_rate: float = option(
        5e-3, low=0, high=1000, is_low_open=True, help="Adam's learning rate in the pre-training, at its highest."
    )
    pretrain_dropout: float = option(
        0.1, low=0, high=0.99, help="Share of units and of words that are dropped in the pre-training."
    )
    unfreezing: float = option(
        0.0,
        low=0,
        high=1,
        help="Share of the training in which a pre-trained network learns its output alone; after twice that it learns "
        "as a whole.",
    )
    falling: float = option(
        1.0, low=1, high=1000, help="How many times slower a pre-trained network learns with each part nearer to words."
    )

    label_curve: bool = option(
        False,
        help="Afterwards also train on 100, 1,000 and 10,000 labels alone, a fifth of which validate, with and without "
        "the pre-training: a curve in the report.",
    )

    @property
    def is_on(self) -> bool:
        """Whether the network begins from a language model."""
        return self.pretrain is not None or self.from_run is not None


@dataclass(frozen=True)
class SoundOptions(RecordingOptions):
    """How recordings with a class each are read, and what is done to them while a network learns."""

    section = "sound"
    title = "Recordings"

    apart: Apart = option(
        "auto",
        help="What no two parts share: speakers, or only recordings; auto takes speakers where five or more are named.",
    )
    leave_out_speaker: str | None = option(
        None, help="The speaker whose recordings are the test part, and are not learnt from.", metavar="SPEAKER"
    )
    stack: int = option(3, low=1, high=16, help="Frames of 10 ms that are one step.")
    normalise: Normalise = option(
        "auto",
        help="What is taken off each band: the training part's mean (global) or the recording's own (utterance); auto "
        "takes the latter for a bidirectional network.",
    )
    dynamic_range: float = option(
        26.0,
        low=0,
        high=200,
        help="Decibels below a recording's loudest band at which quiet begins: what is quieter is as loud as that, so "
        "that rooms and microphones are alike; 0: nothing is quiet.",
    )
    warp: float = option(
        0.0,
        low=0,
        high=0.5,
        help="In training frequencies are higher or lower by up to this share, as if by another vocal tract, the speed "
        "apart.",
    )
    mixing: float = option(
        0.4,
        low=0,
        high=10,
        help="In training recordings are mixed in pairs, their classes too (mixup), by a share of a Beta distribution "
        "with this twice as its parameter; 0: none is.",
    )
    surround: float = option(
        0.5,
        low=0,
        high=1,
        help="Share of recordings that are put into quiet in training, as a stream is heard in windows with a word "
        "somewhere in them.",
    )
    stream_hours: float | None = option(
        None,
        low=0,
        high=1000,
        help="Hours of made sound without a word in which keywords are listened for once the network is trained, for "
        "the validation and for the test part: half a false accept per hour is told from 2 hours on. If absent 120 "
        "times as long as the recordings of the part, 3 hours at most.",
        metavar="HOURS",
    )


@dataclass(frozen=True)
class SoundAnswerOptions(RecordingAnswerOptions):
    """What is asked of a classifier of sounds."""

    section = "sound"
    title = "Recordings"

    keywords: Names = option(
        None,
        help="The classes that a --stream is searched for; all but background, silence and unknown if absent.",
        metavar="CLASS",
        commands=("predict",),
    )
    false_accepts: float | None = option(
        None,
        low=0,
        high=100_000,
        help="Keywords that a --stream may report per hour although they were not said, by the validation part; 0.5 if "
        "absent.",
        commands=("predict",),
    )


OF_SOUND_ANSWERS = tuple(one.name for one in options_of(SoundAnswerOptions))
"""The names of these."""


def _is_made_for(path: Path) -> bool:
    """Whether a path is a folder with recordings by class, or a table of recordings with classes."""
    if path.is_file():
        return lists_labelled_recordings(path)
    if lists_labelled_recordings(path / "metadata.csv"):
        return True
    if (path / "wav.scp").is_file() or (path / "metadata.csv").is_file():
        return False
    file = next(recordings_by_class(path), None)
    return file is not None and not file.with_suffix(".txt").exists() and not next(path.glob("*.trans.txt"), None)


def _is_meant_by(given: Collection[str]) -> bool:
    """Whether there is a class to tell; a label of whole series that have times is none of single rows."""
    return "target" not in given and ("time" not in given or "value" in given or {"series", "label"} <= set(given))


def _options_for(columns: Sequence[ColumnSummary]) -> tuple[str, ...] | None:
    texts, words, numbers = (columns_holding(columns, kind) for kind in ("text", "words", "number"))
    labels = [one.name for one in columns if one.kind == "words" or (one.kind == "number" and one.distinct <= _FEW)]
    if texts and labels:
        return "--text", texts[0], "--label", labels[-1]
    label = (words or [one.name for one in columns[-1:] if one.name in labels])[-1:]
    if not label:
        return None
    return ("--label", *label) if set(numbers) - {*label} and not columns_holding(columns, "times") else None


OPTIONS = TaskOptions(
    "classify",
    "Tell the class of a text, a series or a sound.",
    "gatework train classify reviews.csv --text review --label sentiment --out RUN",
    "gatework.tasks.classify.task:ClassifyTask",
    (TimeOptions, SequenceOptions, LossOptions, PretrainingOptions, SoundOptions, AnswerOptions),
    unused=frozenset({"data.target"})
    | {f"time.{name}" for name in ("known", "past", "static", "frequency", "duplicates")},
    recipes=Path(__file__).with_name("recipes"),
    prediction=SoundAnswerOptions,
    is_meant_by=_is_meant_by,
    options_for=_options_for,
    is_made_for=_is_made_for,
)
