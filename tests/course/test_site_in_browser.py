"""The static site in a real browser: quizzes answer, plots draw, the drawing moves, nothing is fetched."""

from __future__ import annotations

import shutil

import pytest

from gatework.course.experiments.pages import EXPERIMENTS
from gatework.course.lessons import lessons
from gatework.course.notebooks import build
from gatework.course.site import write_site
from gatework.errors import RunError
from support.seen import FAINT, UNREACHABLE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
LESSONS = lessons()
BY_NAME = pytest.mark.parametrize("each", LESSONS, ids=[each.name for each in LESSONS])
# A page that lets no text run as code is asked once and waits itself: to be asked again and again would be such a text.
ENDED = "node => Promise.all(node.getAnimations().map(each => each.finished))"
# A legend over the title of its axis, or the figure beside a bar over the bar's name.
OVERLAPS = """plots => plots.flatMap(plot => {
    const boxes = (those) => [...plot.querySelectorAll(those)].map(each => each.getBoundingClientRect());
    const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
    return [[".legend text", ".xtitle"], [".bars text", ".ytick text"]].flatMap(([one, other]) =>
        boxes(one).some(a => boxes(other).some(b => meet(a, b))) ? [`${plot.getAttribute("aria-label")}: ${one}`] : []);
})"""
GREEN, RED = "rgb(26, 127, 75)", "rgb(179, 38, 30)"


def as_a_reader_gets_it(notebook):
    """The notebook without the cells that only assert."""
    notebook.cells = [cell for cell in notebook.cells if "claim" not in cell.metadata.get("tags", [])]
    return notebook


@pytest.fixture(scope="session")
def site(run_lesson, tmp_path_factory):
    done = {each: as_a_reader_gets_it(run_lesson(each)) for each in LESSONS}
    return write_site(tmp_path_factory.mktemp("site") / "course", done).parent


def _pages(new_page, site):
    complaints, fetched, opened = [], [], []

    def watched(name, **options):
        page = new_page(motion="reduce", **options)
        opened.append(page)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: fetched.append(request.url))
        page.goto((site / name).as_uri())
        return page

    yield watched
    for page in opened:
        page.close()
    assert complaints == []
    assert [url for url in fetched if not url.startswith((site.as_uri(), "data:", "blob:"))] == []


@pytest.fixture(scope="module")
def unrun(tmp_path_factory):
    """The site of lessons without their outputs, for what does not depend on them."""
    return write_site(tmp_path_factory.mktemp("unrun") / "course", {each: build(each) for each in LESSONS}).parent


@pytest.fixture
def open_unrun(new_page, unrun):
    yield from _pages(new_page, unrun)


@pytest.fixture
def open_page(new_page, site):
    """Opens a page of the site; afterwards there was no complaint and nothing came from anywhere else."""
    yield from _pages(new_page, site)


@pytest.fixture(scope="module")
def lesson_3(new_page, site):
    """A page on which nobody minds what others did, as to draw its plots takes seconds."""
    for open_page in _pages(new_page, site):
        yield open_page("03-the-lstm-cell.html")


def plain(text):
    """A text of a quiz as a reader sees it."""
    import re

    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)).strip()


def colour_of(element):
    return element.evaluate("node => getComputedStyle(node).color")


