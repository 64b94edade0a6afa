"""Recordings of an invented language, in which every letter is a tone: they are made, and learnt, in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from gatework.data.dataset import Provenance, Split
from gatework.data.features import FeatureSpec
from gatework.data.recordings import Recordings
from gatework.inside.page import write_page
from gatework.inside.page.arguments import sorted_arguments
from gatework.recipe import Recipe, find_recipe
from gatework.tasks._recorded import RecordedDataset
from gatework.tasks.classify.options import SoundOptions
from gatework.tasks.classify.sounds import Sounds
from gatework.tasks.transcribe.data import Spoken
from gatework.tasks.transcribe.options import SpeechOptions
from gatework.training import Run

RATE = 8000
TONES = {"a": 500.0, "b": 1100.0, "c": 2300.0}
WORDS = ("ab", "ba", "cab", "ac")
SPEC = FeatureSpec(RATE, 12)


def sound(text: str, seed: int = 0, rate: int = RATE, seconds: float = 0.1) -> np.ndarray:
    """A text as tones, with silence for spaces and at both ends, mono, float32."""
    random = np.random.default_rng(seed)
    time = np.arange(int(rate * seconds)) / rate
    parts = [np.sin(2 * np.pi * TONES[c] * time) if c in TONES else 0 * time for c in f" {text} "]
    samples = 0.3 * np.concatenate(parts) + 0.003 * random.standard_normal(len(parts) * len(time))
    return samples.astype(np.float32)


def sentences(count: int, seed: int = 0) -> list[str]:
    """Texts of one to three words."""
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, size=random.integers(1, 4))) for _ in range(count)]


def spoken(texts: Sequence[str], seed: int = 0) -> Spoken:
    """Recordings of texts, by two speakers."""
    sounds = [sound(text, seed + k) for k, text in enumerate(texts)]
    speakers = np.array([("ann", "bo")[k % 2] for k in range(len(texts))], dtype=object)
    return Spoken(Recordings.of(sounds, RATE, SPEC), np.array(texts, dtype=object), None, speakers)


def dataset(train: int = 24, held: int = 6, options: SpeechOptions | None = None) -> RecordedDataset:
    """Recordings in three parts."""
    texts = sentences(train + 2 * held)
    parts = (texts[:train], texts[train : train + held], texts[train + held :])
    splits = [spoken(part, 100 * place) for place, part in enumerate(parts)]
    provenance = Provenance("made by the test", "none", "0")
    return RecordedDataset("tones", "sound", *splits, provenance, options=options or SpeechOptions())


def sounds(count: int, seed: int = 0) -> Sounds:
    """Recordings of the words of the language, one each, which are their classes."""
    targets = np.arange(count) % len(WORDS)
    made = [sound(WORDS[k], seed + place) for place, k in enumerate(targets.tolist())]
    speakers = np.array([("ann", "bo")[place // len(WORDS) % 2] for place in range(count)], dtype=object)
    return Sounds(Recordings.of(made, RATE, SPEC), targets, None, speakers)


def sound_dataset(options: SoundOptions | None = None) -> RecordedDataset:
    """Such recordings in three parts."""
    parts = [sounds(count, seed) for count, seed in ((24, 0), (8, 100), (8, 200))]
    provenance = Provenance("made by the test", "none", "0")
    return RecordedDataset("words", "sound", *parts, provenance, WORDS, options=options or SoundOptions())


def small_classifier(**changes: object) -> Recipe:
    """A recipe that learns them in a moment."""
    settings = {"hidden": 12, "layers": 1, "dropout": 0.0, "epochs": 2, "batch_size": 4, "learning_rate": 0.02}
    return find_recipe("classify").changed(**(settings | {"pooling": "mean", "stream_hours": 0.05} | changes))


def small(**changes: object) -> Recipe:
    """A recipe that learns the tones in a moment."""
    settings = {"hidden": 12, "layers": 1, "dropout": 0.0, "epochs": 2, "batch_size": 4, "learning_rate": 0.02}
    return find_recipe("transcribe").changed(**(settings | {"weight_decay": 0.0} | changes))


def write(folder: Path, texts: Sequence[str], ending: str = ".wav", rate: int = RATE) -> list[Path]:
    """Writes recordings as files named 0, 1, ... and gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{k}{ending}" for k in range(len(texts))]
    for k, (file, text) in enumerate(zip(files, texts, strict=True)):
        soundfile.write(file, sound(text, k, rate), rate)
    return files


def live_page(run: Run, folder: Path, texts: Sequence[str]) -> tuple[Path, Split, list[Path]]:
    """Writes recordings, a list of them and the live page in which a run hears them; what the page is given too."""
    wavs = write(folder / "sound", texts)
    (folder / "all.csv").write_text("audio\n" + "\n".join(map(str, wavs)))
    opened, split, _ = sorted_arguments([str(run.path), str(folder / "all.csv")])
    return write_page(opened, folder / "inspect.html", split), split, wavs


def write_pairs(folder: Path, texts: Sequence[str]) -> Path:
    """Writes recordings each with a text file of its name."""
    for file, text in zip(write(folder, texts), texts, strict=True):
        file.with_suffix(".txt").write_text(text)
    return folder
