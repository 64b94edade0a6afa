"""What a detector shows of its answers: the series with what was expected, and the spans that stand out."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection
from gatework.tasks.detect.report.detections import detections


def sections(answered: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report; see `gatework.tasks.detect.report.detections.detections`."""
    section = detections(answered)
    return [] if section is None else [section]
