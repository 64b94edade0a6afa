"""A dry look at recordings and their texts: what there is, what would go wrong, what to expect, what to record next."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatework.data.audio import AudioFacts, decibels
from gatework.data.features import HOP, WINDOW
from gatework.data.recordings import chosen_spec, open_all
from gatework.data.transcripts import Utterance
from gatework.errors import DataError
from gatework.formatting import counted
from gatework.recipe import Recipe
from gatework.tasks._findings import Findings, sentence
from gatework.tasks.transcribe.apart import parts_of
from gatework.tasks.transcribe.data import LONGEST, transcripts_of
from gatework.tasks.transcribe.letters import Alphabet, has_digit, plain, silent_signs, steps_needed
from gatework.tasks.transcribe.options import SpeechOptions

_CLIPPED, _SILENT = 0.001, 0.8
# Nobody says more letters in a second than this, nor so few over a whole recording.
_FASTEST, _SLOWEST = 28.0, 1.5
_LONG, _SOFT = 30.0, -30.0
_MOST_STACKED = 4
_NAMED = 3


@dataclass(frozen=True)
class _Heard:
    """A recording that could be read, with its text."""

    utterance: Utterance
    text: str
    facts: AudioFacts

    @property
    def frames(self) -> int:
        return max(int((self.facts.seconds - WINDOW) / HOP) + 1, 1)


def check(source: Any, recipe: Recipe) -> Findings:
    """Looks at recordings and texts without learning anything.

    Args:
        source: As for training.
        recipe: What would be trained.
    """
    config = recipe.section(SpeechOptions)
    transcripts = transcripts_of(source, recipe)
    utterances, bad = list(transcripts.utterances), list[str]()
    heard = []
    for place, recording in open_all(utterances, bad).items():
        try:
            for _ in recording.blocks():
                pass
        except DataError as error:
            bad.append(str(error))
            continue
        heard.append(_Heard(utterances[place], plain(utterances[place].text, config.case), recording.facts))
    problems = [f"{_count(bad, 'recording')} cannot be read (--skip-bad leaves them out): {bad[0]}."] if bad else []
    if not heard:
        return Findings((f"{transcripts.name}: {transcripts.layout}",), tuple(problems))
    lines = [f"{transcripts.name}: {transcripts.layout}", *_lines(heard), *_sound(heard, config)]
    problems += [*transcripts.remarks, *_texts(utterances), *_fits(heard)]
    remarks = [*_quality(heard), *_splits(heard, recipe, config), *_expected(heard)]
    return Findings(tuple(lines), tuple(problems), tuple(remarks))


def _lines(heard: Sequence[_Heard]) -> list[str]:
    minutes = sum(one.facts.seconds for one in heard) / 60
    words = Counter(word for one in heard for word in one.text.split())
    speakers = {one.utterance.speaker for one in heard} - {""}
    once = sum(count == 1 for count in words.values())
    who = f"{counted(len(speakers), 'speaker')}" if speakers else "speakers are not named"
    return [
        f"{counted(len(heard), 'recording')}, {minutes:.1f} minutes, {who}",
        f"{counted(words.total(), 'word')}, {len(words):,} different, {once:,} of them said once; "
        f"{len({one.text for one in heard}):,} different texts",
    ]


def _sound(heard: Sequence[_Heard], config: SpeechOptions) -> list[str]:
    rates = Counter(one.facts.rate for one in heard)
    spec = chosen_spec([one.facts for one in heard], config.sample_rate, config.bands)
    said = ", ".join(f"{rate:,} ({count:,})" for rate, count in rates.most_common())
    seconds = np.array([one.facts.seconds for one in heard])
    peaks = [decibels(one.facts.peak) for one in heard]
    mixed = sum(one.facts.channels > 1 for one in heard)
    channels = f"; {mixed:,} of several channels, which are mixed" if mixed else ""
    return [
        f"samples per second: {said}; learnt at {spec.rate:,} with {spec.bands} bands{channels}",
        f"lengths {seconds.min():.1f} to {seconds.max():.1f} s, median {np.median(seconds):.1f} s; "
        f"loudest sample {np.median(peaks):.0f} dB of full scale (median)",
    ]


def _texts(utterances: Sequence[Utterance]) -> list[str]:
    digits = [one for one in utterances if has_digit(one.text)]
    problems = []
    if digits:
        problems.append(
            f"{_count(digits, 'text')} with digits, the first at {digits[0].where}: spell them out as they are said, "
            "or leave them out (--digits leave-out)."
        )
    if signs := silent_signs(one.text for one in utterances):
        listed = " ".join(f"{sign} ({count:,})" for sign, count in signs.most_common(8))
        problems.append(f"Signs that are dropped although they may be said: {listed}; spell them out where they are.")
    letters = Counter(letter for one in utterances for letter in set(plain(one.text)) if letter.isalpha())
    rare = [letter for letter, count in sorted(letters.items()) if count <= 2]
    if rare and len(utterances) >= 50:
        problems.append(
            f"Letters that stand in one or two texts only, too few to be learnt: {' '.join(rare)}; are they slips?"
        )
    return problems


def _fits(heard: Sequence[_Heard]) -> list[str]:
    alphabet = Alphabet.of([one.text for one in heard])
    needed = [steps_needed(alphabet.indices(one.text)) for one in heard]
    problems = []
    short = [one for one, steps in zip(heard, needed, strict=True) if one.frames < steps]
    if short:
        problems.append(
            f"{_count(short, 'recording')} too short for the text, which no network can write in {1000 * HOP:.0f} ms "
            f"steps: {_names(short)}; is the text that of another recording, or the recording cut?"
        )
    tempo = [(one, len(one.text) / max(one.facts.seconds, 0.1)) for one in heard if one.text and one not in short]
    fast = [one for one, rate in tempo if rate > _FASTEST]
    slow = [one for one, rate in tempo if rate < _SLOWEST and one.facts.seconds > 5]
    if fast:
        problems.append(f"{_count(fast, 'recording')} with more text than can be said in the time: {_names(fast)}.")
    if slow:
        problems.append(f"{_count(slow, 'recording')} much longer than the text takes to say: {_names(slow)}.")
    long = [one for one in heard if one.facts.seconds > LONGEST]
    if long:
        problems.append(
            f"{_count(long, 'recording')} of more than {LONGEST:.0f} s, too long to be learnt from (--skip-bad leaves "
            f"them out): {_names(long)}; cut them into sentences, each with its text."
        )
    empty = [one for one in heard if not one.text]
    if empty:
        problems.append(
            f"{_count(empty, 'recording')} without a word, learnt as silence: {_names(empty)}; is that what they are?"
        )
    return problems


def _quality(heard: Sequence[_Heard]) -> list[str]:
    clipped = [one for one in heard if one.facts.clipped > _CLIPPED * one.facts.samples]
    silent = [one for one in heard if one.facts.blocks and one.facts.quiet > _SILENT * one.facts.blocks]
    soft = [one for one in heard if one.facts.peak > 0 and decibels(one.facts.peak) < _SOFT and one not in silent]
    long = [one for one in heard if _LONG < one.facts.seconds <= LONGEST]
    lying = [one for one in heard if one.facts.remark]
    remarks = []
    if clipped:
        remarks.append(f"{_count(clipped, 'recording')} clipped (lower the gain): {_names(clipped)}.")
    if silent:
        remarks.append(f"{_count(silent, 'recording')} almost all silence: {_names(silent)}.")
    if soft:
        remarks.append(f"{_count(soft, 'recording')} very soft (speak nearer): {_names(soft)}.")
    if long:
        remarks.append(f"{_count(long, 'recording')} over {_LONG:.0f} s, slow to learn from: {_names(long)}; cut them.")
    if lying:
        remarks.append(
            f"{_count(lying, 'recording')} in a file that is amiss: {_names(lying)}: {lying[0].facts.remark}."
        )
    return remarks


def _splits(heard: Sequence[_Heard], recipe: Recipe, config: SpeechOptions) -> list[str]:
    texts, utterances = [one.text for one in heard], [one.utterance for one in heard]
    try:
        parts, how = parts_of(utterances, texts, config.apart, recipe.data)
    except DataError as error:
        return [sentence(error)]
    of_text: dict[str, set[str]] = defaultdict(set)
    for name, part in parts._asdict().items():
        for place in part:
            of_text[texts[place]].add(name)
    shared = sum(len(names) > 1 for names in of_text.values())
    sizes = f"{len(parts.train):,} to learn from, {len(parts.validation):,} and {len(parts.test):,} held back"
    return [f"{how} {sizes}; {counted(shared, 'text')} in several parts."]


def _expected(heard: Sequence[_Heard]) -> list[str]:
    """What such an amount came to elsewhere, and what helps most."""
    minutes = sum(one.facts.seconds for one in heard) / 60
    words = Counter(word for one in heard for word in one.text.split())
    speakers = {one.utterance.speaker for one in heard} - {""}
    if Alphabet.of([one.text for one in heard], "auto").is_words:
        least = min(words, key=words.__getitem__)
        who = "a speaker who is not among these is harder: record others too" if len(speakers) < 10 else ""
        closed = f"A closed list of {counted(len(words), 'word')}: a few minutes are enough for one voice"
        return [f'{closed}; record more of the rarest, "{least}" ({words[least]:,}){"; " + who if who else ""}.']
    advice = "other sentences of the same kind help most, the same ones again least"
    if minutes < 10:
        expected = "too little for free text; a list of phrases (predict --phrases) may work"
    elif minutes < 60:
        expected = (
            "free text of one voice stays rough, a third to two thirds of new words wrong; a list of phrases works"
        )
    else:
        expected = "free text of one voice becomes readable; every doubling of the minutes helps"
    return [f"With {minutes:.0f} minutes {expected}; {advice}."]


def _count(items: Sequence[Any], noun: str) -> str:
    return counted(len(items), noun)


def _names(heard: Sequence[_Heard]) -> str:
    names = [one.utterance.name for one in heard[:_NAMED]]
    return ", ".join(names) + (f" and {len(heard) - _NAMED:,} more" if len(heard) > _NAMED else "")
