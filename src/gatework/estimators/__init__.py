"""Estimators for scikit-learn: recurrent networks in its pipelines, searches and cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.estimators._classifier import SequenceClassifier
    from gatework.estimators._detector import AnomalyDetector
    from gatework.estimators._forecaster import Forecaster
    from gatework.estimators._regressor import SequenceRegressor

__all__ = ["AnomalyDetector", "Forecaster", "SequenceClassifier", "SequenceRegressor"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_classifier": ("SequenceClassifier",),
        "_detector": ("AnomalyDetector",),
        "_forecaster": ("Forecaster",),
        "_regressor": ("SequenceRegressor",),
    },
)
