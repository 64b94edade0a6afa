"""From recordings with a class each to a dataset: who is in which part, and noise cut to pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gatework.data._sound_files import is_recording, lists_labelled_recordings, lists_recordings, recordings_by_class
from gatework.data.audio import Excerpt
from gatework.data.dataset import Provenance
from gatework.data.own import classes_of
from gatework.data.recordings import Recordings, chosen_spec, open_all, rate_remarks, read_all
from gatework.data.sets import REGISTRY
from gatework.data.sound_classes import BACKGROUND, read_sound_classes
from gatework.data.sounds import SoundEncoder
from gatework.data.split import Parts, first_of_equal, split
from gatework.errors import DataError, UsageError, nearest
from gatework.formatting import counted
from gatework.tasks._recorded import Recorded, RecordedDataset, is_registered, left_out, refuse_none, speakers_of
from gatework.tasks.classify.options import SoundOptions

if TYPE_CHECKING:
    from gatework.data.features import FeatureSpec
    from gatework.data.transcripts import Transcripts, Utterance
    from gatework.options import DataOptions
    from gatework.recipe import Recipe

_FEWEST = 6
_FEWEST_SPEAKERS = 5
# A recording so many times longer than most, of noise, is cut into pieces as long as most.
_LONG = 3
_PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Sounds(Recorded):
    """Recordings with their classes.

    Attributes:
        targets: The class of each, shape (examples,), int64.
    """

    def table(self) -> pl.DataFrame:
        """The recordings as a report reads them: "audio", "seconds", "speaker" where it is known, and "target"."""
        table = pl.DataFrame({**self.inputs.columns(), "target": list(self.targets)})
        if self.speakers is None or not any(self.speakers):
            return table
        return table.with_columns(speaker=pl.Series(self.speakers.tolist(), dtype=pl.String))


def is_of_sounds(source: Any, options: SoundOptions) -> bool:
    """Whether a source holds recordings rather than texts or series."""
    if options.audio is not None:
        return True
    if not isinstance(source, (str, Path)):
        return False
    if is_registered(source):
        return REGISTRY[str(source)].folder is not None
    path = Path(source)
    if path.is_dir():
        listed = any(lists_recordings(path / name) for name in ("metadata.csv", "manifest.csv"))
        return listed or next(recordings_by_class(path), None) is not None
    return is_recording(path) or lists_labelled_recordings(path)


def load(source: Any, recipe: Recipe) -> RecordedDataset:
    """Reads recordings with their classes and splits them.

    Raises:
        DataError: A recording cannot be used, or they are too few.
        UsageError: There is no such speaker.
    """
    config = recipe.section(SoundOptions)
    listed = _listed(source, recipe)
    skipped: list[str] = []
    skip = skipped if config.skip_bad else None
    opened = open_all(listed.utterances, skip)
    if len(opened) < _FEWEST:
        raise DataError(f"{counted(len(opened), 'usable recording')} of {listed.where}; at least {_FEWEST} are needed")
    facts = [recording.facts for recording in opened.values()]
    spec = chosen_spec(facts, config.sample_rate, config.bands)
    recordings, places = read_all(opened, spec, skip)
    notes = [*left_out(skipped), *([] if config.sample_rate else rate_remarks(facts, spec.rate))]
    kept = [listed.utterances[place] for place in places]
    recordings, kept = _cut(recordings, kept, recipe.data)
    labels = pl.Series("label", [one.text for one in kept])
    classes = classes_of(labels, listed.where, recipe.data.label or "label", "recording")
    whole = _sounds(recordings, kept, classes)
    parts, how = _parts_of(whole, kept, config, recipe.data)
    licence = REGISTRY[source].licence if is_registered(source) else "yours"
    provenance = Provenance(listed.where, licence, listed.fingerprint(), (*listed.remarks, *notes, how))
    train, validation, test = (whole.take(part) for part in parts)
    return RecordedDataset(listed.name, "sound", train, validation, test, provenance, classes, options=config)


def encoder_of(train: Recordings, options: SoundOptions) -> SoundEncoder:
    """How recordings become the steps of a network that learns from these."""
    is_own_mean = options.normalise != "global"
    return SoundEncoder.fit(train, options.stack, options.dynamic_range, is_own_mean=is_own_mean)


def read(
    source: Any, recipe: Recipe, spec: FeatureSpec, classes: Sequence[str], *, has_labels: bool, is_skipping: bool
) -> Sounds:
    """Reads recordings for a trained network.

    Args:
        source: As for `load()`, of a registered data set the test part; without classes also one recording, or a list.
        recipe: What the network was trained with.
        spec: How sound becomes features.
        classes: The names of the classes.
        has_labels: Whether every recording must have its class.
        is_skipping: Whether recordings that cannot be read are left out.

    Raises:
        DataError: A recording cannot be read, or its class is none of the classes.
    """
    if isinstance(source, (list, tuple)):
        each = [_listed(one, recipe, has_labels=has_labels) for one in source]
        utterances = [utterance for listed in each for utterance in listed.utterances]
    else:
        utterances = list(_listed(source, recipe, has_labels=has_labels).utterances)
        if is_registered(source):
            utterances = [one for one in utterances if one.part == "test"]
    skipped: list[str] = []
    skip = skipped if is_skipping or recipe.section(SoundOptions).skip_bad else None
    recordings, places = read_all(open_all(utterances, skip), spec, skip)
    refuse_none(places, skipped)
    kept = [utterances[place] for place in places]
    if has_labels:
        unknown = next((one for one in kept if one.text not in classes), None)
        if unknown is not None:
            raise DataError(f'{unknown.where}: the label "{unknown.text}" is none of the classes {", ".join(classes)}')
    if has_labels:
        recordings, kept = _cut(recordings, kept, recipe.data)
    whole = replace(_sounds(recordings, kept, classes), remarks=left_out(skipped))
    if has_labels:
        return whole
    return replace(whole, beside=pl.DataFrame({"audio": [one.audio.name for one in kept]}, schema={"audio": pl.String}))


def _listed(source: Any, recipe: Recipe, *, has_labels: bool = True) -> Transcripts:
    config = recipe.section(SoundOptions)
    if not is_registered(source):
        return read_sound_classes(source, recipe.data, config.audio, config.speaker, has_labels=has_labels)
    folder = REGISTRY[source].folder
    if folder is None:
        raise UsageError(f'"{source}" holds no recordings; name a folder of them, or another data set')
    return replace(read_sound_classes(folder(), recipe.data), where=source, name=source)


def _sounds(recordings: Recordings, utterances: Sequence[Utterance], classes: Sequence[str]) -> Sounds:
    places = {name: place for place, name in enumerate(classes)}
    targets = np.array([places.get(one.text, 0) for one in utterances], dtype=np.int64)
    return Sounds(recordings, targets, None, speakers_of(utterances))


def _cut(
    recordings: Recordings, utterances: Sequence[Utterance], data: DataOptions
) -> tuple[Recordings, list[Utterance]]:
    """Long recordings of noise in pieces as long as most recordings, each part's from other stretches of them."""
    is_noise = np.array([one.text == BACKGROUND and not one.part for one in utterances])
    lengths = np.array([len(frames) for frames in recordings.features])
    if not is_noise.any() or is_noise.all():
        return recordings, list(utterances)
    piece = int(np.median(lengths[~is_noise]))
    # Of noise there is as much as of the largest class, spread evenly.
    most = max(Counter(one.text for one in utterances if one.text != BACKGROUND).values())
    step = max(float((lengths[is_noise] // piece).sum()) / most, 1.0)
    features, seconds, files, excerpts = list[np.ndarray](), list[float](), list[Path](), list[Excerpt | None]()
    kept: list[Utterance] = []
    for place, one in enumerate(utterances):
        whole, pieces = recordings.features[place], int(lengths[place] // piece)
        if not is_noise[place] or pieces < _LONG:
            each, parts = [whole], [one.part]
        else:
            starts = np.arange(0, pieces, step).astype(int)
            each = [whole[k * piece : (k + 1) * piece] for k in starts]
            bounds = (1 - data.test - (1 - data.test) * data.validation, 1 - data.test)
            parts = [_PARTS[int(np.searchsorted(bounds, k / pieces, side="right"))] for k in starts]
        features += each
        seconds += [float(recordings.seconds[place]) * len(part) / lengths[place] for part in each]
        files += [recordings.files[place]] * len(each)
        excerpts += [recordings.excerpt(place)] * len(each)
        kept += [replace(one, part=part) for part in parts]
    cut = Recordings(tuple(features), np.array(seconds), tuple(files), recordings.spec, tuple(excerpts))
    return cut, kept


def _parts_of(
    whole: Sounds, utterances: Sequence[Utterance], config: SoundOptions, data: DataOptions
) -> tuple[Parts, str]:
    """The positions of each part's recordings, and a sentence that says what no two parts share."""
    named, speakers = np.array([one.part for one in utterances]), np.array([one.speaker for one in utterances])
    is_word = np.array([one.text != BACKGROUND for one in utterances])
    if config.leave_out_speaker is not None:
        who = config.leave_out_speaker
        if who not in speakers:
            known = sorted(set(speakers.tolist()) - {""})
            raise UsageError(
                f'no recording has the speaker "{who}": {nearest(who, known) if known else "none is named"}'
            )
        named = np.where(is_word, np.where(speakers == who, "test", ""), named)
    has_test, has_validation = ((named == part)[is_word].any() for part in ("test", "validation"))
    free = np.flatnonzero((named == "") | ((named == "train") & is_word & ~(has_test and has_validation)))
    is_shared = bool(set(speakers[named == "test"]) & set(speakers[free]) - {""})
    shares = (0.0 if has_validation else data.validation, 0.0 if has_test else data.test)
    cut, how = _cut_apart(whole.take(free), speakers[free], config, shares, data.split_seed, is_shared=is_shared)
    fixed = np.setdiff1d(np.arange(len(named)), free)
    train, validation, test = (
        np.sort(np.concatenate([free[part], fixed[named[fixed] == name]]))
        for part, name in zip(cut, _PARTS, strict=True)
    )
    if config.leave_out_speaker is not None:
        how = f'The test part is the speaker "{config.leave_out_speaker}". {how}'
    elif has_test:
        how = f"The list names the test part ({int((named == 'test').sum()):,} recordings)."
    return Parts(train, validation, test), how


def _cut_apart(
    free: Sounds,
    speakers: np.ndarray,
    config: SoundOptions,
    shares: tuple[float, float],
    seed: int,
    *,
    is_shared: bool,
) -> tuple[Parts, str]:
    """The positions of each part, and a sentence that says what no two share.

    Args:
        free: The recordings that are to be divided.
        speakers: Who speaks in each.
        config: What is to be apart.
        shares: Those of validation and test.
        seed: Of the choice.
        is_shared: Whether a test part that is given has speakers of these recordings.
    """
    count = len(set(speakers.tolist()) - {""})
    if config.apart == "speakers" or (config.apart == "auto" and count >= _FEWEST_SPEAKERS and not is_shared):
        if count < 3:
            raise DataError(
                f"{count} speakers are too few to keep apart: a part each needs 3; name their column with --speaker, "
                "or choose --apart recordings"
            )
        return _by_speaker(speakers, shares, seed), f"No two parts share one of the {count:,} speakers."
    groups = first_of_equal(free.inputs.identities())
    parts = split(groups, free.targets, validation=shares[0], test=shares[1], seed=seed)
    return (
        parts,
        "Parts may share speakers: a new one is understood less well." if count else "Who speaks is not known.",
    )


def _by_speaker(speakers: np.ndarray, shares: tuple[float, float], seed: int) -> Parts:
    """The positions of each part, of whole speakers, at least one where a part has a share."""
    people = np.random.default_rng(seed).permutation(np.unique(speakers))
    held = [max(round(share * len(people)), 1) if share else 0 for share in shares]
    parts = (people[sum(held) :], people[: held[0]], people[held[0] : sum(held)])
    train, validation, test = (np.flatnonzero(np.isin(speakers, part)) for part in parts)
    return Parts(train, validation, test)
