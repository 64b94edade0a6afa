"""The live page in a real browser: it says what Python says, and does nothing that a person did not ask for."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import polars as pl
import pytest
import torch

from gatework._files import write_tensors
from gatework.data.dataset import Split
from gatework.data.inputs import SeriesInputs
from gatework.data.text import Texts
from gatework.data.tokens import tokenise
from gatework.errors import RunError, UsageError
from gatework.inside import attribute, trace
from gatework.inside.page import write_page
from support.networks import run, series
from support.seen import FAINT

pytestmark = pytest.mark.browser

PROBABILITY = 1e-3
"""How far the page may be from Python, whose weights it holds in half precision where there are many."""

TEXT_RUNS = [
    {"cell": "lstm"},
    {"cell": "gru", "bidirectional": True, "layers": 2, "pooling": "concat"},
    {"cell": "rnn", "padding": "pre", "max_tokens": 9, "pooling": "mean"},
    {"cell": "lstm", "bidirectional": True, "pooling": "max", "max_tokens": 5},
    {"cell": "rnn_relu", "pooling": "attention"},
    {"cell": "peephole", "bidirectional": True},
    {"cell": "minimal", "layers": 2},
    {"cell": "lstm", "bidirectional": True, "zoneout": {"c": 0.4, "h": 0.1}, "cell_clip": 0.2},
    {"cell": "gru", "layers": 2, "zoneout": 0.3, "recurrent_dropout": 0.2, "weight_drop": 0.2},
    {"cell": "lstm", "bidirectional": True, "layers": 2, "layer_norm": True},
    {"cell": "gru", "layer_norm": True, "zoneout": 0.3, "pooling": "mean"},
    {"cell": "peephole", "layer_norm": True, "zoneout": {"c": 0.4, "h": 0.1}, "cell_clip": 0.2},
    {"cell": "minimal", "layer_norm": True, "bidirectional": True},
    {"cell": "slstm", "layer_norm": True},
    {"cell": "gru", "bidirectional": True, "pairs": 50},
]
TEXTS = [
    "Good film!",
    "never very bad good",
    "a VERY slow plot, don't watch; good good bad film it was... 日本 👍 never mind the Actor's slow, bad end!",
]


def opened(show, path, view=""):
    page = show(path, view=view)
    page.wait_for_selector("body[data-state]")
    return page


def classes_of(page, number=0):
    return page.evaluate(f"softmax(gatework.results[{number}].result.scores)")


def probabilities(made, text):
    split = Split(Texts.of([text]), np.zeros(1, dtype=np.int64))
    return list(made.predict(split)["probabilities"][0].values())


def values_said(made, split):
    """The values that a regression says of the first example, in their own unit."""
    return made.evaluate(split).answers["value"].to_numpy()[0]


def trees(page, expression):
    """Arrays of arrays from typed arrays in the page."""
    return page.evaluate(f"JSON.parse(JSON.stringify({expression}, (_, v) => v instanceof Float64Array ? [...v] : v))")


TRACES = "result.traces.map((layer) => layer.map((scan) => scan.named))"


@pytest.fixture(scope="module")
def every_page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    runs = [run(folder / f"run{k}", seed=k, **changes) for k, changes in enumerate(TEXT_RUNS)]
    assert {"never very", "bad good"} <= {*runs[-1].task.encoder.vocabulary.pairs}
    return runs, write_page(runs, folder / "inspect.html", TEXTS)


@pytest.fixture(scope="module")
def texts_page(every_page):
    """Fewer networks, for what a page does whatever cell it shows."""
    runs = every_page[0][:4]
    return runs, write_page(runs, every_page[1].with_name("fewer.html"), TEXTS)


def test_every_cell_says_of_a_text_what_python_says(show, every_page):
    runs, path = every_page
    page = opened(show, path)
    for preset, text in enumerate(TEXTS):
        page.select_option("#preset", str(preset))
        for k, made in enumerate(runs):
            np.testing.assert_allclose(classes_of(page, k), probabilities(made, text), atol=PROBABILITY)


def test_every_gate_and_state_in_the_page_is_that_of_the_trace(show, every_page):
    runs, path = every_page
    page = opened(show, path, "#preset=2")
    for k, made in enumerate(runs):
        expected = trace(made, TEXTS[2])
        found = trees(page, f"gatework.results[{k}].{TRACES}")
        for layer, by_direction in enumerate(found):
            for direction, named in enumerate(by_direction):
                for name, values in zip(expected.names, named, strict=True):
                    own = expected.sequence(0)[name][layer, direction]
                    # Unbounded states (of the rectifier) differ by as many parts of themselves.
                    allowed = 2e-3 * max(1.0, float(np.abs(own).max()))
                    np.testing.assert_allclose(np.reshape(values, own.shape), own, atol=allowed)


def test_contributions_are_those_of_python(show, every_page):
    runs, path = every_page
    page = opened(show, path, "#preset=2&explain=1")
    for k, made in enumerate(runs):
        found = trees(page, f"gatework.results[{k}].contributions")
        expected = attribute(made, TEXTS[2], target="positive", method="gradient x input").values
        np.testing.assert_allclose(found, expected, atol=5e-3 * max(1.0, np.abs(expected).max()))
    page.select_option("#method", "integrated")
    page.wait_for_selector("body[data-state=integrated]")
    for k, made in enumerate(runs):
        found = trees(page, f"gatework.results[{k}].contributions")
        expected = attribute(made, TEXTS[2], target="positive", points=24).values
        np.testing.assert_allclose(found, expected, atol=5e-3 * max(1.0, np.abs(expected).max()))


def test_the_class_that_is_spoken_for_is_named(show, texts_page):
    runs, path = texts_page
    page = opened(show, path)
    page.select_option("#explain", "-1")
    for preset, text in enumerate(TEXTS):
        page.select_option("#preset", str(preset))
        told = {("negative", "positive")[int(np.argmax(probabilities(made, text)))] for made in runs}
        expected = f"“{told.pop()}”" if len(told) == 1 else "the class that each network predicts"
        assert page.inner_text("#colour-help").startswith(f"Blue speaks for {expected}, orange against it")
    page.select_option("#explain", "1")
    assert page.inner_text("#colour-help").startswith("Blue speaks for “positive”")


def test_the_style_sheet_is_written_as_it_is(texts_page):
    style = re.search(r"<style>(.*?)</style>", texts_page[1].read_text(encoding="utf-8"), re.S)[1]
    assert '[aria-selected="true"]' in style


@pytest.fixture(scope="module")
def series_page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    options = [
        {"cell": "rnn"},
        {"cell": "gru", "layers": 2},
        {"cell": "lstm", "bidirectional": True, "pooling": "mean"},
        {"cell": "indrnn", "layers": 2},
        {"cell": "slstm"},
    ]
    runs = [run(folder / f"run{k}", "series", seed=k, **changes) for k, changes in enumerate(options)]
    return runs, write_page(runs, folder / "inspect.html", series(3, 8))


def values_of(page, number):
    return page.evaluate(f"valuesOf(gatework.networks[{number}], gatework.results[{number}].result.scores)")


def test_every_cell_says_of_a_series_what_python_says(show, series_page):
    runs, path = series_page
    page = opened(show, path)
    examples = series(3, 8)
    for preset in range(3):
        page.select_option("#preset", str(preset))
        for k, made in enumerate(runs):
            own = examples.take(np.array([preset]))
            np.testing.assert_allclose(values_of(page, k), values_said(made, own), atol=1e-3)
        assert f"actual {examples.targets[preset, 0]:.4f}".replace("-", "−") in page.inner_text("#predictions")


def test_arrow_keys_move_a_point_and_the_prediction_follows(show, series_page):
    runs, path = series_page
    page = opened(show, path)
    before = values_of(page, 2)
    chart = page.get_by_role("slider", name="The series")
    for key in ("ArrowLeft", "ArrowLeft", "PageUp", "ArrowUp"):
        chart.press(key)
    values = np.array(page.evaluate("view.values"), dtype=np.float32)
    changed = np.flatnonzero(values != series(3, 8).inputs[0])
    assert changed.tolist() == [9]
    assert values_of(page, 2) != before
    for k, made in enumerate(runs):
        own = Split(SeriesInputs.of(values[np.newaxis]), np.zeros((1, 1), dtype=np.float32))
        np.testing.assert_allclose(values_of(page, k), values_said(made, own), atol=1e-3)


def test_a_dragged_point_changes_its_value(show, series_page):
    page = opened(show, series_page[1])
    box = page.locator("#input .area").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 4.5 / 13, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 4.5 / 13, box["y"] + 20)
    page.mouse.up()
    values = np.array(page.evaluate("view.values"))
    assert np.flatnonzero(~np.isclose(values, series(3, 8).inputs[0])).tolist() == [4]
    assert values[4] > series(3, 8).inputs[0].max() - 1


def test_typing_changes_the_prediction_and_the_words(show, texts_page):
    runs, path = texts_page
    page = opened(show, path)
    before = classes_of(page)
    page.locator("#input").fill("")
    page.locator("#input").type("never bad")
    assert classes_of(page) != before
    np.testing.assert_allclose(classes_of(page), probabilities(runs[0], "never bad"), atol=PROBABILITY)
    assert [t.inner_text() for t in page.locator("#reading .run").first.locator(".token").all()] == ["never", "bad"]
    assert page.input_value("#preset") == "-1"
    page.locator("#input").fill("  ")
    assert "Nothing to read" in page.inner_text("#reading")


HOSTILE = {
    "markup": "<script>document.title='broken'</script><img src=x onerror=\"document.title=1\"> good & 'bad' \"film\"",
    "right to left": "فيلم جيد جدا שלום \u202egood\u202c bad",
    "emoji": "👍🏽👨‍👩‍👧🇩🇪❤️ good 💀",
    "endless": "never good " * 9100,
    "one word": "x" * 100_000,
}


def test_what_is_kept_from_one_key_press_to_the_next_changes_no_result(show, every_page):
    path = every_page[1]
    page = opened(show, path)
    said = "gatework.results.map(({ result, contributions }) => [result.traces, contributions])"
    # Longer at the end, shorter, and something after nothing.
    for before, text in (("good film", "good film never"), ("a good film never", "a good"), ("", "slow")):
        page.locator("#input").fill(before)
        page.locator("#input").fill(text)
        fresh = opened(show, path, f"#preset=-1&input={text}")
        assert trees(page, said.replace("result.traces", TRACES)) == trees(fresh, said.replace("result.traces", TRACES))
        assert page.inner_text("#reading") == fresh.inner_text("#reading")
        fresh.close()


def test_a_hostile_text_is_shown_as_text(show, texts_page):
    runs, path = texts_page
    page = opened(show, path)
    title = page.title()
    for name, text in HOSTILE.items():
        page.locator("#input").fill(text)
        assert page.title() == title, name
        assert page.locator("#reading img, #reading script").count() == 0, name
        np.testing.assert_allclose(classes_of(page, 3), probabilities(runs[3], text), atol=PROBABILITY, err_msg=name)
        shown = page.locator("#reading .run").nth(3).locator(".token").all_inner_texts()
        assert shown == tokenise(pl.Series([text])).words(0)[-5:], name


def test_a_hostile_preset_and_class_are_shown_as_text(show, tmp_path):
    made = run(tmp_path / "run")
    state = json.loads((made.path / "task.json").read_text())
    state["classes"] = ["</script><script>document.title='broken'</script>", "<b>&"]
    (made.path / "task.json").write_text(json.dumps(state))
    path = write_page([type(made).open(made.path)], tmp_path / "inspect.html", HOSTILE["markup"])
    page = opened(show, path)
    assert page.title() == "Inside lstm"
    assert page.input_value("#input") == HOSTILE["markup"]
    assert "<b>&" in page.inner_text("#predictions")


STRINGS = [
    "Don’t STOP, it's great!",
    "'quoted' rock'n'roll",
    "3.14 is 2nd",
    "日本語とカナ",
    "iPhoneを買う",
    "สวัสดี",
    "안녕하세요 세계",
    "हिन्दी भाषा",
    "good👍🏽👨‍👩‍👧🇩🇪❤️",
    "cafe\u0301 CAFÉ",
    "ΟΔΥΣΣΕΥΣ ΣΑΣ",
    "İstanbul ISPARTA",
    "Straße ﬁne ǅ",
    "a_b-c/d",
    "x²y₃ Ⅷ ½",
    "e\u0301\u0323 q\u0307",
    "ʼn 'n' ''a''b'",
    "\u200dא\u05b8ב",
    "👩🏾‍🚀🏴‍☠️©™",
    "ก็ ที่",
    "မြန်မာ",
    "ភាសាខ្មែរ",
    "〆〇々ー・",
    "𠮷野家 𝒳𝟙",
    "!!??!?",
]


def test_the_page_cuts_texts_into_the_tokens_of_python(show, texts_page):
    page = opened(show, texts_page[1])
    random = np.random.default_rng(0)
    ranges = [(32, 127), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x400), (0x590, 0x700), (0x900, 0x980), (0xE00, 0xE80)]
    ranges += [
        (0x1000, 0x10A0),
        (0x1780, 0x1800),
        (0x2000, 0x2100),
        (0x3000, 0x3200),
        (0x4E00, 0x4F00),
        (0x1F300, 0x1F700),
    ]
    made = []
    for _ in range(1500):
        low, high = ranges[random.integers(len(ranges))]
        mixed = [(32, 127), (low, high)]
        made.append("".join(chr(random.integers(*mixed[random.integers(2)])) for _ in range(random.integers(1, 24))))
    strings = [*STRINGS, *made]
    expected = tokenise(pl.Series(strings))
    found = page.evaluate("(strings) => strings.map((s) => tokenise(s).tokens.map((t) => t.token))", strings)
    wrong = [
        (s, f, expected.words(k)) for k, (s, f) in enumerate(zip(strings, found, strict=True)) if f != expected.words(k)
    ]
    assert wrong == []


def test_one_click_shows_the_arithmetic_of_that_step(show, texts_page):
    runs, path = texts_page
    page = opened(show, path, "#preset=2")
    canvas = page.locator("#maps .run").first.locator("canvas").nth(4)
    box = canvas.bounding_box()
    steps = len(trace(runs[0], TEXTS[2]).steps[0])
    canvas.click(position={"x": box["width"] * 3.5 / steps, "y": box["height"] * 2.5 / 6})
    equations = page.locator("#units .run").first.locator(".equation .numbers").all_inner_texts()
    found = trace(runs[0], TEXTS[2])
    at = {name: found[name][0, 0, 3, 0, 2] for name in found.names}
    before = found["c"][0, 0, 2, 0, 2]
    signed = [float(n.replace("−", "-")) for n in re.findall(r"−?\d+\.\d+", equations[4])]
    # Three decimals are shown of what was computed with half-precision word vectors.
    np.testing.assert_allclose(signed, [at["f"], before, at["i"], at["g"], at["c"]], atol=3e-3)
    for line in equations:
        right_hand, result = line.removeprefix("=").rsplit("=", 1)
        code = right_hand.replace("−", "-").replace("×", "*").replace("σ", "sigmoid")
        value = eval(code, {"sigmoid": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh})
        # Every number is rounded to three decimals; at most five of them are multiplied or added.
        assert value == pytest.approx(float(result.replace("−", "-")), abs=6e-3)


FUNCTIONS = {"sigmoid": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh, "exp": np.exp, "log": np.log, "max": max}
FUNCTIONS |= {"softplus": lambda a: np.log1p(np.exp(a)), "relu": lambda a: max(a, 0)}
NUMBER = re.compile(r"\d+\.\d+")


def value_of(shown: str) -> tuple[float, float]:
    """What a line of arithmetic comes to, and how far off that may be, as its numbers are rounded to three decimals."""
    code = shown.replace("−", "-").replace("×", "*").replace("÷", "/").replace("σ", "sigmoid")
    code = code.replace("max(0, ·)", "relu")
    value, moved = eval(code, FUNCTIONS), 0.0
    for match in NUMBER.finditer(code):
        rest = (code[: match.start()], code[match.end() :])
        moves = [eval(str(float(match[0]) + d).join(rest), FUNCTIONS) - value for d in (-5e-4, 5e-4)]
        moved += max(map(abs, moves))
    return value, moved


def test_every_line_of_arithmetic_adds_up(show, every_page):
    page = opened(show, every_page[1], "#preset=2&step=3")
    page.evaluate("document.querySelectorAll('#units summary').forEach((summary) => summary.click())")
    for number, changes in enumerate(TEXT_RUNS):
        unit = page.locator("#units .run").nth(number)
        letters = unit.locator(".equation .letters").all_inner_texts()
        filled = unit.locator(".equation .numbers").all_inner_texts()
        for left, right in zip(letters, filled, strict=True):
            right_hand, result = right.removeprefix("=").rsplit("=", 1)
            value, moved = value_of(right_hand)
            # The parts are moved one by one; together they may go a little further.
            expected = pytest.approx(float(result.replace("−", "-")), abs=5e-4 + 1.5 * moved)
            assert value == expected, (changes, left, right)
        cell = page.evaluate(f"gatework.networks[{number}].cell_")
        is_normalised = "layer_norm" in changes
        norms = sum(left.startswith("norm(") for left in letters)
        count = len(cell["inputGates"]) + len(cell["recurrentGates"]) + len(cell["normalised"])
        assert norms == (count if is_normalised else 0), changes
        assert ("norm(W" in letters[0].replace("\n", "")) == is_normalised, changes


def test_the_keyboard_moves_through_maps_and_words(show, texts_page):
    page = opened(show, texts_page[1], "#preset=2&step=4&units=0")
    canvas = page.locator("#maps .run").first.locator("canvas").first
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp"):
        canvas.press(key)
    assert page.evaluate("[view.step, view.units[0]]") == [5, 1]
    page.locator("#reading .strip-of-tokens").first.press("ArrowLeft")
    assert page.evaluate("view.step") == 4
    assert page.locator("#reading .run").first.locator("[aria-selected=true]").inner_text() == "don't"
    assert "step 5" in page.inner_text("#step-name")
    label = canvas.get_attribute("aria-label")
    assert re.search(r"i, 6 units over \d+ steps. mean 0\.\d\d, \d+ % above 0\.9", label)


def test_a_link_restores_the_view(show, texts_page, series_page):
    page = opened(show, texts_page[1], "#preset=1")
    page.locator("#input").fill('one & two = "drei" #4 é 👍')
    page.select_option("#colour", "c")
    page.locator("#units input[type=number]").nth(1).fill("4")
    page.get_by_role("button", name="Copy a link").click()
    link = page.evaluate("viewToHash('text')")
    assert page.evaluate("location.hash") == link
    again = opened(show, texts_page[1], link)
    assert again.evaluate("view") == page.evaluate("view")
    assert again.input_value("#input") == 'one & two = "drei" #4 é 👍'
    assert classes_of(again) == classes_of(page)
    moved = opened(show, series_page[1])
    moved.get_by_role("slider", name="The series").press("PageUp")
    link = moved.evaluate("viewToHash('series')")
    np.testing.assert_allclose(
        opened(show, series_page[1], link).evaluate("view.values"), moved.evaluate("view.values"), rtol=1e-6
    )


@pytest.mark.parametrize(
    "view", ["#preset=99&layer=7&units=999.x&colour=zz&step=1000000", "#preset=-1&input=", "#%E0%A4%A"]
)
def test_a_broken_link_does_no_harm(show, texts_page, series_page, view):
    for runs, path in (texts_page, series_page):
        assert opened(show, path, view).locator("#predictions .run").count() == len(runs)


@pytest.mark.parametrize(("kind", "scheme"), [("texts_page", "dark"), ("series_page", "light")])
def test_a_phone_needs_no_sideways_scrolling(show, request, kind, scheme):
    page = show(request.getfixturevalue(kind)[1], scheme, 360)
    page.wait_for_selector("body[data-state]")
    # As a step of several variables, or a long word, is written.
    page.locator("#step-name").evaluate("node => node.textContent = 'step 10 (111.000, 19.000, 93.000, 111.000)'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # What follows the networks' columns stands below them.
    bottom = page.locator("#units").bounding_box()
    assert page.locator("footer").bounding_box()["y"] >= bottom["y"] + bottom["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_on_whatever_ground_they_have(show, texts_page, scheme):
    page = show(texts_page[1], scheme, 400)
    page.wait_for_selector("body[data-state]")
    # Every ground that there is, one a token.
    tokens = page.locator(".token")
    page.evaluate("""() => document.querySelectorAll(".token").forEach((token, k, { length }) => {
        token.style.backgroundColor = colours.ground(2 * k / Math.max(1, length - 1) - 1); })""")
    assert tokens.count() > 8
    assert page.evaluate(FAINT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_controls_have_names_and_nothing_is_fetched(show, texts_page):
    page = opened(show, texts_page[1])
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("input, select, textarea, button, canvas, [tabindex]")]
             .filter((e) => !e.ariaLabel && !e.labels?.length && !e.ariaLabelledByElements?.length)
             .filter((e) => !e.innerText.trim())
             .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', texts_page[1].read_text())
    assert policy
    assert "default-src &#39;none&#39;" in policy[1]


# The networks of the recipes imdb and imdb-original.
LARGE = [
    (20_000, {"hidden": 64, "bidirectional": True, "pooling": "max", "max_tokens": 400}),
    (10_000, {"hidden": 128, "padding": "pre", "max_tokens": 200}),
]


@pytest.mark.parametrize(("size", "changes"), LARGE, ids=["imdb", "imdb-original"])
def test_a_large_model_stays_under_six_megabytes_and_answers_a_key_press_at_once(show, tmp_path, size, changes):
    torch.manual_seed(0)
    made = run(tmp_path / "run", embedding=128, **changes)
    state = json.loads((made.path / "task.json").read_text())
    letters = "etaoinshrdlu"
    words = [f"{letters[k % 12]}{letters[k // 12 % 12]}{letters[k // 144 % 12]}{k}" for k in range(size)]
    state["encoder"]["words"] = words
    (made.path / "task.json").write_text(json.dumps(state))
    made = type(made).open(made.path)
    model = made.task.model(made.recipe.model)
    torch.nn.init.normal_(model.embedding.weight, 0, 0.3)
    write_tensors(made.path / "model.safetensors", model.state_dict())
    text = " ".join(np.random.default_rng(0).choice(words, 200))
    path = write_page([type(made).open(made.path)], tmp_path / "inspect.html", text)
    assert path.stat().st_size < 6_000_000
    page = opened(show, path)
    np.testing.assert_allclose(classes_of(page), probabilities(type(made).open(made.path), text), atol=PROBABILITY)
    # On the processor's clock, and the fastest of several: what else the machine does is no matter.
    processor = page.context.new_cdp_session(page)
    processor.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds():
        return next(
            m["value"] for m in processor.send("Performance.getMetrics")["metrics"] if m["name"] == "ScriptDuration"
        )

    taken = []
    for _ in range(5):
        before = seconds()
        page.locator("#input").type("e")
        taken.append(seconds() - before)
    assert 0 < min(taken) < 0.05


KNOTTED = """
import gatework
from torch import sigmoid, tanh

