"""Exercises of lesson 6: words to indices."""

from __future__ import annotations

from collections import Counter

from gatework.course.exercises._spec import Exercise, Mistake


def vocabulary(texts: list[list[str]], size: int) -> list[str]:
    """The `size` most frequent words, ties in alphabetical order."""
    counts = Counter(word for text in texts for word in text)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return ranked[:size]


def _alphabetical(texts: list[list[str]], size: int) -> list[str]:
    return sorted({word for text in texts for word in text})[:size]


def _rarest(texts: list[list[str]], size: int) -> list[str]:
    counts = Counter(word for text in texts for word in text)
    return sorted(counts, key=lambda word: (counts[word], word))[:size]


def _everything(texts: list[list[str]], size: int) -> list[str]:
    return vocabulary(texts, 10**6)


def _as_met(texts: list[list[str]], size: int) -> list[str]:
    counts = Counter(word for text in texts for word in text)
    return [word for word, _ in counts.most_common(size)]


def encode(words: list[str], vocabulary: list[str]) -> list[int]:
    """The position of each word plus 2, and 1 for an unknown one."""
    index = {word: position + 2 for position, word in enumerate(vocabulary)}
    return [index.get(word, 1) for word in words]


def _without_padding(words: list[str], vocabulary: list[str]) -> list[int]:
    return [vocabulary.index(word) if word in vocabulary else 1 for word in words]


def _skips_unknown(words: list[str], vocabulary: list[str]) -> list[int]:
    return [vocabulary.index(word) + 2 for word in words if word in vocabulary]


def _zero_unknown(words: list[str], vocabulary: list[str]) -> list[int]:
    return [vocabulary.index(word) + 2 if word in vocabulary else 0 for word in words]


def _one_early(words: list[str], vocabulary: list[str]) -> list[int]:
    return [vocabulary.index(word) + 1 if word in vocabulary else 1 for word in words]


_TEXTS = [["a", "very", "good", "film"], ["not", "a", "good", "film"], ["a", "bore"]]

EXERCISES = (
    Exercise(
        vocabulary,
        ((_TEXTS, 3), (_TEXTS, 5), ([["b", "b", "a"], ["c", "a", "b"]], 2)),
        (
            Mistake(_alphabetical, "These are the first words of the alphabet; what counts is how often each occurs."),
            Mistake(_rarest, "These are the rarest words: sort with the most frequent first."),
            Mistake(_everything, "You return every word; keep the first `size` of them."),
            Mistake(
                _as_met,
                "Words that occur equally often stand in the order of the texts; sort such ties by the alphabet, so "
                "that the same texts in another order give the same vocabulary.",
            ),
        ),
        "The same vocabulary every time, whatever the order of the texts.",
        "Count the words of all texts together, then sort by count and by word.",
    ),
    Exercise(
        encode,
        ((["a", "good", "walrus"], ["a", "film", "good"]), (["film", "film"], ["a", "film"]), (["x"], ["a"])),
        (
            Mistake(
                _without_padding,
                "The first words of the vocabulary get the indices 0 and 1, which mean padding and unknown: add 2.",
            ),
            Mistake(_skips_unknown, "Unknown words are left out, so the sentence gets shorter: give them index 1."),
            Mistake(_zero_unknown, "Index 0 is padding, which the network never reads; an unknown word has index 1."),
            Mistake(_one_early, "The first word of the vocabulary has the same index as unknown words: add 2, not 1."),
        ),
        "Now a sentence is a list of numbers, and the embedding can turn it into vectors.",
        "Look each word up: its position plus 2 if it is there, else 1.",
    ),
)
