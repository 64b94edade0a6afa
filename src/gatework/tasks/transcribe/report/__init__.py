"""What transcription shows of its answers."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection


def sections(_: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report; none where nothing was answered."""
    return []