def border_of(element):
    return element.evaluate("node => getComputedStyle(node).borderTopColor")


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", "glossary", *(each.name for each in LESSONS)])
def test_the_smallest_phone_shows_a_page_whole_and_legibly_and_its_keyboard_reaches_all(name, scheme, open_unrun):
    page = open_unrun(f"{name}.html", width=320, height=640, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.wait_for_function(f"!({UNREACHABLE})().length")
    assert page.evaluate(FAINT) == []
    titles = page.locator("section[aria-label]").evaluate_all("all => all.map(each => each.ariaLabel)")
    assert len(set(titles)) == len(titles)
    unnamed = "all => all.filter(each => !each.ariaLabel && !each.innerText.trim()).map(each => each.outerHTML)"
    assert page.locator("a:has(math)").evaluate_all("all => all.filter(each => !each.ariaLabel).length") == 0
    assert page.locator("a, button").evaluate_all(unnamed) == []


@pytest.mark.browser
@needs_chromium
def test_the_number_of_a_lesson_does_not_touch_its_title_on_a_phone(open_page):
    page = open_page("index.html", width=390, height=800)
    room = page.locator(".lessons .number").evaluate_all("""all => all.map(node => {
        const text = document.createRange();
        text.selectNodeContents(node);
        return node.getBoundingClientRect().right - text.getBoundingClientRect().right;
    })""")
    assert len(room) == len(LESSONS)
    assert min(room) > 8


@pytest.mark.browser
@needs_chromium
@BY_NAME
def test_every_plot_of_a_lesson_is_drawn_on_a_phone_and_every_answer_of_a_quiz_gets_its_feedback(each, open_page):
    # Opened once, as to draw its plots takes seconds: on a phone, which is then turned into a screen.
    page = open_page(f"{each.name}.html", width=390, height=800)
    for width in (390, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        places = page.locator(".plot")
        drawn = page.locator(".plot .main-svg .trace, .plot .main-svg .hm, .plot .main-svg .heatmaplayer image")
        assert drawn.count() >= places.count()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".plot").evaluate_all(OVERLAPS) == []
        assert page.locator("math").count() == 0 or page.locator("math").first.bounding_box()["height"] > 5
    assert page.locator("[data-quiz]").count() == len(each.questions)
    for name, question in each.questions.items():
        quiz = page.locator(f'[data-quiz="{name}"]')
        assert plain(question.content["question"]) in plain(quiz.inner_text())
        answer = {"multiple_choice": _choose, "many_choice": _tick}.get(question.content["type"], _type)
        for given in question.content["answers"]:
            answer(page, quiz, question.content, given)


def _choose(page, quiz, question, given):
    button = next(b for b in quiz.locator(".MCButton").all() if plain(b.inner_text()) == plain(given["answer"]))
    button.click()
    feedback = quiz.locator(".Feedback")
    assert plain(feedback.inner_text()).startswith(plain(given["feedback"]))
    wanted = GREEN if given["correct"] else RED
    assert colour_of(feedback) == wanted
    button.evaluate(ENDED)
    assert border_of(button) == wanted


def _tick(page, quiz, question, given):
    """Ticks a wrong answer alone, or a right one with the other right ones."""
    wanted = [a for a in question["answers"] if a["correct"]] if given["correct"] else [given]
    for button in quiz.locator(".MCButton").all():
        button.locator("input").set_checked(plain(button.inner_text()) in [plain(a["answer"]) for a in wanted])
    quiz.locator(".send").click()
    feedback = quiz.locator(".Feedback")
    assert all(plain(answer["feedback"]) in plain(feedback.inner_text()) for answer in wanted)
    assert colour_of(feedback) == (GREEN if given["correct"] else RED)


def _type(page, quiz, question, given):
    field = quiz.locator("input[type=text]")
    field.click()
    if given.get("type") == "default":
        written = "-98765" if question["type"] == "numeric" else "a walrus"
    elif "range" in given:
        written = str(sum(given["range"]) / 2)
    else:
        written = str(given.get("value", given.get("answer")))
    field.press_sequentially(written)
    quiz.locator(".send").click()
    feedback = quiz.locator(".Feedback")
    assert plain(given["feedback"]) in plain(feedback.inner_text())
    assert colour_of(feedback) == (GREEN if given.get("correct") else RED)


@pytest.mark.browser
@needs_chromium
def test_the_drawing_of_the_cell_follows_its_slider(lesson_3):
    figure = lesson_3.locator(".cell-figure")
    before = figure.locator('[data-name="i"] .value').text_content()
    fill = "node => getComputedStyle(node).fill"
    dark = figure.locator('[data-name="i"] rect').evaluate(fill)
    slider = figure.locator("input[type=range]")
    slider.focus()
    slider.press("ArrowRight")
    assert figure.locator("output").inner_text() == "2 of 10"
    after = figure.locator('[data-name="i"] .value').text_content()
    assert float(before) > 0.9
    assert float(after) < 0.1
    figure.locator('[data-name="i"] rect').evaluate(ENDED)
    assert figure.locator('[data-name="i"] rect').evaluate(fill) != dark


@pytest.mark.browser
@needs_chromium
def test_a_lesson_that_is_read_in_the_dark_is_printed_in_ink_and_within_the_sheet(open_page):
    page = open_page("02-the-recurrent-network.html", scheme="dark", width=1280)
    ink = "[...document.querySelectorAll('.xtitle')].map(node => getComputedStyle(node).fill)"
    assert set(page.evaluate(ink)) == {"rgb(236, 234, 230)"}
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 718, "height": 1000})
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert set(page.evaluate(ink)) == {"rgb(27, 27, 29)"} == {colour_of(page.locator("h1"))}
    right = page.locator(".plot .main-svg").evaluate_all("all => all.map(each => each.getBoundingClientRect().right)")
    assert max(right) <= 718
    page.emulate_media(media="screen", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert set(page.evaluate(ink)) == {"rgb(236, 234, 230)"}


@pytest.mark.browser
@needs_chromium
def test_a_field_is_named_by_its_question(lesson_3):
    assert lesson_3.get_by_role("textbox", name="What is the forget gate f, to three digits?").count() == 1


@pytest.mark.browser
@needs_chromium
def test_the_first_page_leads_through_every_lesson_and_back(open_page):
    # As it does without scripts, which are another test's.
    page = open_page("index.html", java_script_enabled=False)
    assert page.locator(".lessons a").count() == len(LESSONS)
    page.locator(".lessons a").first.click()
    for each in LESSONS:
        assert page.locator("h1").inner_text() == each.title
        after = page.locator(".onward .after")
        if after.count():
            after.click()
    page.locator(".masthead > a").click()
    assert page.locator("h1").inner_text() == "How an LSTM works"


@pytest.mark.browser
@needs_chromium
def test_a_solution_is_folded_away_until_it_is_asked_for(lesson_3):
    solution = lesson_3.locator("details").first
    assert not solution.locator("pre").is_visible()
    solution.locator("summary").click()
    assert "np.exp" in solution.locator("pre").inner_text()


@pytest.mark.browser
@needs_chromium
def test_the_search_leads_to_the_part_of_a_lesson_where_a_word_stands(open_page):
    page = open_page("index.html")
    field = page.get_by_label("Search the lessons and the terms")
    field.press_sequentially("walrus (")
    assert page.locator("#hit-count").inner_text().startswith("Nothing")
    field.fill("forget gat")
    assert page.locator("#hits li").count() > 3
    field.fill("four frames by hand")
    page.locator("#hits a").first.click()
    assert page.locator(":target").inner_text() == "Four frames, by hand"
    page.go_back()
    page.get_by_label("Search the lessons and the terms").fill("half-life")
    page.get_by_role("link", name="half-life", exact=True).click()
    assert page.locator(":target").inner_text().startswith("half-life")


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="holds something else than this site"):
        write_site(tmp_path, {})
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_site_is_written_again_over_an_earlier_one(tmp_path, monkeypatch):
    monkeypatch.setattr("gatework.course.site.EXPERIMENTS", ())
    write_site(tmp_path, {})
    assert write_site(tmp_path, {}).exists()


