"""A forecast's report in a real browser: which methods are drawn, and where a forecast begins."""

import pytest

from gatework.reports import plot, report
from gatework.tasks import Band, Chart, Curve
from support.forecast_reports import write_forecasts

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    return report(write_forecasts(tmp_path_factory.mktemp("forecasts") / "out"))


def names(page, plot):
    return page.evaluate(f"document.getElementById('{plot}').data.map((trace) => trace.name).filter((name) => name)")


@pytest.fixture(params=[1200, 390])
def page(show_once, comparison, request):
    return show_once(comparison, width=request.param)


def test_nothing_is_wider_than_the_screen(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("page", [1200], indirect=True)
def test_a_forecast_begins_at_the_last_value_of_the_past(page):
    past, line = page.evaluate(
        """() => { const traces = document.getElementById("forecast-chosen").data;
             const past = traces[0], line = traces.find((trace) => trace.name === "lstm");
             return [[past.x.at(-1), past.y.at(-1)], [line.x[0], line.y[0]]]; }"""
    )
    assert past == line


@pytest.mark.parametrize("page", [1200], indirect=True)
def test_a_tick_adds_and_removes_a_method_in_every_plot(page):
    plots = ("forecast-chosen", "forecast-steps", "forecast-coverage")
    for plot_id in plots:
        assert {"lstm", "rnn"} <= set(names(page, plot_id))
        assert "AutoARIMA" not in names(page, plot_id)
    page.get_by_role("checkbox", name="AutoARIMA").check()
    page.get_by_role("checkbox", name="rnn").uncheck()
    for plot_id in plots:
        assert "AutoARIMA" in names(page, plot_id)
        assert "rnn" not in names(page, plot_id)


@pytest.mark.parametrize("page", [1200], indirect=True)
def test_the_method_whose_bands_are_chosen_is_drawn_whatever_is_ticked(page):
    page.locator("#forecast-method").select_option("drift")
    assert "drift" in names(page, "forecast-chosen")
    assert "bands of drift" in page.locator("#forecast-chosen").get_attribute("aria-label")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_of_predictions_draws_lines_bands_and_bars(show, tmp_path, scheme):
    lines = Chart(
        "sales",
        ["2024-01-01", "2024-01-02", "2024-01-03"],
        [Curve("past", [1.0, 2.0, None]), Curve("forecast", [None, 2.0, 3.0], "said")],
        [Band("80 % interval", [None, 2.0, 2.5], [None, 2.0, 3.5])],
    )
    page = show(plot([lines, Chart("classes", ["spam", "ham"], bars=[3, 5])], tmp_path / "out.html"), scheme)
    assert page.locator("#chart-0 .scatterlayer .trace").count() == 3
    assert page.locator("#chart-1 .barlayer .point").count() == 2
