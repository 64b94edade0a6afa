"""What tests of forecasting share."""

import pytest

from gatework.tasks.forecast.statistical import STATISTICAL


@pytest.fixture(scope="module")
def without_arima():
    """ARIMA takes seconds; the other two are kept and asked the same way."""
    about = STATISTICAL.pop("AutoARIMA")
    yield
    STATISTICAL["AutoARIMA"] = about
