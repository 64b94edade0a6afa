"""Flair's tagger and its classifier of texts, trained with torch.nn's layers inside and with gatework's.

    python benchmarks/flair_models.py --python VENV/bin/python

VENV has gatework and flair. Flair's own tests of these models need files of its host, so here they learn sentences that
are drawn: each side in a process of its own, in turns, from the same seed. Printed are the losses of the first and the
last batch, and the processor time of the training, the best of the turns.
"""

from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

from peer_layers import LIBRARIES, in_turns

FIT = """
import json, random, time
import flair
from flair.data import Dictionary, Sentence
from flair.embeddings import DocumentRNNEmbeddings, OneHotEmbeddings
from flair.models import SequenceTagger, TextClassifier

torch.set_num_threads(1)
words = [f"w{k}" for k in range(400)]
draw = random.Random(0)
sentences = [Sentence(" ".join(draw.choices(words, k=draw.randint(5, 40)))) for _ in range(64)]
for sentence in sentences:
    for token in sentence:
        token.add_label("part", "even" if int(token.text[1:]) % 2 == 0 else "odd")
    sentence.add_label("kind", "long" if len(sentence) > 20 else "short")


def dictionary(names):
    made = Dictionary(add_unk=False)
    for name in names:
        made.add_item(name)
    return made


def one_hot():
    known = Dictionary(add_unk=True)
    for word in words:
        known.add_item(word)
    return OneHotEmbeddings(known, embedding_length=64)


def tagger():
    return SequenceTagger(one_hot(), dictionary(["even", "odd"]), "part", hidden_size=256, use_crf=False)


def classifier():
    document = DocumentRNNEmbeddings([one_hot()], hidden_size=256, rnn_type="LSTM", bidirectional=True, dropout=0.0)
    return TextClassifier(document, label_type="kind", label_dictionary=dictionary(["long", "short"]))


fits = {}
for make in (tagger, classifier):
    flair.set_seed(1)
    model = make().train()
    layers = {type(layer).__module__ for layer in model.modules() if isinstance(layer, torch.nn.LSTM)}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses, started = [], time.process_time()
    for _ in range(4):
        for first in range(0, len(sentences), 16):
            batch = sentences[first : first + 16]
            optimizer.zero_grad()
            loss, count = model.forward_loss(batch)
            (loss / count).backward()
            optimizer.step()
            losses.append((loss / count).item())
            for sentence in batch:
                sentence.clear_embeddings()
    fits[make.__name__] = [losses[0], losses[-1], time.process_time() - started, sorted(layers)]
print(json.dumps(fits))
"""


class Training(NamedTuple):
    """The losses of the first and the last batch, the processor time in seconds, and the modules of the layers."""

    first: float
    last: float
    seconds: float
    layers: list[str]


def main() -> None:
    """Prints a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has flair")
    asked = parser.parse_args()
    turns = in_turns(asked.python, FIT)
    for model in turns[0][1]:
        for library in LIBRARIES:
            of_model = [Training(*trainings[model]) for name, trainings in turns if name == library]
            first, last, _, layers = of_model[0]
            seconds = min(training.seconds for training in of_model)
            print(f"{model:<11} {library:<9} {first:.6f} to {last:.6f}, {seconds:.2f} s CPU, {', '.join(layers)}")


if __name__ == "__main__":
    main()