def test_the_playground_lies_beside_the_lessons(site):
    assert 'href="playground.html"' in (site / "index.html").read_text(encoding="utf-8")
    assert (site / "playground.html").exists()


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.name)
def test_a_published_experiment_is_one_click_from_the_first_page(experiment, open_page):
    page = open_page("index.html")
    page.get_by_role("link", name=experiment.title, exact=True).click()
    page.locator(".main-svg .trace").nth(3).wait_for(state="attached")
    assert page.locator("h1").inner_text() == experiment.about["title"]
    assert experiment.headline in page.inner_text("main")
    assert page.locator("h2", has_text="How they learn").count() == 1
    assert experiment.about["command"] in page.inner_text("main")


@pytest.mark.browser
@needs_chromium
def test_the_first_use_of_a_term_leads_to_its_place_in_the_glossary(open_page, site):
    page = open_page(f"{LESSONS[0].name}.html")
    link = page.locator("a.term", has_text="feedforward network")
    assert link.count() == 1
    link.click()
    assert page.locator(":target").inner_text().startswith("feedforward network")


@pytest.mark.browser
@needs_chromium
def test_an_arrow_key_moves_among_answers_and_the_space_bar_or_enter_gives_one(open_page):
    page = open_page(f"{LESSONS[0].name}.html")
    quiz = page.locator('[data-quiz="independent-inputs"]')
    answers = quiz.locator("input[type=radio]")
    answers.first.focus()
    for key, place in (("ArrowDown", 1), ("ArrowRight", 2), ("ArrowUp", 1), ("ArrowLeft", 0), ("ArrowUp", -1)):
        page.keyboard.press(key)
        assert answers.nth(place).evaluate("node => node === document.activeElement")
    assert quiz.locator(".Feedback").inner_text() == ""
    page.keyboard.press("Space")
    told = quiz.locator(".Feedback").inner_text()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert "" != told != quiz.locator(".Feedback").inner_text()


@pytest.mark.browser
@needs_chromium
def test_a_decimal_comma_is_as_good_as_a_point(lesson_3):
    page = lesson_3
    field = page.locator('[data-quiz="forget-by-hand"] input')
    field.click()
    page.keyboard.type("0,668")
    assert field.input_value() == "0.668"
    page.keyboard.press("Enter")
    assert colour_of(page.locator('[data-quiz="forget-by-hand"] .Feedback')) == GREEN
