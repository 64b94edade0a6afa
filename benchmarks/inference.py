"""Inference beside onnxruntime and torch.nn: one layer's forward pass and one step, on one thread, medians.

python benchmarks/inference.py --pairs 41
python benchmarks/inference.py --threads 2 --batches 1

Every layer is exported by `gatework.export.onnx` and timed in the same process as gatework's own and torch's; each
round runs all sides one after the other, in processor time, so that other work on the machine matters little. The
lines with "int8" are gatework.quantize() beside onnxruntime's quantize_dynamic, which knows the LSTM alone: of other
cells it is onnxruntime in float32.

With --threads every side may use so many, onnxruntime's may spin as they do by default, and the time is the clock's:
that wants a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch
from onnxruntime.quantization import quantize_dynamic
from torch import nn

import gatework
from gatework import export
from gatework.nn import QuantizedLayer, Recurrent, RecurrentLayer
from gatework.scan import kernels

THEIRS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
Run = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=41, help="rounds for each figure")
    parser.add_argument("--cells", default="lstm,gru,rnn,slstm", help="names separated by commas")
    parser.add_argument("--batches", default="1,32", help="numbers of sequences separated by commas")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--hidden", type=int, default=128, help="inputs and units")
    parser.add_argument("--threads", type=int, default=1, help="threads of every side")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    versions = {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__, "isa": kernels.active_isa()}
    print(json.dumps(versions))
    with torch.inference_mode(), tempfile.TemporaryDirectory() as folder:
        for cell in options.cells.split(","):
            for is_int8 in (False, True):
                for batch in map(int, options.batches.split(",")):
                    print_row(cell, options.hidden, batch, options.steps, options.pairs, Path(folder), is_int8=is_int8)
                print_row(cell, options.hidden, 1, 1, options.pairs, Path(folder), is_int8=is_int8)


def print_row(cell: str, size: int, batch: int, steps: int, pairs: int, folder: Path, *, is_int8: bool = False) -> None:
    """Print one line: every side's median, and gatework's time as a share of onnxruntime's, both on int8 if asked."""
    torch.manual_seed(0)
    layer = Recurrent(cell, size, size).eval()
    asked = gatework.quantize(layer) if is_int8 else layer
    sides = {
        "gatework": ours(asked, batch, steps),
        "onnxruntime": in_onnxruntime(layer, batch, steps, folder, is_int8=is_int8),
    }
    if cell in THEIRS and not is_int8:
        sides["torch"] = torchs(cell, layer, batch, steps)
    for run in sides.values():
        warm(run)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(pairs):
        for name, run in sides.items():
            times[name].append(seconds(run))
    shares = [a / b for a, b in zip(times["gatework"], times["onnxruntime"], strict=True)]
    low, middle, high = statistics.quantiles(shares, n=4)
    listed = "  ".join(f"{name} {statistics.median(t) * 1e6:9.1f} us" for name, t in times.items())
    what = f"{cell:6} {'int8' if is_int8 else '':4} {batch:3} x {steps:3}"
    print(f"{what}  {listed}  gatework/onnxruntime {middle:.2f} [{low:.2f}, {high:.2f}]", flush=True)


def warm(run: Run) -> None:
    for _ in range(20):
        run()


def seconds(run: Run) -> float:
    """The time of one call, over as many calls as take some milliseconds: the processor's on one thread."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    run()  # the threads of the side before it have come to rest
    calls, spent = 0, 0.0
    start = clock()
    while spent < 0.005:
        run()
        calls += 1
        spent = clock() - start
    return spent / calls


def ours(layer: RecurrentLayer | QuantizedLayer, batch: int, steps: int) -> Run:
    x = torch.randn(steps, batch, layer.input_size)
    if steps > 1:
        return lambda: layer(x)
    state = layer(x)[1]
    return lambda: layer.step(x[0], state)


def torchs(cell: str, layer: RecurrentLayer, batch: int, steps: int) -> Run:
    theirs = THEIRS[cell](layer.input_size, layer.hidden_size).eval()
    theirs.load_state_dict(layer.state_dict())
    x = torch.randn(steps, batch, layer.input_size)
    state = theirs(x)[1] if steps == 1 else None
    return lambda: theirs(x, state)


def in_onnxruntime(layer: RecurrentLayer, batch: int, steps: int, folder: Path, *, is_int8: bool) -> Run:
    """The exported layer in a session that keeps out of torch's way."""
    file = export.onnx(layer, folder / "layer.onnx", stateful=steps == 1).file
    if is_int8:
        quantize_dynamic(file, folder / "layer-int8.onnx")
        file = folder / "layer-int8.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
    if torch.get_num_threads() == 1:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {"x": torch.randn(steps, batch, layer.input_size).numpy()}
    if steps == 1:
        feed |= {state: torch.zeros(1, batch, layer.hidden_size).numpy() for state in layer.spec.states}
    return lambda: session.run(None, feed)


if __name__ == "__main__":
    main()
