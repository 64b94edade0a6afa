"""Placeholders for what a translation keeps: numbers, links, addresses, tags, new names and a glossary's terms.

A network never sees what a placeholder stands for. It learns where placeholders go, from the numbers, links and terms
that both sides of a training pair have, and from words that are hidden in some of the pairs (see `rehearsal`); the
search gives each placeholder of a sentence once; and what it stands for is put back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from gatework.data.subwords import PLACEHOLDERS

_RULES = re.compile(
    r"(?P<placeholder>[\ue000-\ue00f])"
    r"|(?P<tag></?[A-Za-z][^<>]*>)"
    r"|(?P<entity>&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);)"
    r"""|(?P<link>(?:https?://|www\.)[^\s<>"]*[^\s<>".,;:!?)\]'’»])"""
    r"|(?P<address>(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
    r"|(?P<number>(?<!\w)(?<!\d[.,:/’'-])\d+(?:[.,:/’'-]\d+)*(?!\w))"
    r"|(?P<word>(?<!\w)\w+(?:[-’']\w+)*)"
)
_WORD = re.compile(r"\w+(?:[-’']\w+)*")
_BEGINNING = re.compile(r"(?:^|[.!?…:;])[^\w]*$")
_END_MARK = re.compile(r"\s*[.!?…。！？]*$")
_TAG_NAME = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
_FEWEST_NAMES, _LEAST_COPIED = 20, 0.5
_LEAST_AGREEING = 0.98
_WRITTEN_MARKS = ".!?…"
_MARKS = ".!?…。！？"
_FIRST_WIDE = 0x2E80
"""From here on scripts are written without spaces between words, or nearly so."""


class Stretch(NamedTuple):
    """A stretch of a sentence that is kept.

    Attributes:
        start: Its first character.
        end: The character behind it.
        value: What stands in the translation for it.
    """

    start: int
    end: int
    value: str


class Masked(NamedTuple):
    """A sentence with placeholders.

    Attributes:
        text: The sentence.
        values: What the placeholders stand for in the translation, the first placeholder's first.
    """

    text: str
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Keeping:
    """Which stretches of a sentence are kept.

    Attributes:
        words: The words of the training sentences in lower case: others may be names and codes.
        copies_names: Whether capitalised words are mostly the same in both languages.
        keeps_marks: Whether nearly always both sides end with a mark, or neither.
        glossary: Terms, and what they are in translations.
    """

    words: Collection[str] = frozenset()
    copies_names: bool = False
    keeps_marks: bool = False
    glossary: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def learnt(cls, sources: Sequence[str], targets: Sequence[str], glossary: Mapping[str, str]) -> Keeping:
        """What is known of words from pairs of sentences."""
        words = frozenset(word.lower() for source in sources for word in _WORD.findall(source))
        copied = count = 0
        for source, target in zip(sources, targets, strict=True):
            names = [match[0] for match in _WORD.finditer(source) if _is_name(match[0], source, match.start())]
            if names:
                count += len(names)
                copied += len(set(names) & set(_WORD.findall(target)))
        agreeing = sum(_has_mark(source) == _has_mark(target) for source, target in zip(sources, targets, strict=True))
        keeps_marks = agreeing >= _LEAST_AGREEING * len(sources)
        return cls(words, count >= _FEWEST_NAMES and copied >= _LEAST_COPIED * count, keeps_marks, glossary)

    def state(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "words": " ".join(sorted(self.words)),
            "names": self.copies_names,
            "marks": self.keeps_marks,
            "glossary": dict(self.glossary),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Keeping:
        """What gave this `state()`."""
        terms = {str(term): str(said) for term, said in state["glossary"].items()}
        return cls(frozenset(str(state["words"]).split()), bool(state["names"]), bool(state["marks"]), terms)

    def spans(self, text: str) -> list[Stretch]:
        """What is kept of a sentence, in its order."""
        terms = [Stretch(match.start(), match.end(), self._said(match[0])) for match in self._terms(text)]
        kept, at = [], 0
        for span in sorted([*terms, *self._by_rule(text)], key=lambda span: (span.start, -span.end)):
            if span.start >= at:
                kept.append(span)
                at = span.end
        return kept

    def masked(self, text: str) -> Masked:
        """A sentence with a placeholder for each stretch that is kept; beyond the last placeholder all stay."""
        return masked(text, self.spans(text))

    def ended(self, source: str, translation: str) -> str:
        """A translation with a mark at its end where its source has one, and without where that has none."""
        is_marked = _has_mark(source)
        if not self.keeps_marks or not translation or is_marked == _has_mark(translation):
            return translation
        if not is_marked:
            return translation.rstrip(_MARKS + " ")
        return translation + source[-1] if source[-1] in _WRITTEN_MARKS else translation

    def masked_pair(self, source: str, target: str) -> tuple[Masked, str]:
        """A pair with placeholders for what both sides have."""
        pairs, taken = [], list[Stretch]()
        for span in self.spans(source):
            if (place := _place(target, span.value, taken)) is not None:
                pairs.append((span, place))
                taken.append(place)
        pairs = pairs[: len(PLACEHOLDERS)]
        order = sorted(range(len(pairs)), key=lambda k: pairs[k][1].start)
        written = masked(target, [pairs[k][1] for k in order], [PLACEHOLDERS[k] for k in order])
        return masked(source, [span for span, _ in pairs]), written.text

    def _by_rule(self, text: str) -> Iterator[Stretch]:
        for match in _RULES.finditer(text):
            if match.lastgroup != "word" or self._is_new(match[0], text, match.start()):
                yield Stretch(match.start(), match.end(), match[0])

    def _is_new(self, word: str, text: str, start: int) -> bool:
        """Whether a word is a code, or a name where names are copied, that was not learnt from."""
        has_digit = any(letter.isdecimal() for letter in word)
        is_candidate = has_digit or (self.copies_names and _is_name(word, text, start))
        return is_candidate and word.lower() not in self.words

    def _terms(self, text: str) -> Iterator[re.Match[str]]:
        return self._pattern.finditer(text) if self._pattern else iter(())

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        terms = sorted(self.glossary, key=len, reverse=True)
        return re.compile("|".join(map(_term_pattern, terms))) if terms else None

    def _said(self, term: str) -> str:
        return self.glossary.get(term) or self.glossary[term[0].lower() + term[1:]]


def masked(text: str, spans: Sequence[Stretch], placeholders: Sequence[str] = PLACEHOLDERS) -> Masked:
    """A text with these stretches, in their order, replaced by placeholders."""
    parts, at, spans = [], 0, spans[: len(placeholders)]
    for span, placeholder in zip(spans, placeholders, strict=False):
        parts += [text[at : span.start], placeholder]
        at = span.end
    return Masked("".join([*parts, text[at:]]), tuple(span.value for span in spans))


def _has_mark(sentence: str) -> bool:
    return sentence[-1:] in tuple(_MARKS)


def filled(text: str, values: Sequence[str], *, is_capital: bool = False) -> str:
    """A translation with what its placeholders stand for; what it lacks comes before its last mark.

    Args:
        text: The translation.
        values: What the placeholders stand for, the first placeholder's first.
        is_capital: Whether the translation shall begin with a capital letter where a term begins it.
    """
    wanted = dict(zip(PLACEHOLDERS, values, strict=False))
    lacking = [placeholder for placeholder in wanted if placeholder not in text]
    if lacking:
        end = _END_MARK.search(text)
        at = end.start() if end else len(text)
        text = f"{text[:at]} {' '.join(lacking)}{text[at:]}".strip()
    written = [wanted[letter] for letter in text if letter in wanted]
    if not _is_nested(written):  # tags that the network has put across each other keep the source's order
        tags = iter([value for value in values if _TAG_NAME.match(value)])
        written = [next(tags, value) if _TAG_NAME.match(value) else value for value in written]
    if is_capital and text[:1] in wanted and "." not in written[0]:
        written[0] = written[0][0].upper() + written[0][1:]
    ready = iter(written)
    return "".join(next(ready) if letter in wanted else letter for letter in text if letter not in _strange(wanted))


def _strange(wanted: Mapping[str, str]) -> frozenset[str]:
    return frozenset(PLACEHOLDERS) - wanted.keys()


def _is_nested(values: Sequence[str]) -> bool:
    """Whether every tag that closes another closes the last one that is open."""
    tags = [match.groups() for value in values if (match := _TAG_NAME.match(value))]
    closed = {name for slash, name in tags if slash}
    opened: list[str] = []
    for slash, name in tags:
        if slash and (not opened or opened.pop() != name):
            return False
        if not slash and name in closed:
            opened.append(name)
    return not opened


def _is_name(word: str, text: str, start: int) -> bool:
    """Whether a word looks like a name: a capital where none must be."""
    return len(word) > 1 and word[0].isupper() and not _BEGINNING.search(text, max(0, start - 8), start)


def _term_pattern(term: str) -> str:
    """A term as it may be written: whole, and at the beginning of a sentence with a capital."""
    first, rest = term[0], re.escape(term[1:])
    body = f"[{re.escape(first)}{re.escape(first.upper())}]" if first.islower() and len(first.upper()) == 1 else None
    return f"{_edge(term[0], '(?<!')}{body or re.escape(first)}{rest}{_edge(term[-1], '(?!')}"


def _edge(letter: str, look: str) -> str:
    return rf"{look}\w)" if letter.isalnum() and ord(letter) < _FIRST_WIDE else ""


def _place(target: str, value: str, taken: Sequence[Stretch]) -> Stretch | None:
    """Where a value stands in a translation and nothing else is taken."""
    for match in re.finditer(_term_pattern(value), target):
        if all(match.end() <= span.start or span.end <= match.start() for span in taken):
            return Stretch(match.start(), match.end(), value)
    return None
