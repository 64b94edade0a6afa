"""A transcript: words with their times and how sure each is; as text, subtitles or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from gatework.decoding import HeardLetter, WrittenLetter
from gatework.tasks.transcribe.letters import Alphabet

Letter = TypeVar("Letter", WrittenLetter, HeardLetter)
UNSURE = "(unsure)"
"""What stands in place of a word that is likelier wrong than right."""
# A subtitle ends at a pause as long as this, or where it is so long that it fills two lines.
_PAUSE, _MOST_LETTERS = 0.8, 84


@dataclass(frozen=True)
class Word:
    """A word that was said.

    Attributes:
        word: The word.
        start: When it begins, in seconds; about a step off, as CTC says where a letter was heard, not where it began.
        end: When it ends.
        confidence: How sure it is, between 0 and 1; see `gatework.tasks.transcribe.confidence`.
    """

    word: str
    start: float
    end: float
    confidence: float


LONGEST = 64
"""Letters of a word that a network writes: without a space behind as many, it ends there all the same."""


def by_words(letters: Sequence[Letter], alphabet: Alphabet, longest: int | None = None) -> list[list[Letter]]:
    """The letters of each word.

    Args:
        letters: With the steps at which they were heard.
        alphabet: What their indices mean.
        longest: After how many letters a word ends without a space; never if None.
    """
    words: list[list[Letter]] = [[]]
    for one in letters:
        if alphabet.units[one.letter - 1] == " ":
            words.append([])
        elif alphabet.is_words:
            words.append([one])
        else:
            if len(words[-1]) == longest:
                words.append([])
            words[-1].append(one)
    return [each for each in words if each]


def written(word: Sequence[Letter], alphabet: Alphabet) -> str:
    """The word that letters write."""
    return "".join(alphabet.units[one.letter - 1] for one in word)


def text_of(words: Sequence[Word]) -> str:
    """Words as a text."""
    return " ".join(one.word for one in words)


def confidence_of(words: Sequence[Word]) -> float | None:
    """How sure a transcript is: the mean of its words; None where there is none."""
    return round(sum(one.confidence for one in words) / len(words), 4) if words else None


def subtitles(words: Sequence[Word]) -> list[tuple[float, float, str]]:
    """The start, end and text of each subtitle."""
    lines: list[list[Word]] = []
    for word in words:
        is_new = not lines or word.start - lines[-1][-1].end > _PAUSE
        if is_new or len(text_of([*lines[-1], word])) > _MOST_LETTERS:
            lines.append([])
        lines[-1].append(word)
    return [(line[0].start, line[-1].end, text_of(line)) for line in lines]


def _clock(seconds: float, mark: str) -> str:
    whole = round(1000 * seconds)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{mark}{whole % 1000:03}"


Heard = Mapping[str, Any]
"""A row of predictions: "audio", "text", "confidence" and "words"."""


def _words(row: Heard) -> list[Word]:
    return [Word(**word) for word in row["words"]]


def _as_text(rows: Sequence[Heard]) -> str:
    if len(rows) == 1:
        return f"{rows[0]['text']}\n"
    return "".join(f"{row['audio']}: {row['text']}\n" for row in rows)


def _as_srt(rows: Sequence[Heard]) -> str:
    each = [line for row in rows for line in subtitles(_words(row))]
    numbered = enumerate(each, start=1)
    return "\n".join(
        f"{k}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n" for k, (start, end, text) in numbered
    )


def _as_vtt(rows: Sequence[Heard]) -> str:
    each = [line for row in rows for line in subtitles(_words(row))]
    parts = (f"\n{_clock(start, '.')} --> {_clock(end, '.')}\n{text}\n" for start, end, text in each)
    return "".join(["WEBVTT\n", *parts])


def _as_json(rows: Sequence[Heard]) -> str:
    return json.dumps(list(rows), indent=2, ensure_ascii=False) + "\n"


def _as_text_grid(rows: Sequence[Heard]) -> str:
    """Praat's TextGrid with a tier of words."""
    words = [word for row in rows for word in _words(row)]
    spans, at = list[tuple[float, float, str]](), 0.0
    for word in words:
        if word.start > at:
            spans.append((at, word.start, ""))
        spans.append((max(at, word.start), max(at, word.end), word.word))
        at = max(at, word.end)
    end = max(at, 0.001)
    spans = spans or [(0.0, end, "")]  # a tier of no interval is none to Praat
    tier = f'0\n{end}\n<exists>\n1\n"IntervalTier"\n"words"\n0\n{end}\n{len(spans)}\n'
    each = "".join('{}\n{}\n"{}"\n'.format(start, stop, text.replace('"', '""')) for start, stop, text in spans)
    return f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n{tier}{each}'


FORMATS: Mapping[str, Callable[[Sequence[Heard]], str]] = {
    "text": _as_text,
    "txt": _as_text,
    "srt": _as_srt,
    "vtt": _as_vtt,
    "json": _as_json,
    "TextGrid": _as_text_grid,
}
"""How transcripts are written, by the name of the format and the ending of a file."""


def row_of(audio: str, words: Sequence[Word]) -> dict[str, Any]:
    """A transcript as a row of predictions."""
    return {
        "audio": audio,
        "text": text_of(words),
        "confidence": confidence_of(words),
        "words": [asdict(word) for word in words],
    }
