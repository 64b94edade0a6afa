"""A comparison of data that a test has made, with its report."""

from pathlib import Path
from typing import Any

from gatework._compared import finished
from gatework.data import Dataset
from gatework.evaluation import comparison


def compare(dataset: Dataset, plan: comparison.ComparisonPlan, out: Path, **options: Any) -> Path:
    """Trains and reports; the path of the page."""
    comparison.compare(dataset, plan, out, **options)
    return finished(out).report
