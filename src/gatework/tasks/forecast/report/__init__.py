"""What a forecaster shows: what comes next, and forecasts of the test part with bands, by step ahead and by series."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection
from gatework.tasks.forecast.report.forecasts import forecasts
from gatework.tasks.forecast.report.future import future


def sections(answered: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report."""
    return [section for section in (future(answered), forecasts(answered)) if section is not None]
