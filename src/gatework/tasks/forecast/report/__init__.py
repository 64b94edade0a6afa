"""What a forecaster shows of its answers: forecasts with their bands, by step ahead and by series."""

from __future__ import annotations

from gatework.tasks._section import Answered, Section
from gatework.tasks.forecast.report.forecasts import forecasts


def sections(answered: Answered) -> list[Section]:
    """The sections of a run's or a comparison's report; see `gatework.tasks.forecast.report.forecasts.forecasts`."""
    section = forecasts(answered)
    return [] if section is None else [section]
