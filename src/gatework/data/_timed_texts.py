"""Texts that say when they are said: subtitles (SRT, WebVTT) and label tracks (Audacity)."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from gatework.data._content import lines_of
from gatework.data.audio import Excerpt

SUBTITLES = (".srt", ".vtt")
_CLOCK = r"(?:\d+:)?\d+:\d+(?:[.,]\d+)?"
_CUE = re.compile(rf"\s*({_CLOCK})\s*-->\s*({_CLOCK})")
_LABEL = re.compile(r"(\d+(?:[.,]\d+)?)\t(\d+(?:[.,]\d+)?)\t(.*)")
_VOICE = re.compile(r"<v(?:\.[^ >]*)?\s+([^>]+)>")
# Marks of style, and what is heard and not said: "[applause]" and notes.
_UNSAID = re.compile(r"<[^>]*>|\{\\[^}]*\}|\[[^\]]*\]|[♪♫][^♪♫]*[♪♫]?")


class TimedText(NamedTuple):
    """A text and where in its recording it is said.

    Attributes:
        excerpt: From when to when.
        text: What is said.
        speaker: Who says it; empty where that is not known.
    """

    excerpt: Excerpt
    text: str
    speaker: str = ""


def seconds_of(text: str) -> float | None:
    """A time as seconds, from seconds or from hours, minutes and seconds with colons between; None where it is none."""
    parts = text.strip().replace(",", ".").split(":")
    if len(parts) > 3 or not all(re.fullmatch(r"\d+(\.\d*)?(e-?\d+)?", part) for part in parts):
        return None
    return sum(60**place * float(part) for place, part in enumerate(reversed(parts)))


def subtitles_of(content: str) -> list[TimedText]:
    """The subtitles of an SRT or a WebVTT file in which something is said."""
    cues, lines = list[TimedText](), iter(lines_of(content))
    for line in lines:
        cue = _CUE.match(line)
        if cue is None:
            continue
        said = list[str]()
        for part in lines:
            if not part.strip():
                break
            said.append(part)
        written = " ".join(said)
        voice = _VOICE.search(written)
        text = " ".join(html.unescape(_UNSAID.sub(" ", written)).split())
        if text:
            who = html.unescape(voice[1]).strip() if voice else ""
            cues.append(TimedText(Excerpt(seconds_of(cue[1]) or 0.0, seconds_of(cue[2]) or 0.0), text, who))
    return cues


def labels_of(content: str) -> list[TimedText]:
    """The labels of a track as Audacity exports it, those of a moment left out; none where a text is no such track."""
    lines = [line for line in lines_of(content) if line.strip() and not line.startswith("\\")]
    labels = [label for line in lines if (label := _LABEL.fullmatch(line))]
    if len(labels) < len(lines):
        return []
    each = (
        (Excerpt(seconds_of(start) or 0.0, seconds_of(end) or 0.0), text)
        for start, end, text in (label.groups() for label in labels)
    )
    return [TimedText(excerpt, text.strip()) for excerpt, text in each if excerpt.end > excerpt.start and text.strip()]
