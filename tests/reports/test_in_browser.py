"""Reports in a real browser: what a reader would see, and that a hostile text does nothing."""

from __future__ import annotations

import itertools

import pytest

from gatework.course.experiments.pages import EXPERIMENTS
from gatework.reports import write_report, write_run_report
from support import patience
from support.report_folders import write_comparison
from support.seen import FAINT, HIDDEN_CONTROLS, UNREACHABLE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    return write_report(write_comparison(tmp_path_factory.mktemp("waves"), examples=300))


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = write_comparison(tmp_path_factory.mktemp("texts"), task="classify", hostile=True, examples=120)
    return write_report(folder)


@pytest.fixture(scope="module")
def single(waves):
    return write_run_report(waves.parent / "runs" / "lstm-seed0")


def drawn(page) -> dict[str, int]:
    """How many marks each plot shows: lines and points that have a size on the screen."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".plot")].map((plot) => [plot.id,
             [...plot.querySelectorAll(".scatterlayer .trace path")].filter((p) => {
               const box = p.getBBox(); return box.width + box.height > 0; }).length]))"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["waves", "texts", "single"])
def test_every_plot_draws_in_light_and_dark(show_once, request, name, scheme):
    page = show_once(request.getfixturevalue(name), scheme)
    marks = drawn(page)
    expected = {"waves": 3 + 1 + 3 + 6, "texts": 3 + 1 + 2, "single": 1 + 3 + 3 + 1}[name]
    assert len(marks) == expected
    assert all(marks.values()), marks


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_a_table_of_results_is_as_wide_as_a_tablet_a_small_window_or_a_sheet_of_paper(show, tmp_path, experiment):
    experiment.write(tmp_path / "report.html")
    page = show(tmp_path / "report.html")
    wide = {}
    for width in (720, 744, 800, 900, 1024, 1057, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        wide[width] = page.locator(".results").evaluate("table => table.getBoundingClientRect().right") - width
    assert {width: by for width, by in wide.items() if by > 0} == {}


@pytest.mark.parametrize("name", ["waves", "texts", "single"])
def test_a_phone_needs_no_sideways_scrolling(show, request, name):
    page = show(request.getfixturevalue(name), width=360)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.evaluate("document.querySelectorAll('.more').forEach((button) => button.click())")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # What scrolls within itself or is cut off with an ellipsis does not widen the page.
    wide = page.evaluate(
        """() => [...document.querySelectorAll("main *, header *, footer *")]
             .filter((e) => !e.closest("svg, .scroll, .says, .poles, .hidden, thead"))
             .filter((e) => e.getBoundingClientRect().right > 361).map((e) => e.outerHTML)"""
    )
    assert wide == []
    assert all(drawn(page).values())


def luminance(page, selector: str, property_name: str = "color") -> float:
    colour = page.evaluate(f"getComputedStyle(document.querySelector('{selector}'))['{property_name}']")
    channels = [int(c) / 255 for c in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["waves", "texts", "single"])
def test_text_stands_out_from_its_ground_and_all_that_scrolls_or_acts_can_be_reached(show, request, name, scheme):
    page = show(request.getfixturevalue(name), scheme, 400)
    assert (luminance(page, "body", "backgroundColor") < 0.2) == (scheme == "dark")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for script in (FAINT, UNREACHABLE, HIDDEN_CONTROLS):
        assert page.evaluate(script) == []


def test_paper_shows_what_a_ground_tells_and_cuts_no_plot(show, waves):
    page = show(waves)
    page.emulate_media(media="print")
    styles = page.evaluate("""() => [".key", ".bars .bar > span", ".badge"].map(
        (name) => getComputedStyle(document.querySelector(name)).printColorAdjust)""")
    assert styles == ["exact"] * 3
    assert page.locator(".plot").first.evaluate("plot => getComputedStyle(plot).breakInside") == "avoid"


def test_the_theme_button_changes_page_and_plots_and_stays_but_paper_is_light(show, waves):
    page = show(waves)
    line = "#learning-loss-0 .scatterlayer .trace path.js-line"
    before = luminance(page, "body", "backgroundColor"), page.locator(line).last.evaluate("e => e.style.stroke")
    page.get_by_role("button", name="Change between light and dark").press("Enter")
    assert luminance(page, "body", "backgroundColor") < 0.2 < before[0]
    assert page.locator(line).last.evaluate("e => e.style.stroke") != before[1]
    page.reload()
    assert luminance(page, "body", "backgroundColor") < 0.2
    page.locator(line).last.wait_for()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert (
        luminance(page, "body", "backgroundColor"),
        page.locator(line).last.evaluate("e => e.style.stroke"),
    ) == before
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert luminance(page, "body", "backgroundColor") < 0.2


def test_the_series_chooser_works_from_the_keyboard(show_once, waves):
    page = show_once(waves, "light")
    shape = "document.querySelector('#series-whole .scatterlayer .trace path.js-line').getAttribute('d')"
    name = page.locator("#series-name")
    first, first_name = page.evaluate(shape), name.inner_text()
    page.locator("#series-range").press("ArrowRight")
    second, second_name = page.evaluate(shape), name.inner_text()
    assert (first, first_name) != (second, second_name)
    assert first != second
    page.locator("#series-previous").press("Enter")
    assert (page.evaluate(shape), name.inner_text()) == (first, first_name)
    page.locator("#series-previous").press("Enter")
    assert name.inner_text() not in (first_name, second_name)
    assert "the actual next value is" in page.locator("#series-end").get_attribute("aria-label")


def test_the_order_by_error_begins_with_the_largest_error(show_once, waves):
    page = show_once(waves, "light")
    page.locator("#series-order").select_option("error")
    wanted = page.evaluate("data.sections.values.series.rows[data.sections.values.series.ranks.error[0]].index")
    assert page.locator("#series-name").inner_text() == f"Series {wanted} of the test part"


def test_errors_can_be_shown_in_place_of_values(show_once, waves):
    page = show_once(waves, "light")
    title = page.locator("#scatter-0 .ytitle")
    assert title.text_content() == "predicted"
    page.get_by_label("Error against actual").check()
    assert title.text_content() == "predicted − actual"


def test_long_texts_open_on_request(show_once, texts):
    page = show_once(texts, "light")
    button = page.locator(".more:visible").first
    rest = button.locator("xpath=..").locator(".rest")
    assert not rest.is_visible()
    button.press("Enter")
    assert rest.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    assert button.inner_text() == "show less"


def test_text_from_data_runs_nothing_and_shows_as_text(show_once, texts):
    page = show_once(texts, "light")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.evaluate("document.querySelectorAll('.more').forEach((button) => button.click())")
    assert page.evaluate("window.hacked === undefined")
    assert page.locator("main img").count() == 0
    assert page.locator("main script").count() == 0
    assert "<script>window.hacked = true</script>" in page.locator("main").inner_text()


def test_a_script_that_was_smuggled_in_would_still_not_run(new_page, texts, tmp_path):
    # The last line of defence: were escaping to fail somewhere, the page's policy would refuse the script.
    smuggled = tmp_path / "report.html"
    text = texts.read_text(encoding="utf-8").replace("</main>", "<script>window.hacked = true</script></main>")
    smuggled.write_text(text, encoding="utf-8")
    page = new_page()
    refusals = []
    page.on("console", lambda m: refusals.append(m.text))
    page.goto(smuggled.as_uri())
    assert page.evaluate("window.hacked === undefined")
    assert page.locator("main script").count() == 1
    assert any("Content Security Policy" in text for text in refusals)
    page.close()


@pytest.mark.parametrize("name", ["waves", "texts", "single"])
def test_a_screen_reader_finds_headings_and_summaries(show_once, request, name):
    page = show_once(request.getfixturevalue(name), "light")
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    labels = page.evaluate(
        "[...document.querySelectorAll('.plot, svg.strip')].map((p) => p.getAttribute('aria-label'))"
    )
    assert all(labels)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select")].filter((e) => !e.textContent.trim()
             && !e.getAttribute("aria-label") && !e.labels?.length).map((e) => e.outerHTML)"""
    )
    assert unnamed == []
    assert page.evaluate("[...document.querySelectorAll('main table')].every((t) => t.caption)")


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    from gatework.training import train
    from support.sensors import SETTINGS, spiked

    out = tmp_path_factory.mktemp("detector") / "run"
    return write_run_report(train("detect", spiked(variables=2), out=out, target="value,other", **SETTINGS).path)


