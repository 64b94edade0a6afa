"""Exercises of lesson 11: a path to its text, and how many words are wrong."""

from __future__ import annotations

from gatework.course.exercises._spec import Exercise, Mistake


def collapse(path: str) -> str:
    """The text of a path of one symbol a step, in which "-" is the blank."""
    text, before = "", "-"
    for symbol in path:
        if symbol not in (before, "-"):
            text += symbol
        before = symbol
    return text


def _blanks_first(path: str) -> str:
    text = ""
    for symbol in path.replace("-", ""):
        if not text.endswith(symbol):
            text += symbol
    return text


def _blanks_only(path: str) -> str:
    return path.replace("-", "")


def _repeats_only(path: str) -> str:
    return "".join(symbol for k, symbol in enumerate(path) if k == 0 or symbol != path[k - 1])


def word_errors(said: str, written: str) -> int:
    """The fewest words to change, leave out or put in."""
    known, seen = said.split(), written.split()
    least = list(range(len(seen) + 1))
    for k, word in enumerate(known, start=1):
        row = [k]
        for j, other in enumerate(seen, start=1):
            row.append(min(least[j] + 1, row[j - 1] + 1, least[j - 1] + (word != other)))
        least = row
    return least[-1]


def _word_by_word(said: str, written: str) -> int:
    known, seen = said.split(), written.split()
    return sum(a != b for a, b in zip(known, seen, strict=False)) + abs(len(known) - len(seen))


def _as_sets(said: str, written: str) -> int:
    return len(set(said.split()) ^ set(written.split()))


def _difference_of_lengths(said: str, written: str) -> int:
    return abs(len(said.split()) - len(written.split()))


def _letters(said: str, written: str) -> int:
    return word_errors(" ".join(said), " ".join(written))


def _is_wrong(said: str, written: str) -> int:
    return int(said != written)


EXERCISES = (
    Exercise(
        collapse,
        (("-nn-oo-",), ("th-re-e",), ("ee-e",), ("----",), ("o",)),
        (
            Mistake(
                _blanks_first,
                "You drop the blanks first, and then two equal letters cannot be told from one that is held: merge "
                "the held ones while the blanks still stand between.",
            ),
            Mistake(_blanks_only, "A letter that is held for several steps is written once; you write it every time."),
            Mistake(_repeats_only, 'The blank is no letter: leave out every "-" after merging.'),
        ),
        "This is all that reading a network greedily takes: the likeliest symbol of each step, collapsed.",
        "Add a symbol when it is no blank and differs from the one before it in the path.",
    ),
    Exercise(
        word_errors,
        (
            ("one two three", "one two three"),
            ("one two three four", "two three four"),
            ("seven", "seven seven seven"),
            ("four five", "five four"),
            ("zero one two", "zero nine two"),
            ("three eight", ""),
        ),
        (
            Mistake(
                _word_by_word,
                "You compare place by place: where one word is left out, all that follow count as wrong. Find the "
                "fewest changes.",
            ),
            Mistake(_as_sets, "Order and repetition count: compare the two as lists, not as sets of words."),
            Mistake(_difference_of_lengths, "Two texts of equal length may differ in every word."),
            Mistake(_letters, "You count letters; split both texts into words first."),
            Mistake(_is_wrong, "You say whether anything is wrong; count how many words are."),
        ),
        "Added up over all recordings and divided by the words that were said, it is the word error rate.",
        "A table: least[k][j] from its three neighbours, each with the price of one change.",
    ),
)
