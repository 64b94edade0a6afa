"""The options of transcription. Where 0 or auto stands, a value is chosen from the recordings and kept with the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gatework.data._listing import files_of
from gatework.data._sound_files import SUFFIXES, is_recording, lists_recordings
from gatework.options import RecordingAnswerOptions, RecordingOptions, TaskOptions, option

Normalise = Literal["auto", "global", "utterance"]
Case = Literal["lower", "keep"]
Digits = Literal["refuse", "keep", "leave-out"]
Apart = Literal["auto", "texts", "speakers", "recordings"]
Units = Literal["auto", "letters", "words"]


@dataclass(frozen=True)
class SpeechOptions(RecordingOptions):
    """How recordings and their texts are read, and what is done to them while a network learns."""

    section = "speech"
    title = "Speech"

    apart: Apart = option(
        "auto",
        help="What no two parts share: texts (near-twins included), speakers, or only recordings; auto takes speakers "
        "where five or more are named, else texts where most differ, else recordings.",
    )
    stack: int = option(
        0,
        low=0,
        high=16,
        help="Frames of 10 ms that are one step. 0: the most, up to 4, that leave room for every text.",
    )
    normalise: Normalise = option(
        "auto",
        help="What is taken off each band: the training part's mean (global) or the recording's own (utterance); auto "
        "takes the latter for a bidirectional network, as a stream does not know it.",
    )
    lookahead: int = option(
        0,
        low=0,
        high=50,
        help="Steps that a network in one direction waits for before it says what it hears: most of what the other "
        "direction would add, at a delay that a stream can bear.",
    )
    units: Units = option(
        "auto", help="What the network writes: letters, or whole words; auto takes words where there are few."
    )
    case: Case = option("lower", help="Texts are learnt in lower case, or as they stand.")
    digits: Digits = option(
        "refuse", help="What is done with a text that has digits, whose sound nobody can tell; spell them out instead."
    )
    splice: float = option(
        0.7,
        low=0,
        high=1,
        help="Share of recordings that are put together in training from words of others, cut where the network hears "
        "them end, so that sentences are not learnt by heart; of letters, not where whole words are written.",
    )
    tempo: float = option(
        0.15,
        low=0,
        high=0.5,
        help="In training a recording is up to this share faster at the same pitch, beside --speed, so that what is "
        "read afterwards is slower than what was learnt; of letters, not where whole words are written.",
    )
    lm: str | None = option(
        None,
        help="A run of train generate, of characters, that reads along with the search letter by letter, or a text "
        "file whose lines are counted beside the training texts; weighed on the validation part and kept with the run.",
        metavar="RUN|TEXT",
        is_path=True,
    )
    learning_curve: bool = option(
        False,
        help="Afterwards also train on a quarter and on half of the recordings: a curve in the report of the errors by "
        "minutes, and what further minutes may come to.",
    )


@dataclass(frozen=True)
class TranscriptOptions(RecordingAnswerOptions):
    """What is asked of a transcript."""

    section = "speech"
    title = "Speech"

    phrases: str | None = option(
        None, help="A text file with the only phrases that may be said, one a line.", metavar="FILE"
    )
    boost: str | None = option(
        None, help="A text file with phrases that are likelier than the training texts let one think.", metavar="FILE"
    )
    words: str | None = option(None, help="A text file with words that may be said as well.", metavar="FILE")
    closed: bool | None = option(None, help="Write no word that is neither in the training texts nor in --words.")
    unsure: bool | None = option(
        None, help="Write (unsure) in place of a word that is likelier wrong than right.", commands=("predict",)
    )
    beam: int | None = option(
        None,
        low=1,
        high=10_000,
        help="Prefixes that the search keeps; if absent 256, or 32 where the network can stream or writes words.",
    )
    lm: str | None = option(
        None,
        help="A run of train generate, of characters, that reads along with the search in the place of the run's own; "
        "or a text file whose lines are counted beside the training texts.",
        metavar="RUN|TEXT",
    )
    lm_weight: float | None = option(
        None,
        low=0,
        high=100,
        help="How much that language model counts; if absent as much as the run's own, or 0.5 where it has none.",
    )


def _is_made_for(path: Path) -> bool:
    """Whether a path is a recording, a list of recordings, or a folder with either."""
    if path.is_file():
        return path.suffix.lower() in SUFFIXES or lists_recordings(path)
    if lists_recordings(path / "metadata.csv"):
        return True
    return (path / "wav.scp").is_file() or any(
        is_recording(file) for depth in ("*", "*/*") for file in files_of(path, depth)
    )


OPTIONS = TaskOptions(
    "transcribe",
    "Write down what is said in recordings.",
    "gatework train transcribe recordings/ --out RUN",
    "gatework.tasks.transcribe.task:TranscribeTask",
    (SpeechOptions,),
    frozenset(f"data.{name}" for name in ("label", "target", "vocabulary", "pairs", "max_tokens", "padding", "scale"))
    | {"data.decimal", "data.published", "model.embedding", "model.embedding_dropout", "model.pooling"}
    | {"data.test_file", "data.store"},
    prediction=TranscriptOptions,
    is_made_for=_is_made_for,
    recipes=Path(__file__).with_name("recipes"),
)
