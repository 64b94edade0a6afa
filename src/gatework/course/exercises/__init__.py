"""The exercises, one file per lesson, and the registry that `check()` reads."""

from __future__ import annotations

from gatework.course.exercises import (
    cell,
    gradients,
    inside,
    language,
    listening,
    machines,
    order,
    scratch,
    series,
    texts,
    translation,
    waves,
)
from gatework.course.exercises._spec import Exercise, Mistake

__all__ = ["REGISTRY", "Exercise", "Mistake"]

REGISTRY: dict[str, Exercise] = {
    exercise.name: exercise
    for module in (
        order,
        gradients,
        cell,
        scratch,
        waves,
        texts,
        inside,
        series,
        language,
        translation,
        listening,
        machines,
    )
    for exercise in module.EXERCISES
}
