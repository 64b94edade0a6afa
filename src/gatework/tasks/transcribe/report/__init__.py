"""What transcription shows of its answers: errors by speaker and length, confusions, and the worst, to hear."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection
from gatework.tasks.transcribe.report.confusions import confusions
from gatework.tasks.transcribe.report.groups import groups
from gatework.tasks.transcribe.report.learning import learning
from gatework.tasks.transcribe.report.listening import listening


def sections(answered: Answered) -> list[ReportSection]:
    """The sections of a run's or a comparison's report; none where nothing was answered."""
    if not answered.entries or not len(answered.test):
        return []
    shown = (learning(answered), listening(answered))
    return [groups(answered), confusions(answered), *(section for section in shown if section is not None)]
