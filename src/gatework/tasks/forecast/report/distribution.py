"""Which distribution answers of counts, where the validation part chose."""

from __future__ import annotations

from gatework.formatting import number
from gatework.tasks._section import Answered, ReportSection, section_file


def distribution(answered: Answered) -> ReportSection | None:
    """What the law of counts and free quantiles lost on the validation part; None where there was no choice."""
    network = answered.networks[0] if answered.networks else None
    table = network.tables.get("distribution") if network else None
    if network is None or table is None:
        return None
    rows = [row | {"validation_loss": number(row["validation_loss"])} for row in table.iter_rows(named=True)]
    return ReportSection(
        name="distribution",
        title="What distribution counts have",
        template=section_file(__package__, "distribution.html"),
        context={"name": network.name, "rows": rows},
    )
