"""The live page of sounds in a real browser: it says what Python says, and its line follows the recording."""

from __future__ import annotations

import numpy as np
import pytest

import gatework as gw
from gatework.errors import UsageError
from gatework.inside.page import write_page
from support import recordings

HEARD = "() => { const l = gatework.listener; return l.recordings.map((r) => Array.from(l.hear(r).chances)); }"


@pytest.mark.browser
@pytest.mark.parametrize("changes", [{"pooling": "max"}, {"bidirectional": False, "layers": 2, "pooling": "attention"}])
def test_the_page_says_of_a_recording_what_python_says_and_follows_it(show, tmp_path, changes):
    dataset, recipe = recordings.sound_dataset(), recordings.small_classifier(blend=False, **changes)
    run = gw.train("classify", dataset, out=tmp_path / "run", recipe=recipe, threads=1)
    file, _, wavs = recordings.live_page(run, tmp_path, ["cab", "ab"])
    page = show(file, motion="reduce")
    page.wait_for_selector("body[data-said]")
    expected = run.predictor.answer([str(wav) for wav in wavs])
    chances = np.array([list(row.values()) for row in expected["probabilities"].to_list()])
    np.testing.assert_allclose(page.evaluate(HEARD), chances, atol=2e-5)
    assert page.inner_text("#said").startswith(expected["label"][0])
    page.evaluate("gatework.seek(3)")
    lines = page.eval_on_selector_all(
        ".map .cross.column", "all => new Set(all.slice(1).map((e) => e.style.left)).size"
    )
    assert lines == 1, "the line stands at one step in all maps"
    assert page.evaluate("Math.round(100 * at('sound').currentTime)") == 3 * run.task.encoder.stack
    with pytest.raises(UsageError, match=r"gatework inspect RUN new\.wav"):
        write_page([run], tmp_path / "none.html")
