"""Two classes: what a model finds as its threshold moves, and whether its probabilities can be taken at their word."""

from __future__ import annotations

from typing import Any

import numpy as np

from gatework.formatting import rounded
from gatework.tasks._section import ReportSection, section_file
from gatework.tasks.classify.report.chances import Chances

_ROC_POINTS = 150
_BINS = 10


def thresholds(chances: Chances) -> ReportSection | None:
    """ROC and calibration curves; None unless there are two classes and the test part holds both."""
    actual = chances.actual
    if len(chances.classes) != 2 or len(np.unique(actual)) < 2:
        return None
    positives = {name: chance[:, 1] for name, chance in chances.by_name.items()}
    curves = [_roc(name, chance, actual) for name, chance in positives.items()]
    calibration = [c for name, chance in positives.items() if (c := _calibration(name, chance, actual))]
    areas = ", ".join(f"{curve['model']} {curve['area']}" for curve in curves)
    return ReportSection(
        name="thresholds",
        title="Thresholds and trust",
        template=section_file(__package__, "thresholds.html"),
        context={
            "positive": chances.classes[1],
            "calibration": bool(calibration),
            "summary": f"ROC curves. Area under the curve: {areas}.",
        },
        data={"curves": curves, "calibration": calibration},
        script=section_file(__package__, "thresholds.js"),
    )


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
