"""The live page of a network that transcribes, in a real browser: it hears what Python hears, and its line follows."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

import gatework as gw
from gatework.errors import UsageError
from gatework.inside.page import write_page
from gatework.tasks.transcribe.greedy import greedy_letters
from gatework.tasks.transcribe.options import SpeechOptions
from support import recordings

HEARD = """() => gatework.listener.recordings.map((recording) => {
    const { shares, text } = gatework.listener.hear(recording);
    return [shares.map((row) => Array.from(row)), text];
})"""


@pytest.mark.browser
@pytest.mark.parametrize("changes", [{"bidirectional": True}, {"bidirectional": False, "layers": 2}])
def test_the_page_hears_what_python_hears_and_follows_the_sound(show, tmp_path, changes):
    options = SpeechOptions(lookahead=0 if changes["bidirectional"] else 2, apart="recordings")
    recipe = recordings.small(epochs=3, **changes)
    dataset = recordings.dataset(48, options=options)
    run = gw.train("transcribe", dataset, out=tmp_path / "run", recipe=recipe, threads=1)
    file, split, wavs = recordings.live_page(run, tmp_path, ["cab ab", "ba"])
    page = show(file, motion="reduce")
    page.wait_for_selector("body[data-state=ready]")
    heard = run.task.listen(run.network, run.task.examples(split)).log_probs
    for (shares, text), log_probs in zip(page.evaluate(HEARD), heard, strict=True):
        np.testing.assert_allclose(shares, np.exp(log_probs), atol=2e-5)
        assert text == run.task.alphabet.text(greedy_letters(log_probs))
    assert page.inner_text("#words").split() == (run.predict([str(wavs[0])])["text"][0].split() or ["no", "word"])
    curves = (np.exp(heard[0][:, 1:]) > 0.05).any(axis=0).sum()
    assert page.locator(".spikes path:not(.blank)").count() == curves > 0
    page.evaluate("gatework.seek(3)")
    lines = page.eval_on_selector_all("#maps .cross.column", "all => new Set(all.map((e) => e.style.left)).size")
    assert lines == 1, "the line stands at one step in all maps"
    share = page.eval_on_selector(".spikes .cross.column", "e => parseFloat(e.style.left) / 100")
    assert share == pytest.approx(3.5 * run.task.stack / len(split.inputs.features[0]), abs=1e-4)
    assert page.evaluate("Math.round(100 * at('sound').currentTime)") == 3 * run.task.stack


def test_a_page_of_speech_says_what_it_needs(tmp_path):
    recipe = recordings.small(epochs=1)
    run = gw.train("transcribe", recordings.dataset(), out=tmp_path / "run", recipe=recipe, threads=1)
    with pytest.raises(UsageError, match=r"gatework inspect RUN new\.wav"):
        write_page([run], tmp_path / "none.html")
    soundfile.write(tmp_path / "long.wav", np.zeros(61 * recordings.RATE), recordings.RATE)
    with pytest.raises(UsageError, match=r"long\.wav lasts 61 s, and a page holds at most 60 s"):
        write_page([run], tmp_path / "none.html", [str(tmp_path / "long.wav")])
