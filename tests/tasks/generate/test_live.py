"""The live page of a language model in a real browser: it writes what Python writes, and shows what Python computes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gatework.data.pieces import BOUNDARY
from gatework.decoding import Sampling
from gatework.errors import RunError
from gatework.inside.page import live as page_of_task
from gatework.inside.page import write_page
from gatework.tasks.generate.drawing import writer_of
from gatework.tasks.generate.scoring import token_nats
from gatework.tasks.generate.writing import prompt_tokens
from support.seen import FAINT
from support.texts import run as trained

PROMPT = "The quéen 日 said"
RULES = {"temperature": 0.7, "top_k": 9, "top_p": 0.8, "min_p": 0.05}
TEXTS = [
    "The king's dead, isn't he? We'll see  \n\n  it's 3.14!\t.",
    "x" * 300,
    "e\u0301 日本語 👩🏾‍🚀 عربى",
    "\u00a0a\u2003b\ufeffc\x85d\x1ce ",
    "",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    changes = [
        {"cell": "lstm", "layers": 2},
        {"cell": "gru", "level": "subword", "vocabulary": 300, "layer_norm": True},
    ]
    return [trained(tmp_path_factory.mktemp("live"), **own) for own in changes]


@pytest.mark.browser
def test_the_page_writes_and_shows_what_python_does(show, runs, tmp_path):
    for run in runs:
        page = show(write_page([run], tmp_path / "inspect.html", PROMPT))
        page.wait_for_selector("body[data-state=ready]")
        page.evaluate("gatework.begin()")
        tokens, writer = run.task.tokens, writer_of(run.network)
        assert page.evaluate("(texts) => texts.map((text) => gatework.writer.written.encode(text))", TEXTS) == [
            row.tolist() for row in tokens.encode(TEXTS)
        ]
        read = prompt_tokens(tokens, PROMPT)
        assert page.evaluate("gatework.writer.tokens") == read.tolist()
        start = writer.start([read])
        last = "gatework.writer.steps.length - 1"
        own = page.evaluate(f"[...gatework.writer.chances({last})]")
        np.testing.assert_allclose(own, writer.next_distribution(start)[0], atol=1e-4)
        by_rules = page.evaluate(f"(rules) => [...drawnBy(rules, gatework.own({last}))]", RULES)
        expected = writer.next_distribution(start, Sampling(**RULES, banned=(BOUNDARY,)))[0]
        np.testing.assert_allclose(by_rules, expected, atol=1e-4)
        shown = page.evaluate(
            "gatework.writer.steps.map((step) => step.named.map((layer) => layer.map((one) => [...one])))"
        )
        traced = run.network.recurrent.trace(run.network.embedding(torch.from_numpy(read)[:, None]))
        for n, values in enumerate(traced.values()):
            there = np.array([[layer[n] for layer in step] for step in shown])
            np.testing.assert_allclose(there, values[:, 0, :, 0].detach().transpose(0, 1), atol=1e-4)
        bits = page.evaluate("gatework.writer.steps.map((step) => step.bits)")
        nats = token_nats(run.network, run.task.encode(run.task.read(PROMPT, run.recipe)))
        np.testing.assert_allclose(np.array(bits[1:]) * np.log(2), nats[1 : len(bits)], atol=1e-4)


@pytest.mark.browser
def test_a_person_writes_along(show, runs, tmp_path):
    run = runs[0]
    page = show(write_page(runs, tmp_path / "inspect.html", "The "), width=360)
    page.wait_for_selector("body[data-state=ready]")
    text = "gatework.writer.written.texts(gatework.writer.tokens).join('')"
    page.fill("#input", "The k")
    page.fill("#seed", "3")
    # A writing that was stopped takes no part in the next one.
    page.evaluate("gatework.write(20); gatework.begin(); gatework.write(30)")
    page.wait_for_selector("#write:text-is('Write')")
    assert page.evaluate(text) == "The k" + run.predict("The k", length=30, seed=3)["text"][0]
    page.evaluate("gatework.begin()")
    second = page.evaluate("gatework.choices.tokens[1]")
    page.locator("#choices button").first.press("2")
    assert page.evaluate("gatework.writer.tokens.at(-1)") == second
    page.fill("#words", "ing is <b>dead</b>")
    page.press("#words", "Enter")
    assert page.evaluate(text).endswith("ing is <b>dead</b>")
    page.locator("#text").press("Home")
    assert page.inner_text("#next-title") == "Instead of T"
    page.locator("#choices button").first.click()
    assert len(page.evaluate(text)) == 1
    for _ in range(3):
        page.click("#undo")
    assert page.evaluate(text) == "The k"
    assert page.locator("#undo").is_disabled()
    page.select_option("#network", "1")
    assert page.evaluate("gatework.writer.name") == "gru"
    assert page.evaluate(text) == "The k"
    # In one go, as what is said is gone after a while.
    said = page.evaluate(
        """(text) => { at("input").value = text; at("input").dispatchEvent(new Event("input"));
             return at("status").innerText; }""",
        "<img src=x onerror='document.title=1'>\u202e&\0" * 30,
    )
    assert "reads the last 1,000 of the 1,2" in said
    assert page.locator("#text img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("input, select, textarea, button, canvas, [tabindex]")]
             .filter((e) => !e.ariaLabel && !e.labels?.length && !e.ariaLabelledByElements?.length)
             .filter((e) => !e.innerText.trim()).map((e) => e.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.browser
def test_writing_rests_while_nobody_looks_and_does_not_catch_up(show, runs, tmp_path):
    page = show(write_page(runs[:1], tmp_path / "inspect.html", "The "))
    page.wait_for_selector("body[data-state=ready]")
    # Frames come when the test says, as in a tab that is hidden and then looked at again; so does the clock.
    written = page.evaluate(
        """() => {
             let frames = [], now = 0;
             performance.now = () => now;
             window.requestAnimationFrame = (frame) => frames.push(frame);
             const frame = (later) => { now += later; const due = frames; frames = []; due.forEach((one) => one()); };
             at("pace").value = "6";
             const count = () => gatework.writer.steps.length, first = count();
             gatework.write();
             for (let k = 0; k < 60; k++) frame(20);
             const before = count();
             frame(600_000);
             frame(20);
             const after = count();
             gatework.stop();
             return [before - first, after - before, gatework.speed];
           }"""
    )
    assert 6 <= written[0] <= 9
    assert written[1] <= 2
    assert 5 < written[2] < 9


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_surprising_text_can_be_read(show, runs, tmp_path, scheme):
    page = show(write_page(runs[:1], tmp_path / "inspect.html", "The "), scheme)
    page.wait_for_selector("body[data-state=ready]")
    page.evaluate(
        "at('lit').click(); document.querySelectorAll('#text span').forEach((s) => s.style.setProperty('--bits', 1))"
    )
    assert page.evaluate(FAINT) == []


def test_a_page_begins_with_what_is_given_or_known_and_refuses_what_is_too_large(runs, tmp_path, monkeypatch):
    path = write_page(runs[:1], tmp_path / "inspect.html")
    held = json.loads(path.read_text().split('id="data">')[1].split("</script>")[0])
    assert held["examples"][-1] == ""
    assert held["runs"][0]["rules"] == {"temperature": 0.8, "top_k": 0, "top_p": 1.0, "min_p": 0.02}
    monkeypatch.setattr(page_of_task, "MOST", 1000)
    with pytest.raises(RunError, match=r"weights, with all runs that were named, and a page holds at most 1,000"):
        write_page(runs[:1], tmp_path / "inspect.html")


@pytest.mark.browser
def test_a_text_that_runs_from_right_to_left_is_not_written_backwards(show, runs, tmp_path):
    page = show(write_page([runs[0]], tmp_path / "inspect.html", PROMPT))
    page.wait_for_selector("body[data-state=ready]")
    page.evaluate("gatework.begin()")
    # Letters of another script in the page's own elements: this network has learnt none.
    left = page.evaluate(
        """() => { const letters = [..."The שלום"], spans = [...document.querySelectorAll("#text > span")].slice(0, 8);
             spans.forEach((span, k) => { span.textContent = letters[k]; });
             return spans.map((span) => span.getBoundingClientRect().left); }"""
    )
    assert left[:3] == sorted(left[:3])
    assert left[4:] == sorted(left[4:], reverse=True)
