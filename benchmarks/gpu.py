"""A GPU: every cell there beside float64 on the CPU, and what a training step takes on each path.

python benchmarks/gpu.py --minutes 3
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import shutil
import statistics
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gatework import cells
from gatework.nn import LSTM, Recurrent, ScanOptions, _paths, _run
from gatework.nn.model import SequenceModel
from gatework.options import ModelOptions
from gatework.scan import reference, triton_kernels, triton_scan
from gatework.scan.options import PLAIN
from gatework.scan.scan import Scan, ScanWeights
from gatework.training.optimizer import Adam

CUDA = torch.device("cuda")
TOLERANCES = {torch.float64: 1e-10, torch.float32: 2e-3}
OPTIONS = {
    "zoneout": ScanOptions(zoneout=0.2),
    "dropout": ScanOptions(recurrent_dropout=0.3),
    "clip": ScanOptions(clip=0.3),
    "norm": ScanOptions(layer_norm=True),
    "weights": ScanOptions(weight_drop=0.3),
}
STARTED = time.monotonic()


def leaky(a_f: Tensor, a_g: Tensor, x_o: Tensor, p_k: Tensor, h: Tensor, c: Tensor) -> dict[str, Tensor]:
    """A cell of nobody's, with every function that a step may use."""
    f = torch.sigmoid(a_f + p_k * c)
    g = torch.maximum(torch.tanh(a_g), 0.1 * a_g)
    c = f * c + (1 - f) * torch.where(g > 0, g, 0.3 * nn.functional.softplus(g))
    h = torch.relu(x_o) * 0.1 + torch.tanh(c) * torch.exp(-torch.log(1.5 + c * c)) + 0.1 * h
    return {"f": f, "g": g, "c": c, "h": h}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="no section begins after so many")
    options = parser.parse_args()
    # Products in full float32, as they are compared with float64; cuDNN takes TF32 where nobody says so.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    environment()
    cells.custom.made(cells.CustomCell, leaky, title="A cell of nobody's")
    failures = 0
    for section in (correctness, times, overheads, model_steps, sizes):
        if time.monotonic() - STARTED > 60 * options.minutes:
            print(f"-- {section.__name__}: no time is left for it")
            continue
        print(f"-- {section.__name__}, after {time.monotonic() - STARTED:.0f} s", flush=True)
        try:
            failures += section()
        except Exception:
            failures += 1
            traceback.print_exc(file=sys.stdout)
    print(f"-- {failures} failures, {time.monotonic() - STARTED:.0f} s")
    return min(failures, 1)


def environment() -> None:
    """Prints what computes here."""
    import triton

    print(
        json.dumps(
            {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "cuda": torch.version.cuda,
                "cudnn": torch.backends.cudnn.version(),
                "triton": triton.__version__,
                "device": torch.cuda.get_device_name(),
                # Triton compiles what starts its kernels with the machine's C compiler.
                "compiler": next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None),
                "headers": (Path(sysconfig.get_paths()["include"]) / "Python.h").exists(),
            }
        ),
        flush=True,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Right or wrong
# ---------------------------------------------------------------------------------------------------------------------


def correctness() -> int:
    """Every cell on the GPU, forward and backward, beside float64 on the CPU."""
    failures = 0
    cases = [(name, "plain", ScanOptions()) for name in (*cells.BUILT_IN, leaky.__name__)]
    for name in ("lstm", "gru", "leaky"):
        spec = cells.get(name)
        cases += [(name, word, o) for word, o in OPTIONS.items() if word != "clip" or "c" in spec.states]
    for name, word, options in cases:
        for dtype in (torch.float64, torch.float32):
            # Which weights are dropped depends on their type too; the options need no second type on every cell.
            if dtype == torch.float32 and (word == "weights" or (word != "plain" and name != "lstm")):
                continue
            try:
                path, errors = compared(name, options, dtype)
            except Exception as error:
                failures += 1
                print(f"{name:9} {word:8} {str(dtype)[6:]:8} FAILED: {type(error).__name__}: {str(error)[:300]}")
                if failures < 3:
                    traceback.print_exc(file=sys.stdout)
                continue
            is_right = max(errors) < TOLERANCES[dtype]
            failures += not is_right
            verdict = "right" if is_right else "WRONG"
            said = ", ".join(f"{error:.1e}" for error in errors)
            print(f"{name:9} {word:8} {str(dtype)[6:]:8} {path:9} {verdict}: output, gradients {said}", flush=True)
    return failures


