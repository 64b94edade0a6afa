"""What a language model shows: its way past the n-grams, what it writes, where it is surprised, what it copies."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection
from gatework.tasks.generate.report.copies import copies
from gatework.tasks.generate.report.crossing import crossing
from gatework.tasks.generate.report.surprise import surprise
from gatework.tasks.generate.report.written import written


def sections(answered: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report; of a comparison, those of its best network."""
    made = (crossing(answered), written(answered), surprise(answered), copies(answered))
    return [section for section in made if section is not None]
