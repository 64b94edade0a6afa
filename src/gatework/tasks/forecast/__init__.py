"""Forecasting: windows over regular series, the network, simple methods, metrics and intervals that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.tasks.forecast.exporting import exportable
    from gatework.tasks.forecast.model import ForecastNetwork, added_losses, forecast_loss, quantile_loss

__all__ = ["ForecastNetwork", "added_losses", "exportable", "forecast_loss", "quantile_loss"]

__getattr__, __dir__ = lazy(
    __name__,
    {"exporting": ("exportable",), "model": ("ForecastNetwork", "forecast_loss", "added_losses", "quantile_loss")},
)