def compared(name: str, options: ScanOptions, dtype: torch.dtype) -> tuple[str, list[float]]:
    """The path that computes on the GPU, and the largest errors: of the output, of the gradients; over both layouts."""
    torch.manual_seed(1)
    layer = Recurrent(name, 3, 17, 2, bidirectional=True, options=options).double()
    x = torch.randn(9, 5, 3, dtype=torch.float64)
    errors, paths = [0.0, 0.0], set()
    for lengths in (None, torch.tensor([9, 4, 0, 7, 1])):
        # Which weights are dropped is drawn by each device's own generator.
        layer.to(CUDA if options.weight_drop else "cpu", torch.float64)
        with forced("reference"):
            expected = [t.cpu() for t in results(layer, x.to(layer.first_weight), lengths)]
        layer.to(CUDA, dtype)
        with watched(paths):
            # What comes again with the same shapes is recorded, and then played.
            for _ in range(3):
                got = results(layer, x.to(CUDA, dtype), lengths)
        for place, (ours, theirs) in enumerate(zip(got, expected, strict=True)):
            scale = theirs.abs().max().clamp_min(1e-3)
            kind = int(place > 0)
            errors[kind] = max(errors[kind], float((ours.cpu().double() - theirs).abs().max() / scale))
    return "+".join(sorted(paths)), errors


def results(layer: nn.Module, x: Tensor, lengths: Tensor | None) -> list[Tensor]:
    """The output, then the gradient of the input and of every parameter."""
    torch.manual_seed(2)  # what is dropped depends on it
    x = x.detach().requires_grad_()
    output, finals = layer(x, lengths=lengths)
    finals = finals if isinstance(finals, tuple) else (finals,)
    torch.manual_seed(3)
    weights = [torch.randn(y.shape, dtype=torch.float64).to(y) for y in (output, *finals)]
    total = sum((w * y).sum() for w, y in zip(weights, (output, *finals), strict=True))
    leaves = [x, *layer.parameters()]
    gradients = torch.autograd.grad(total, leaves, allow_unused=True)
    return [output.detach(), *(torch.zeros_like(t) if g is None else g for g, t in zip(gradients, leaves, strict=True))]


@contextlib.contextmanager
def watched(paths: set[str]) -> Iterator[None]:
    """Notes which path computes."""
    choose = _paths.choose

    def noting(*args: Any, **kwargs: Any) -> Any:
        paths.add(choose(*args, **kwargs))
        return choose(*args, **kwargs)

    _run._paths.choose = noting
    try:
        yield
    finally:
        _run._paths.choose = choose


@contextlib.contextmanager
def forced(path: str) -> Iterator[None]:
    """Computes on a path whatever is right for the batch."""
    choose, direct = _paths.choose, _paths.is_direct
    _run._paths.choose = lambda *_, **__: path
    _paths.is_direct = lambda _: False
    try:
        yield
    finally:
        _run._paths.choose, _paths.is_direct = choose, direct


# ---------------------------------------------------------------------------------------------------------------------
# Times
# ---------------------------------------------------------------------------------------------------------------------

SHAPES = {"imdb": (200, 64, 128, 128), "wide": (100, 64, 512, 512), "many": (200, 512, 128, 256)}


