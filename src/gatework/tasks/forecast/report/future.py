"""The forecast from the end of the table, which no one can check yet."""

from __future__ import annotations

from gatework.tasks._section import Answered, ReportSection, section_file
from gatework.tasks.forecast.charts import charts

_MOST_CHARTS = 12


def future(answered: Answered) -> ReportSection | None:
    """The end of every series with the forecast of the best network; None where the run keeps none."""
    network = answered.networks[0] if answered.networks else None
    table = network.tables.get("future") if network else None
    if network is None or table is None:
        return None
    drawn = [chart.state() for chart in charts(table.head(_MOST_CHARTS))]
    return ReportSection(
        name="future",
        title="What comes next",
        template=section_file(__package__, "future.html"),
        context={
            "charts": drawn,
            "count": len(table),
            "first": table["ahead"][0][0],
            "last": table["ahead"][0][-1],
            "name": network.name,
        },
        data={"name": network.name, "charts": drawn},
        script=section_file(__package__, "future.js"),
    )
