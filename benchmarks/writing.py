"""How many characters a second a language model writes: `python benchmarks/writing.py [--threads N]`.

Two LSTM layers over 65 characters, embedding 128, tied output with a projection; temperature 0.8, min-p 0.02. The time
of the processor is printed beside that of the clock, since other programs share the machine.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import nn

import gatework.nn
from gatework.decoding import Sampling, Writer

CHARACTERS, EMBEDDED = 65, 128
SAMPLING = Sampling(temperature=0.8, min_p=0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each row is measured, about")
    seconds = parser.parse_args().seconds
    torch.manual_seed(0)
    print("| layers | texts | characters/s | characters/s of processor time |\n| --- | ---: | ---: | ---: |")
    for hidden in (256, 512):
        writer = Writer(
            gatework.nn.LSTM(EMBEDDED, hidden, num_layers=2),
            torch.randn(CHARACTERS, EMBEDDED),
            projection=nn.Linear(hidden, EMBEDDED),
            output_bias=torch.zeros(CHARACTERS),
        )
        for texts in (1, 4, 64):
            writing = writer.start([[0]], samples=texts)
            clock, processor, written = 0.0, 0.0, 0
            while clock < seconds:
                before = time.perf_counter(), time.process_time()
                tokens, writing = writer.write(writing, 100, SAMPLING)
                clock += time.perf_counter() - before[0]
                processor += time.process_time() - before[1]
                written += tokens.size
            print(f"| 2 x {hidden} | {texts} | {written / clock:,.0f} | {written / processor:,.0f} |")


if __name__ == "__main__":
    main()