def times() -> int:
    """A training step of one layer on each path."""
    failures = 0
    print(f"{'shape (time, batch, input, hidden)':36} {'layer':22} {'path':10} {'forward':>9} {'both':>9}  ms")
    for shape, (steps, batch, width, hidden) in SHAPES.items():
        x = torch.randn(steps, batch, width, device=CUDA)
        rows: list[tuple[str, str, Callable[[], nn.Module]]] = [
            ("torch.nn.LSTM", "cuDNN", lambda w=width, h=hidden: nn.LSTM(w, h)),
            ("gatework lstm", "torch", lambda w=width, h=hidden: LSTM(w, h)),
            ("gatework gru", "torch", lambda w=width, h=hidden: Recurrent("gru", w, h)),
            ("gatework lstm", "triton", lambda w=width, h=hidden: LSTM(w, h)),
            ("gatework peephole", "triton", lambda w=width, h=hidden: Recurrent("peephole", w, h)),
            ("gatework slstm", "triton", lambda w=width, h=hidden: Recurrent("slstm", w, h)),
            ("gatework indrnn", "triton", lambda w=width, h=hidden: Recurrent("indrnn", w, h)),
            ("a cell of one's own", "triton", lambda w=width, h=hidden: Recurrent("leaky", w, h)),
            ("lstm with zoneout", "triton", lambda w=width, h=hidden: LSTM(w, h, options=ScanOptions(zoneout=0.1))),
            ("lstm with layer norm", "reference", lambda w=width, h=hidden: LSTM(w, h, options=OPTIONS["norm"])),
            ("gatework lstm", "reference", lambda w=width, h=hidden: LSTM(w, h)),
            ("a cell of one's own", "reference", lambda w=width, h=hidden: Recurrent("leaky", w, h)),
        ]
        for name, path, make in rows:
            try:
                torch.manual_seed(0)
                layer = make().to(CUDA)
                with forced(path) if path != "cuDNN" else contextlib.nullcontext():
                    forward, both = timed(layer, x, is_slow=path == "reference")
                said = f"{shape} ({steps}, {batch}, {width}, {hidden})"
                print(f"{said:36} {name:22} {path:10} {forward:9.2f} {both:9.2f}", flush=True)
            except Exception as error:
                failures += 1
                print(f"{shape:36} {name:22} {path:10} FAILED: {type(error).__name__}: {str(error)[:300]}")
    return failures


def timed(layer: nn.Module, x: Tensor, *, is_slow: bool) -> tuple[float, float]:
    """Milliseconds of a forward pass without derivatives, and of a pass there and back."""

    def forward() -> None:
        with torch.no_grad():
            layer(x)

    def both() -> None:
        layer.zero_grad(set_to_none=True)
        output, _ = layer(x)
        output.sum().backward()

    return median_ms(forward, is_slow), median_ms(both, is_slow)


def median_ms(work: Callable[[], Any], is_slow: bool = False) -> float:
    """The median of some runs, by the clock, each with all that the GPU has to do for it."""
    for _ in range(1 if is_slow else 3):
        work()
    taken = []
    for _ in range(3 if is_slow else 9):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        taken.append(1e3 * (time.perf_counter() - start))
    return statistics.median(taken)


def overheads() -> int:
    """What one step of the scan consists of, and what a graph of launches would save."""
    steps, batch, hidden = 200, 64, 128
    spec, draw = cells.get("lstm"), lambda *shape: torch.randn(*shape, device=CUDA)
    weights = ScanWeights(draw(4 * hidden, hidden), draw(4 * hidden, hidden), draw(4 * hidden), draw(4 * hidden))
    states = [draw(batch, hidden), draw(batch, hidden)]
    scan = Scan(spec, draw(steps, batch, hidden), weights, states, None, False, PLAIN)
    h, into = draw(batch, hidden), draw(batch, 4 * hidden)
    turned = weights.weight_hh.t()
    figures = {
        "addmm of a step": median_ms(lambda: [torch.addmm(weights.bias_hh, h, turned, out=into) for _ in range(steps)]),
        "scan without derivatives": median_ms(lambda: triton_scan.run(scan)),
        "reference without derivatives": median_ms(lambda: reference.run(scan), is_slow=True),
    }
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        triton_scan.run(scan)
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output, _ = triton_scan.run(scan)
    figures["the same scan as a graph"] = median_ms(graph.replay)
    expected, _ = triton_scan.run(scan)
    graph.replay()
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
    is_right = torch.equal(output, expected)
    print(f"a graph gives the same output: {is_right}")
    source = triton_kernels.find(spec, PLAIN).source
    print(f"the kernels of the lstm have {len(source.splitlines())} lines")
    return 0 if is_right else 1


