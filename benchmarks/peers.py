"""Other libraries' own tests of their recurrent models, with torch.nn's layers inside and with gatework's.

    python benchmarks/peers.py --python VENV/bin/python --sources FOLDER [neuralforecast darts ...]

VENV has gatework, pytest and the libraries; FOLDER has their repositories, for the tests, as FOLDER/neuralforecast and
so on, each of the version that is installed. Each test file runs twice, in a process of its own: as it is, and with
`torch.nn.RNN`, `GRU` and `LSTM` replaced by gatework's before the library is imported; where a library's layers are
subclasses of these, with each layer accelerated as soon as it is made. A table says what passed, which tests end
differently, and how many layers of gatework's were made and how often they ran.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import NamedTuple


class Peer(NamedTuple):
    """A library with recurrent models.

    Attributes:
        folder: Its repository in the folder of sources.
        tests: What pytest is given, within the repository.
        has_subclasses: Whether its layers are subclasses of torch.nn's.
    """

    folder: str
    tests: tuple[str, ...]
    has_subclasses: bool = False


PEERS = {
    "neuralforecast": Peer(
        "neuralforecast",
        tuple(f"tests/test_models/test_{name}.py" for name in ("rnn", "gru", "lstm", "dilated_rnn", "deepar", "tft")),
    ),
    "darts": Peer(
        "darts",
        tuple(f"darts/tests/models/forecasting/test_{name}.py" for name in ("RNN", "block_RNN", "TFT")),
    ),
    "pytorch-forecasting": Peer(
        "pytorch-forecasting",
        tuple(f"tests/test_models/test_{name}.py" for name in ("rnn_model", "deepar", "nn/test_rnn")),
        has_subclasses=True,
    ),
    "sb3-contrib": Peer("sb3-contrib", ("tests/test_lstm.py",)),
}

PLUGIN = '''
"""Puts gatework's layers in the place of torch.nn's before the tests are imported, and counts what they do."""
import functools
import os
import torch
import gatework.nn

counts = {"made": 0, "calls": 0}

def counting(function, name):
    @functools.wraps(function)
    def counted(*args, **kwargs):
        counts[name] += 1
        return function(*args, **kwargs)

    return counted

def accelerating(init):
    @functools.wraps(init)
    def made_and_accelerated(self, *args, **kwargs):
        init(self, *args, **kwargs)
        before = type(self)
        gatework.nn.accelerate(self, verbose=False)
        counts["made"] += type(self) is not before

    return made_and_accelerated

for name in ("RNN", "GRU", "LSTM"):
    layer = getattr(gatework.nn, name)
    layer.forward = counting(layer.forward, "calls")
    if os.environ["PEERS_LAYERS"] == "gatework":
        layer.__init__ = counting(layer.__init__, "made")
        for module in (torch.nn, torch.nn.modules, torch.nn.modules.rnn):
            setattr(module, name, layer)
if os.environ["PEERS_LAYERS"] == "subclasses":
    torch.nn.RNNBase.__init__ = accelerating(torch.nn.RNNBase.__init__)

def pytest_sessionfinish(session):
    with open(os.environ["PEERS_COUNTS"], "w") as file:
        file.write("{made} {calls}".format(**counts))
'''


# A peer's own options may ask for plugins that are not there.
PYTEST = ("-p", "no:cacheprovider", "-o", "addopts=", "-W", "default")


class Outcome(NamedTuple):
    """What a run of some tests came to.

    Attributes:
        by_test: "passed", "failed" or "skipped", by the test's name.
        messages: Why, of those that failed.
        seconds: Processor time.
        made: Layers of gatework's that were made.
        calls: How often they ran.
    """

    by_test: dict[str, str]
    messages: dict[str, str]
    seconds: float
    made: int
    calls: int

    def count(self, what: str) -> int:
        return list(self.by_test.values()).count(what)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", nargs="*", default=[*PEERS], help=f"of {', '.join(PEERS)}; all if none")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has them")
    parser.add_argument("--sources", type=Path, required=True, help="the folder with their repositories")
    parser.add_argument("--only", help="pytest's -k, for some of the tests")
    asked = parser.parse_args()
    for name in asked.peers:
        peer = PEERS[name]
        for test in peer.tests:
            plain, ours = (
                outcome(asked.python, asked.sources / peer.folder, test, layers, asked.only)
                for layers in ("torch", "subclasses" if peer.has_subclasses else "gatework")
            )
            row(f"{name}, {Path(test).stem}", plain, ours)


def row(name: str, plain: Outcome, ours: Outcome) -> None:
    """Prints one line, and below it the tests that end differently."""
    print(
        f"{name:36} torch.nn: {in_words(plain)}; gatework: {in_words(ours)}; "
        f"{ours.made} layers, {ours.calls} calls; CPU {plain.seconds:.0f} and {ours.seconds:.0f} s",
        flush=True,
    )
    for test in sorted(set(plain.by_test) | set(ours.by_test)):
        before, after = plain.by_test.get(test, "absent"), ours.by_test.get(test, "absent")
        if before != after:
            print(f"    {test}: {before}, {after}: {ours.messages.get(test) or plain.messages.get(test, '')}")


def in_words(outcome: Outcome) -> str:
    counts = {what: outcome.count(what) for what in ("passed", "failed", "skipped")}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing ran"


def outcome(python: str, folder: Path, test: str, layers: str, only: str | None) -> Outcome:
    """Runs one test file."""
    with tempfile.TemporaryDirectory() as place:
        Path(place, "peers_plugin.py").write_text(PLUGIN)
        report, counts = Path(place, "report.xml"), Path(place, "counts")
        command = [python, "-m", "pytest", "-q", "-p", "peers_plugin", f"--junitxml={report}", *PYTEST]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, (place, os.environ.get("PYTHONPATH")))),
            "PEERS_LAYERS": layers,
            "PEERS_COUNTS": str(counts),
        }
        before = getrusage(RUSAGE_CHILDREN)
        done = subprocess.run(
            [*command, *(["-k", only] if only else []), test],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        after = getrusage(RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if not report.exists():
            sys.exit(f"{test} did not run:\n{done.stdout[-3000:]}")
        by_test, messages = read(ElementTree.parse(report).iter("testcase"))
        made, calls = map(int, counts.read_text().split()) if counts.exists() else (0, 0)
        return Outcome(by_test, messages, seconds, made, calls)


def read(cases: Iterable[ElementTree.Element]) -> tuple[dict[str, str], dict[str, str]]:
    """How each test ended, and why it failed."""
    by_test, messages = {}, {}
    for case in cases:
        name = f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name')}"
        bad = case.find("failure")
        bad = case.find("error") if bad is None else bad
        by_test[name] = "failed" if bad is not None else "skipped" if case.find("skipped") is not None else "passed"
        if bad is not None:
            messages[name] = " ".join((bad.get("message") or "").split())[:300]
    return by_test, messages


if __name__ == "__main__":
    main()
