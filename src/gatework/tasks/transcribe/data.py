"""From recordings and their texts to a dataset: what is left out, and what no two parts share."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data._content import printable
from gatework.data.dataset import Provenance
from gatework.data.recordings import Recordings, chosen_spec, open_all, rate_remarks, read_all
from gatework.data.sets import REGISTRY
from gatework.data.transcripts import Transcripts, Utterance, read_transcripts
from gatework.errors import DataError, UsageError
from gatework.formatting import counted
from gatework.tasks._recorded import Recorded, RecordedDataset, is_registered, left_out, refuse_none, speakers_of
from gatework.tasks.transcribe.apart import parts_of
from gatework.tasks.transcribe.letters import has_digit, plain, silent_signs
from gatework.tasks.transcribe.options import SpeechOptions
from gatework.tasks.transcribe.transcriber import AskedTranscript, read_lines, read_phrases

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.features import FeatureSpec
    from gatework.recipe import Recipe

_FEWEST = 6
LONGEST = 120.0
"""Seconds of a recording that is learnt from: its memory is that of all ways to write its text over all its steps."""


@dataclass(frozen=True)
class Spoken(Recorded):
    """Recordings with what is said in them.

    Attributes:
        targets: What is said, plain texts; shape (examples,), dtype object.
        asked: What is asked of their transcripts.
    """

    asked: AskedTranscript = field(default_factory=AskedTranscript)

    def table(self) -> pl.DataFrame:
        """The recordings as a report reads them: "audio", "seconds", "speaker" and "reference"."""
        import polars as pl

        speakers = [""] * len(self) if self.speakers is None else self.speakers.tolist()
        said = {"speaker": speakers, "reference": self.targets.tolist()}
        return pl.DataFrame(self.inputs.columns()).hstack(pl.DataFrame(said, schema=dict.fromkeys(said, pl.String)))


def load(source: Any, recipe: Recipe) -> RecordedDataset:
    """Reads recordings with their texts and splits them.

    Args:
        source: As for `transcripts_of()`.
        recipe: What is trained.

    Raises:
        DataError: A recording or a text cannot be used, or they are too few.
    """
    config, began = recipe.section(SpeechOptions), time.perf_counter()
    transcripts = transcripts_of(source, recipe)
    utterances, notes = _with_usable_texts(transcripts, config)
    notes += transcripts.remarks
    skipped: list[str] = []
    skip = skipped if config.skip_bad else None
    opened = open_all(utterances, skip)
    _refuse_few(len(opened), transcripts.where)
    facts = [recording.facts for recording in opened.values()]
    spec = chosen_spec(facts, config.sample_rate, config.bands)
    notes += [] if config.sample_rate else rate_remarks(facts, spec.rate)
    recordings, places = read_all(opened, spec, skip)
    short = [k for k, seconds in enumerate(recordings.seconds) if _is_short(recordings, k, seconds, skip)]
    recordings, places = recordings[short], [places[k] for k in short]
    notes += left_out(skipped)
    kept = [utterances[place] for place in places]
    _refuse_few(len(kept), transcripts.where)
    whole = spoken(recordings, kept, config.case)
    parts, how = parts_of(kept, whole.targets.tolist(), config.apart, recipe.data)
    notes += [how, *_remarks([opened[place].facts.remark for place in places], kept)]
    licence = REGISTRY[source].licence if is_registered(source) else "yours"
    provenance = Provenance(transcripts.where, licence, transcripts.fingerprint(), tuple(notes))
    train, validation, test = (whole.take(part) for part in parts)
    seconds = time.perf_counter() - began
    return RecordedDataset(
        transcripts.name, "sound", train, validation, test, provenance, options=config, seconds=seconds
    )


def transcripts_of(source: Any, recipe: Recipe, *, has_texts: bool = True) -> Transcripts:
    """The recordings of a source, with their texts.

    Args:
        source: The name of a registered set of recordings, or as for `gatework.data.transcripts.read_transcripts`.
        recipe: What is trained.
        has_texts: Whether every recording must have its text.

    Raises:
        UsageError: The data set holds no recordings, or a column must be named.
        DataError: Files are missing.
    """
    config = recipe.section(SpeechOptions)
    if not is_registered(source):
        return read_transcripts(source, recipe.data, config.audio, config.speaker, has_texts=has_texts)
    folder = REGISTRY[source].folder
    if folder is None:
        raise UsageError(f'"{source}" holds no recordings; name a folder of them, or another data set')
    return replace(read_transcripts(folder(), recipe.data), where=source, name=source)


def asked_of(options: Mapping[str, Any], case: str) -> AskedTranscript:
    """What the options of a prediction ask for; see `TranscriptOptions`.

    Raises:
        DataError: A file of phrases is missing or empty.
    """
    given: dict[str, Any] = {
        name: read_phrases(file, case) for name in ("phrases", "boost", "words") if (file := options.get(name))
    }
    given["words"] = tuple(word for phrase in given.get("words", ()) for word in phrase.split())
    given |= {name: options.get(name) for name in ("lm", "lm_weight")}
    if given["lm"] is not None and Path(given["lm"]).is_file():
        given |= {"lm": None, "lines": read_lines(given["lm"], case)}
    is_closed, is_marking = bool(options.get("closed")), bool(options.get("unsure"))
    return AskedTranscript(is_closed=is_closed, is_marking=is_marking, beam=options.get("beam"), **given)


def read(source: Any, recipe: Recipe, spec: FeatureSpec, *, has_texts: bool, is_skipping: bool = False) -> Spoken:
    """Reads recordings for a trained network.

    Args:
        source: As for `load()`, of a registered data set the test part; without texts also one recording, or a list.
        recipe: What the network was trained with.
        spec: How sound becomes features.
        has_texts: Whether every recording must have its text.
        is_skipping: Whether recordings that cannot be read are left out.

    Raises:
        DataError: A recording cannot be read.
    """
    config = recipe.section(SpeechOptions)
    if isinstance(source, (list, tuple)):
        each = [read_transcripts(one, recipe.data, has_texts=False) for one in source]
        utterances = tuple(utterance for transcripts in each for utterance in transcripts.utterances)
        remarks = tuple(remark for transcripts in each for remark in transcripts.remarks)
    else:
        transcripts = transcripts_of(source, recipe, has_texts=has_texts)
        utterances, remarks = transcripts.utterances, transcripts.remarks
        if is_registered(source):
            utterances = tuple(one for one in utterances if one.part == "test")
    skipped: list[str] = []
    skip = skipped if is_skipping or config.skip_bad else None
    recordings, places = read_all(open_all(utterances, skip), spec, skip)
    refuse_none(places, skipped)
    kept = [utterances[place] for place in places]
    return replace(spoken(recordings, kept, config.case), remarks=(*remarks, *left_out(skipped)))


def spoken(recordings: Recordings, utterances: Sequence[Utterance], case: str) -> Spoken:
    """Recordings with what is said in them, as plain texts."""
    texts = np.array([plain(one.text, case) for one in utterances] + [None], dtype=object)[:-1]
    return Spoken(recordings, texts, None, speakers_of(utterances))


def _with_usable_texts(transcripts: Transcripts, config: SpeechOptions) -> tuple[list[Utterance], list[str]]:
    """The utterances whose texts can be learnt, and what is to be said of the others."""
    utterances, notes = list(transcripts.utterances), []
    doubtful = [one for one in utterances if has_digit(one.text)]
    if doubtful and config.digits == "refuse":
        raise DataError(
            f"{counted(len(doubtful), 'text')} of {transcripts.where} with digits, the first at {doubtful[0].where}: "
            f'"{doubtful[0].text[:60]}"; spell the numbers out as they are said, or choose --digits leave-out or keep'
        )
    if doubtful and config.digits == "leave-out":
        utterances = [one for one in utterances if not has_digit(one.text)]
        notes.append(f"{counted(len(doubtful), 'recording')} whose text has digits left out (--digits leave-out).")
    if signs := silent_signs(one.text for one in utterances):
        listed = " ".join(sign for sign, _ in signs.most_common(8))
        notes.append(
            f"Signs in the texts that are dropped although they may be said: {listed} "
            f"({counted(signs.total(), 'time')}); spell them out where they are."
        )
    return utterances, notes


def _is_short(recordings: Recordings, place: int, seconds: float, skipped: list[str] | None) -> bool:
    """Whether a recording is learnt from; one that is too long is refused, or said in `skipped`."""
    if seconds <= LONGEST:
        return True
    wrong = (
        f"{printable(recordings.name(place))} is {seconds:,.0f} s long, and at most {LONGEST:.0f} s are learnt from at "
        "once; cut it into sentences, each with its text"
    )
    if skipped is None:
        raise DataError(f"{wrong}, or leave it out with --skip-bad")
    skipped.append(wrong)
    return False


def _remarks(remarks: Sequence[str], utterances: Sequence[Utterance]) -> list[str]:
    wrong = [(one.name, remark) for one, remark in zip(utterances, remarks, strict=True) if remark]
    if not wrong:
        return []
    name, remark = wrong[0]
    others = f" (and {len(wrong) - 1:,} more like it)" if len(wrong) > 1 else ""
    return [f"{name}: {remark}; what is there was read{others}."]


def _refuse_few(count: int, where: str) -> None:
    if count < _FEWEST:
        raise DataError(
            f"{counted(count, 'usable recording')} of {where}; at least {_FEWEST} are needed, and 100 are a start"
        )
