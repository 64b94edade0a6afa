"""What transcribes without a network."""

from __future__ import annotations

import dataclasses

import pytest

from gatework.options import DataOptions
from gatework.tasks.transcribe import baselines
from gatework.tasks.transcribe.task import TranscribeTask
from support import recordings

TEXTS = ("ab", "ba", "cab", "ac", "ab ba", "ba ab", "cab ac")


def test_the_nearest_recording_of_a_closed_list_is_of_the_same_text_and_is_not_looked_for_among_too_many(monkeypatch):
    whole = dataclasses.replace(
        recordings.dataset(), train=recordings.spoken(TEXTS), test=recordings.spoken(TEXTS[::-1], seed=50)
    )
    task = TranscribeTask.fit(whole, DataOptions())
    commonest, nearest = task.baselines(whole)
    assert task.metrics(nearest.answers)["ser"] == 0
    assert task.metrics(commonest.answers)["ser"] == pytest.approx(1 - 1 / len(TEXTS))

    monkeypatch.setattr(baselines, "_MOST_CELLS", 1)
    assert [method.name for method in task.baselines(whole)] == [commonest.name]
    (reason,) = task.absent(whole)
    assert reason.startswith("nearest recording by time warping is not run")
