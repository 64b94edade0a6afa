"""What a classifier shows of its answers: mistakes, confusion, each speaker, and thresholds of two classes."""

from __future__ import annotations

from gatework.errors import RunError
from gatework.tasks._section import Answered, ReportSection, column_of
from gatework.tasks.classify.metrics import probabilities
from gatework.tasks.classify.report.chances import Chances
from gatework.tasks.classify.report.confusion import confusion
from gatework.tasks.classify.report.errors import errors
from gatework.tasks.classify.report.labels import labels
from gatework.tasks.classify.report.speakers import speakers
from gatework.tasks.classify.report.thresholds import thresholds


def sections(answered: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report.

    Raises:
        RunError: Answers, test part and class names do not fit each other.
    """
    chances = read_chances(answered)
    if chances is None:
        return []
    shown = (errors(chances, answered), confusion(chances), speakers(chances, answered))
    made = (*shown, thresholds(chances), labels(answered))
    return [section for section in made if section is not None]


def read_chances(answered: Answered) -> Chances | None:
    """The class probabilities of every entry's typical seed; None where there is nothing to show."""
    classes = tuple(str(name) for name in answered.state.get("classes") or ())
    if not classes or not answered.entries or not len(answered.test):
        return None
    actual = column_of(answered.entries[0], "target").to_numpy()
    if actual.min() < 0 or actual.max() >= len(classes):
        raise RunError(f"the answers hold the class index {actual.max()}, but there are {len(classes)} classes")
    by_name = {}
    for entry in answered.entries:
        scores = column_of(entry, "scores").to_numpy()
        if scores.ndim != 2 or scores.shape[1] != len(classes):
            raise RunError(f'the answers of "{entry.name}" do not have one score per class; train or compare again')
        by_name[entry.name] = probabilities(scores)
    return Chances(by_name, actual, classes, tuple(entry.name for entry in answered.networks))
