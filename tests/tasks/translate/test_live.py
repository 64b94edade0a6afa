"""The live page of translation in a real browser: it says what Python says, and shows where the network looks."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gatework.data.subwords import BEGIN, END
from gatework.decoding.lexicon import Lexicon
from gatework.inside.page import write_page
from gatework.tasks.translate.looked import looked
from support.networks import untrained
from support.sentence_pairs import small, toy_pairs

NETWORKS = [
    {"cell": "lstm", "layers": 2, "hidden": 9},
    {"cell": "gru", "attention": "additive", "input_feeding": True, "coverage_penalty": 0.5},
    {"cell": "rnn", "attention": "none", "layer_norm": True},
]
SENTENCES = [
    "a red cat",
    "the big dog sees a cat",
    "  <b>e\u0301té</b> 日本 👩🏾‍🚀 isn't\x85here  ",
    "the red man. " * 12,
    "",
    "The <a href='x'>dog</a> &amp; 12.5 cats, see https://a.b/c?d=1, a.b@c.org! A4 \ue003 Red cat",
    " ".join(map(str, range(40))),
]
SAID = """([texts, beam]) => texts.map((text) => gatework.networks.map((network, k) => {
  const { text: said, confidence, parts } = translatedLine(network, gatework.lexicons[k], text, beam);
  return { said, confidence, numbers: parts.map((part) => part.steps.map((step) => step.piece)),
           weights: parts.map((part) => part.steps.map((step) => step.weights && [...step.weights])) };
}))"""
BY_WORD = """([source, said, weights]) => {
  const { subwords } = gatework.networks[0], [from, to] = [source, said].map((text) => subwords.encode(text));
  const steps = weights.map((row) => ({ weights: row }));
  return byWord(steps, subwords.words(from), subwords.words(to)).map((row) => [...row]);
}"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder, pairs = tmp_path_factory.mktemp("live"), toy_pairs(120)
    (folder / "terms.csv").write_text("source,target\nred cat,chat écarlate\ndog,chien\n", encoding="utf-8")
    changes = [NETWORKS[0] | {"glossary": str(folder / "terms.csv")}, *NETWORKS[1:]]
    return [untrained(pairs, small(**change), folder / f"run{k}") for k, change in enumerate(changes)]


def by_piece(run, source, numbers):
    """Where the network looks as it writes these pieces, shape (pieces, source and its end)."""
    inputs, previous = torch.tensor([[*source, END]]), torch.tensor([[BEGIN, *numbers]])
    lengths = (torch.tensor([inputs.shape[1]]), torch.tensor([previous.shape[1]]))
    with torch.no_grad():
        return run.network.decoded(inputs, lengths[0], previous, lengths[1]).weights[: len(numbers), 0].numpy()


@pytest.mark.browser
def test_the_page_translates_looks_and_counts_as_python_does(show, runs, tmp_path):
    page = show(write_page(runs, tmp_path / "inspect.html"), width=1400, motion="reduce")
    page.wait_for_selector("body[data-said]")
    for beam in (1, 3):
        answers = page.evaluate(SAID, [SENTENCES, beam])
        for k, run in enumerate(runs):
            expected = run.predict(SENTENCES, beam=beam)
            assert [by_network[k]["said"] for by_network in answers] == expected["translation"].to_list()
            sure = [by_network[k]["confidence"] for by_network in answers]
            np.testing.assert_allclose(sure, expected["confidence"], atol=1e-4)
    for run, answer in zip(runs[:2], answers[0][:2], strict=True):
        source = run.task.subwords.encode([run.task.keeping.masked(SENTENCES[0]).text])[0]
        looks = by_piece(run, source, answer["numbers"][0])
        np.testing.assert_allclose(answer["weights"][0], looks, atol=1e-4)
    assert answers[0][2]["weights"][0][0] is None
    subwords, said = runs[0].task.subwords, "un vraiment grand chien"
    rows = by_piece(runs[0], *subwords.encode([SENTENCES[0], said]))
    found = page.evaluate(BY_WORD, [SENTENCES[0], said, rows.tolist()])
    words, _, weights = looked(runs[0].network, subwords, runs[0].task.keeping, SENTENCES[0], said)
    np.testing.assert_allclose(found, weights, atol=1e-6)
    lexicon = Lexicon.learnt(runs[0].task.memory.sources, runs[0].task.memory.targets)
    shares = page.evaluate("([from, to]) => gatework.lexicons[0].alignment(from, to)", [words, said.split()])
    # The page leaves out pairs of words below a hundredth.
    np.testing.assert_allclose(shares, lexicon.alignment(words, said.split()), atol=0.05)
    assert page.evaluate("(text) => gatework.lexicons[0].translated(text)", words[0]) == lexicon.translated(words[0])[0]


@pytest.mark.browser
def test_a_person_sees_each_word_come_and_moves_among_them(show, runs, tmp_path):
    page = show(write_page(runs, tmp_path / "inspect.html", "the big man sees a cat now"), width=360)
    page.wait_for_selector("body[data-said]")
    assert page.locator("#said .run").count() == len(runs)
    assert "no attention" in page.locator("#said .run").nth(2).inner_text()
    line = page.locator("#said .said").first
    line.press("Home")
    line.press("ArrowRight")
    assert page.evaluate("gatework.said[0].chosen") == 1
    label = page.locator("#said .said").first.locator("[aria-selected=true]").get_attribute("aria-label")
    assert ", from " in label
    widths = page.evaluate("gatework.said[0].chips[0].map((chip) => Number(chip.style.getPropertyValue('--w')))")
    assert sum(widths) == pytest.approx(1, abs=0.01)
    page.fill("#input", "")
    page.wait_for_selector("body[data-said=' |  | ']")
    assert page.locator("#said .word").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("input, select, textarea, button, canvas, [tabindex]")]
             .filter((e) => !e.ariaLabel && !e.labels?.length && !e.ariaLabelledByElements?.length)
             .filter((e) => !e.innerText.trim()).map((e) => e.outerHTML)"""
    )
    assert nameless == []


def test_a_page_offers_sentences_of_the_test_part_with_their_translations(runs, tmp_path):
    text = write_page(runs[:1], tmp_path / "inspect.html").read_text()
    held = json.loads(text.split('id="data">')[1].split("</script>")[0])
    pairs = dict(toy_pairs(120).iter_rows())
    assert len(held["examples"]) > 3
    assert held["runs"][0]["references"] == [pairs[source] for source in held["examples"]]


@pytest.mark.browser
def test_words_that_run_from_right_to_left_stand_in_that_order(show, runs, tmp_path):
    page = show(write_page(runs[:1], tmp_path / "inspect.html", "the big man sees a cat now"))
    page.wait_for_selector("body[data-said]")
    page.fill("#input", "שלום עולם טוב")
    page.locator(".looked-at li", has_text="שלום").wait_for()
    lefts = "(those) => those.map((each) => each.getBoundingClientRect().left)"
    chips = page.locator(".looked-at").first.locator("li").evaluate_all(lefts)
    assert len(chips) > 1
    assert chips[:2] == sorted(chips[:2], reverse=True)
    made = """(line) => { line.replaceChildren(...["שלום ", "עולם"].map((text) => Object.assign(
                 document.createElement("span"), { className: "word", textContent: text })));
               return [...line.children].map((each) => each.getBoundingClientRect().left); }"""
    first, second = page.locator("#said .said").first.evaluate(made)
    assert second < first