@gatework.cell
def Knotted(a_i, a_g, c, s):
    c = sigmoid(a_i) * c + a_g
    s = s + tanh(c)
    return {"c": c, "s": s, "h": tanh(s)}
"""


def test_what_cannot_be_shown_is_refused(tmp_path):
    text, numbers = run(tmp_path / "text"), run(tmp_path / "series", "series")
    with pytest.raises(UsageError, match="one run at least"):
        write_page([], tmp_path / "inspect.html")
    with pytest.raises(
        UsageError, match=r"share one input, and these do not: .*text reads texts; .*series of 1 variable"
    ):
        write_page([text, numbers], tmp_path / "inspect.html")
    with pytest.raises(UsageError, match="text 1 is ''"):
        write_page([text], tmp_path / "inspect.html", "")
    (tmp_path / "mine.py").write_text(KNOTTED)
    knotted = run(tmp_path / "knotted", cell=f"{tmp_path / 'mine.py'}:Knotted", layer_norm=True)
    with pytest.raises(RunError, match="the norm of one state of its cell depends on that of another"):
        write_page([knotted], tmp_path / "inspect.html", "")
    (text.path / "summary.json").unlink()
    with pytest.raises(RunError, match="not finished"):
        write_page([type(text).open(text.path)], tmp_path / "inspect.html")


def test_a_run_whose_data_are_gone_gets_simple_shapes(tmp_path):
    page = write_page([run(tmp_path / "run", "series")], tmp_path / "inspect.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])
    assert [preset["label"] for preset in data["presets"]] == ["sine", "step", "spike", "flat"]
    assert base64.b85decode(re.search(r'id="weights-0">(.*?)</script>', page)[1].replace(",", "<"))
