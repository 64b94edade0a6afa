"""What a translation shows of its answers: figures by length, sentences, and where the networks look."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection
from gatework.tasks.translate.report.attention import attention
from gatework.tasks.translate.report.lengths import lengths
from gatework.tasks.translate.report.sentences import sentences


def sections(answered: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report."""
    if not answered.entries or not len(answered.test):
        return []
    made = (lengths(answered), sentences(answered), attention(answered))
    return [section for section in made if section is not None]
