"""What a language model of one's own adds to a transcript: `python benchmarks/transcribe_lm.py [SET ...]`.

SET is spoken-digits, which is built in, or asterisk-en or asterisk-fr, read from `speech/SET.tar.gz` below
GATEWORK_DATA; options of the training of the network may follow, as `--epochs 20`. Trains a network on the recordings,
and a language model of characters for `MINUTES` on the texts of the training part, beside which it has read 20,000
sentences of the language from the built-in tatoeba-french where it is asterisk's. Prints, for the validation part, word
and letter error rates, and the CPU seconds of the search for each second of sound: greedy, with the counted language,
and with both, by how much the language model counts and how many prefixes are kept; then with what was chosen on one
half of the part for the other half, which is what a training with --lm does.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
from asking import help_if_asked
from transcribe import ASTERISK, asked, prompts, trained

import gatework as gw
from gatework import tasks
from gatework.data.sets import tatoeba_french
from gatework.decoding import CtcReader
from gatework.tasks.transcribe.data import asked_of
from gatework.tasks.transcribe.greedy import greedy_letters
from gatework.tasks.transcribe.letters import has_digit, plain
from gatework.tasks.transcribe.metrics import answers_of, metrics
from gatework.tasks.transcribe.recurrent import RecurrentLanguage
from gatework.tasks.transcribe.transcriber import texts_of
from gatework.tasks.transcribe.tuning import chosen_weights
from gatework.training import Run

MINUTES = 2
WEIGHTS = (0.1, 0.25, 0.5, 1.0)
SENTENCES = {"asterisk-en": "eng", "asterisk-fr": "fra"}
BEAMS = (8, 32)


def recordings(name: str, folder: Path) -> Run:
    """A network that has learnt a set."""
    if name == "spoken-digits":
        return trained(name, folder / name, ["--units", "letters"])
    return trained(prompts(name, folder), folder / f"{name}-run", ASTERISK)


def texts_for(name: str, said: Sequence[str]) -> list[str]:
    """What a language model for a set reads: what was said in it, and sentences of its language."""
    if name not in SENTENCES:
        return list(said)
    table = pl.read_csv(tatoeba_french.FILE, separator="\t", quote_char=None, infer_schema=False)
    sentences = dict.fromkeys(plain(one) for one in table[SENTENCES[name]] if not has_digit(one))
    return [*said, *sentences]


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


def crossed(run: Run, lm: Path) -> None:
    """What is chosen on one half of the validation part, on the other half, with and without the language model."""
    held, task = tasks.load(run.recipe.data.dataset, run.recipe).validation, run.task
    heard, references = task.listen(run.network, task.examples(held)).log_probs, held.targets.tolist()
    model = RecurrentLanguage.of_run(str(lm), task.alphabet).beside(task.alphabet)
    units = task.alphabet.units
    for what, recurrent in (("the counted language", None), ("both", model)):
        texts, weighed = list(references), []
        for part, other in ((slice(0, None, 2), slice(1, None, 2)), (slice(1, None, 2), slice(0, None, 2))):
            weights = chosen_weights(units, task.language, heard[other], references[other], recurrent)
            reader = CtcReader(units, task.language, weights, recurrent=recurrent)
            texts[part] = [reader.text(reader.read(one)) for one in heard[part]]
            weighed.append(f"{weights.language:g} counted, {weights.recurrent:g} recurrent, {weights.word:g} a word")
        figures = metrics(answers_of(references, texts, texts))
        print(f"{what}, chosen on the other half: WER {figures['wer']:.3f}, CER {figures['cer']:.3f} ({weighed})")


def main() -> None:
    for name in asked()[0] or ["spoken-digits", "asterisk-en"]:
        with tempfile.TemporaryDirectory() as temporary:
            run = recordings(name, Path(temporary))
            lm = language(texts_for(name, run.task.texts), Path(temporary))
            measured(run, lm)
            crossed(run, lm)


if __name__ == "__main__":
    help_if_asked(__doc__)
    main()
