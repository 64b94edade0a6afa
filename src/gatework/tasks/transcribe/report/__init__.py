"""What transcription shows of its answers."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection


def sections(answered: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report."""
    return []
