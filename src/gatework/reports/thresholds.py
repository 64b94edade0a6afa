"""Two classes: what a model finds as its threshold moves, and whether its probabilities can be taken at their word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatework.formatting import rounded

_ROC_POINTS = 150
_BINS = 10


def thresholds(chances: Mapping[str, np.ndarray], actual: np.ndarray, positive: str) -> dict[str, Any] | None:
    """ROC and calibration curves, as the page's script draws them; None where the test part holds one class only.

    Args:
        chances: Per model, the class probabilities, shape (examples, 2).
        actual: The actual classes, shape (examples,).
        positive: The name of the second class.
    """
    if len(np.unique(actual)) < 2:
        return None
    curves = [_roc(name, chance[:, 1], actual) for name, chance in chances.items()]
    areas = ", ".join(f"{curve['model']} {curve['area']}" for curve in curves)
    return {
        "curves": curves,
        "calibration": [c for name, chance in chances.items() if (c := _calibration(name, chance[:, 1], actual))],
        "positive": positive,
        "summary": f"ROC curves. Area under the curve: {areas}.",
    }


def _roc(name: str, chance: np.ndarray, actual: np.ndarray) -> dict[str, Any]:
    from sklearn.metrics import roc_auc_score, roc_curve

    false, true, _ = roc_curve(actual, chance)
    kept = np.unique(np.linspace(0, len(false) - 1, min(_ROC_POINTS, len(false))).astype(int))
    return {
        "model": name,
        "false": [rounded(v, 4) for v in false[kept]],
        "true": [rounded(v, 4) for v in true[kept]],
        "area": rounded(roc_auc_score(actual, chance), 4),
    }


def _calibration(name: str, chance: np.ndarray, actual: np.ndarray) -> dict[str, Any] | None:
    from sklearn.calibration import calibration_curve

    share, said = calibration_curve(actual, chance, n_bins=_BINS, strategy="quantile")
    # A model that always says the same has one point, which is no curve.
    if len(said) < 3:
        return None
    return {"model": name, "said": [rounded(v, 4) for v in said], "share": [rounded(v, 4) for v in share]}
