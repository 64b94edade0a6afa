"""What fewer labels are worth, with and without the pre-training."""

from __future__ import annotations

from gatework.formatting import rounded
from gatework.tasks._section import Answered, ReportSection, section_file
from gatework.tasks.classify.label_curve import PLAIN, PRETRAINED

_TITLES = {PRETRAINED: "begun from the language model", PLAIN: "begun from nothing"}


def labels(answered: Answered) -> ReportSection | None:
    """The accuracy by the number of labels; None where no curve was wanted."""
    table = next((entry.tables["further"] for entry in answered.entries if "further" in entry.tables), None)
    if table is None:
        return None
    reached: dict[str, dict[int, float]] = {}
    for name, accuracy in zip(table["training"], table["test_accuracy"], strict=True):
        count, _, kind = name.partition("-")
        reached.setdefault(kind, {})[int(count)] = float(accuracy)
    counts = sorted({count for by_count in reached.values() for count in by_count})
    rows = [(f"{count:,}", [reached[kind].get(count) for kind in reached]) for count in counts]
    said = "; ".join(
        f"{_TITLES[kind]}: " + ", ".join(f"{count:,} labels {accuracy:.3f}" for count, accuracy in by_count.items())
        for kind, by_count in reached.items()
    )
    return ReportSection(
        name="labels",
        title="Fewer labels",
        template=section_file(__package__, "labels.html"),
        context={"titles": [_TITLES[kind] for kind in reached], "rows": rows, "summary": f"Accuracy. {said}."},
        data=[
            {"name": _TITLES[kind], "labels": list(by_count), "accuracy": [rounded(v, 4) for v in by_count.values()]}
            for kind, by_count in reached.items()
        ],
        script=section_file(__package__, "labels.js"),
    )