def test_a_detectors_spans_zoom_the_series_when_they_are_chosen(show, detector):
    page = show(detector)
    shown = "() => document.getElementById('detection-plot').layout.xaxis.range.map((x) => +new Date(x))"
    whole = page.evaluate(shown)
    page.locator("#detection-spans button").first.click()
    near = page.evaluate(shown)
    assert near[1] - near[0] < (whole[1] - whole[0]) / 2
    page.locator("#detection-whole").click()
    assert page.evaluate(shown) == whole
    page.select_option("#detection-variable", "0")
    assert all(drawn(page).values())
    page.locator("#detection-plot").scroll_into_view_if_needed()
    mark = page.locator("#detection-plot .subplot.xy2 .points path").first.bounding_box()
    centre = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    page.mouse.move(*centre, steps=5)
    # Plotly looks where the mouse is a moment later; a click is one on what it has found there.
    found = """(() => { const plot = document.getElementById("detection-plot"), at = plot._hoverdata?.[0];
        return Boolean(at) && plot.data.at(-1).x.includes(plot.data[at.curveNumber].x[at.pointNumber]); })()"""
    patience.until(page, found)
    page.mouse.click(*centre)
    after = page.evaluate(shown)
    assert after[1] - after[0] < (whole[1] - whole[0]) / 2