# ---------------------------------------------------------------------------------------------------------------------
# The workbench's network
# ---------------------------------------------------------------------------------------------------------------------


def model_steps() -> int:
    """Training steps of a text classifier: their losses beside the CPU's, and what one takes."""
    failures = 0
    tokens, lengths, targets = texts()
    for name, around in (("lstm", {}), ("gru", {}), ("leaky", {}), ("slstm", {}), ("lstm", {"zoneout": 0.1})):
        config = ModelOptions(cell=name, hidden=64, embedding=64, **around)
        try:
            losses = {}
            for device in ("cpu", "cuda"):
                torch.manual_seed(0)
                model = SequenceModel(config, vocabulary=5000, inputs=None, outputs=2).to(device)
                optimizer = Adam(model.parameters())
                torch.manual_seed(1)
                step = training_step(model, optimizer, tokens.to(device), lengths, targets.to(device))
                # There may be no compiler for your own cell's kernels for the CPU.
                with forced("reference") if device == "cpu" else contextlib.nullcontext():
                    losses[device] = [step() for _ in range(3)]
            milliseconds = median_ms(step)
            gap = max(abs(a - b) for a, b in zip(losses["cpu"], losses["cuda"], strict=True))
            is_right = gap < 1e-4
            failures += not is_right
            verdict = "right" if is_right else "WRONG"
            rate = int(lengths.sum()) / milliseconds
            print(
                f"{name:6} {around or ''!s:16} {verdict}: losses differ by {gap:.1e}; {milliseconds:.1f} ms a step, "
                f"{rate:,.0f} tokens a ms",
                flush=True,
            )
        except Exception:
            failures += 1
            traceback.print_exc(file=sys.stdout)
    return failures


def sizes() -> int:
    """From which size on a GPU is faster: a classifier's training step on it and on the CPU."""
    batch = texts()
    print(f"{'units':>5} {'GPU':>9} {'CPU':>9}  ms, {torch.get_num_threads()} threads on the CPU")
    for hidden in (64, 128, 256, 512):
        taken = []
        for device in ("cuda", "cpu"):
            torch.manual_seed(0)
            config = ModelOptions(cell="lstm", hidden=hidden, embedding=128)
            model = SequenceModel(config, vocabulary=5000, inputs=None, outputs=2).to(device)
            tokens, lengths, targets = batch[0].to(device), batch[1], batch[2].to(device)
            step = training_step(model, Adam(model.parameters()), tokens, lengths, targets)
            taken.append(median_ms(step, is_slow=device == "cpu"))
        print(f"{hidden:5} {taken[0]:9.1f} {taken[1]:9.1f}", flush=True)
    return 0


def texts() -> tuple[Tensor, Tensor, Tensor]:
    """64 texts of 50 to 200 tokens, their lengths and classes."""
    lengths = torch.randint(50, 201, (64,))
    lengths[0] = 200
    return torch.randint(1, 5000, (64, 200)), lengths, torch.randint(0, 2, (64,))


def training_step(
    model: nn.Module, optimizer: Adam, tokens: Tensor, lengths: Tensor, targets: Tensor
) -> Callable[[], float]:
    """A function that makes one step and returns its loss."""

    def step() -> float:
        optimizer.forget_gradients()
        loss = nn.functional.cross_entropy(model(tokens, lengths), targets)
        torch.autograd.backward(loss)
        optimizer.clip(1.0)
        optimizer.step(1e-3)
        return float(loss.detach())

    return step


if __name__ == "__main__":
    sys.exit(main())
