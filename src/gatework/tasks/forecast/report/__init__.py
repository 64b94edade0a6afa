"""What a forecaster shows: what comes next, and forecasts with bands, of which networks, and of what distribution."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection
from gatework.tasks.forecast.report.distribution import distribution
from gatework.tasks.forecast.report.forecasts import forecasts
from gatework.tasks.forecast.report.future import future
from gatework.tasks.forecast.report.networks import networks


def sections(answered: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report."""
    wanted = (future(answered), forecasts(answered), networks(answered), distribution(answered))
    return [section for section in wanted if section is not None]
