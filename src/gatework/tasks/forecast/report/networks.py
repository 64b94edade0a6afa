"""What each of several networks says alone, beside their mean."""

from __future__ import annotations

from gatework.formatting import number
from gatework.tasks._section import Answered, ReportSection, section_file


def networks(answered: Answered) -> ReportSection | None:
    """The figures of each network and of their mean; None where the first run has one network."""
    network = answered.networks[0] if answered.networks else None
    table = network.tables.get("networks") if network else None
    if network is None or table is None:
        return None
    rows = [{k: v if isinstance(v, str) else number(v) for k, v in row.items()} for row in table.iter_rows(named=True)]
    return ReportSection(
        name="networks",
        title="Each network alone",
        template=section_file(__package__, "networks.html"),
        context={"name": network.name, "count": len(rows) - 1, "rows": rows},
    )
