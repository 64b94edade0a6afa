"""What a language model of one's own adds to a transcript: `python benchmarks/transcribe_lm.py [SET ...]`.

SET is spoken-digits, which is built in, or asterisk-en or asterisk-fr, read from `speech/SET.tar.gz` below
GATEWORK_DATA; options of the training of the network may follow, as `--epochs 20`. Trains a network on the recordings,
a language model of characters for `MINUTES` on the texts of the training part alone, and prints, for the validation
part, word and letter error rates, and the CPU seconds of the search for each second of sound: greedy, with the counted
language, and with both, by how much the language model counts and how many prefixes are kept.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
from transcribe import ASTERISK, asked, listed, spelt, trained, unpacked

import gatework as gw
from gatework import tasks
from gatework.tasks.transcribe.data import asked_of
from gatework.tasks.transcribe.greedy import greedy_letters
from gatework.tasks.transcribe.metrics import answers_of, metrics
from gatework.tasks.transcribe.transcriber import texts_of
from gatework.training import Run

MINUTES = 1
WEIGHTS = (0.25, 0.5, 1.0)
BEAMS = (8, 32)


def recordings(name: str, folder: Path) -> Run:
    """A network that has learnt a set."""
    if name == "spoken-digits":
        return trained(name, folder / name, ["--units", "letters"])
    source = unpacked(name, folder)
    listing = pl.read_csv(source / "metadata.csv")
    rows = [(source / audio, spelt(text, name), "") for audio, text in listing.select("audio", "text").iter_rows()]
    return trained(listed(folder, name, rows), folder / f"{name}-run", ASTERISK)


def language(texts: Sequence[str], folder: Path) -> Path:
    """A language model that has learnt some texts, each a document of its own."""
    (folder / "said.csv").write_text("text\n" + "\n".join(texts) + "\n")
    begun = time.process_time()
    run = gw.train(
        "generate", folder / "said.csv", text="text", level="char", minutes=MINUTES, out=folder / "lm", threads=1,
        progress=None,
    )  # fmt: skip
    figures = {name: round(value, 3) for name, value in run.summary["metrics"].items()}
    print(f"language model of {len(texts)} texts: {figures}, {time.process_time() - begun:.0f} s of CPU", flush=True)
    return run.path


def measured(run: Run, lm: Path) -> None:
    held = tasks.load(run.recipe.data.dataset, run.recipe).validation
    heard = run.task.listen(run.network, run.task.examples(held)).log_probs
    references, seconds = held.targets.tolist(), float(held.inputs.seconds.sum())
    greedy = [run.task.alphabet.text(greedy_letters(one)) for one in heard]

    def told(name: str, texts: Sequence[str], spent: float) -> None:
        figures = metrics(answers_of(references, texts, greedy))
        cost = f"{1000 * spent / seconds:.2f} ms of CPU for each second of sound"
        print(f"{name}: WER {figures['wer']:.3f}, CER {figures['cer']:.3f}, {cost}", flush=True)

    print(f"validation part: {len(held)} recordings, {seconds:.0f} s, {sum(len(t.split()) for t in references)} words")
    told("greedy", greedy, 0.0)
    for beam in BEAMS:
        for weight in (None, *WEIGHTS):
            wanted = asked_of({} if weight is None else {"lm": str(lm), "lm_weight": weight}, "lower")
            reader = run.task.transcriber(run.network, replace(wanted, beam=beam))
            begun = time.process_time()
            words = [reader.words(one, frames) for one, frames in zip(heard, held.inputs.features, strict=True)]
            spent = time.process_time() - begun
            what = "counted language" if weight is None else f"and the language model, weight {weight}"
            told(f"beam of {beam}, {what}", texts_of(words), spent)


def main() -> None:
    for name in asked()[0] or ["spoken-digits", "asterisk-en"]:
        with tempfile.TemporaryDirectory() as temporary:
            run = recordings(name, Path(temporary))
            measured(run, language(run.task.texts, Path(temporary)))


if __name__ == "__main__":
    main()
