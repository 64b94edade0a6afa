"""What a regression shows of its answers: predicted values against the actual ones."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection
from gatework.tasks.regress.report.values import values


def sections(answered: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report; see `gatework.tasks.regress.report.values.values`."""
    section = values(answered)
    return [] if section is None else [section]
