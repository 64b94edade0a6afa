"""Our layers against torch.nn and what else is installed, as `gatework bench` shows them: JSON and one picture.

python benchmarks/layers.py --out benchmarks/results --pairs 15
"""

import argparse
import json
from pathlib import Path

import torch

from gatework.bench import frameworks, memory, timing, ways
from gatework.bench.shapes import CELLS, choose


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--shapes", default="", help="names separated by commas; all by default")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument(
        "--steps", type=int, help="training steps of a side before it is the other's turn; as many as take ours 20 ms"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", help="libraries besides torch, separated by commas; those installed by default")
    parser.add_argument("--skip-memory", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shapes = choose([name for name in options.shapes.split(",") if name])
    timings = []
    with frameworks.started(options.peers, options.threads) as others:
        for found in timing.each(shapes, others, pairs=options.pairs, steps=options.steps):
            timings.append(found)
            print(found.line(), flush=True)
    results = timing.as_json(timings) | {
        "streaming": ways.streaming(),
        "trace_over_forward": ways.tracing(),
        "last_step_over_all_steps": ways.last_step(),
    }
    if not options.skip_memory:
        peaks = {
            (s.name, c): [memory.peak_of_step(s, c, is_ours=o) for o in (True, False)] for s in shapes for c in CELLS
        }
        results["peak_bytes"] = [{"shape": s, "cell": c, "ours": a, "torch": b} for (s, c), (a, b) in peaks.items()]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "layers.json").write_text(json.dumps(results, indent=2))
    draw(timings, options.out / "layers.html")
    print(json.dumps({k: v for k, v in results.items() if k != "timings"}, indent=2))


def draw(timings: list[timing.Timing], path: Path) -> None:
    from plotly.subplots import make_subplots

    shown = [t for t in timings if t.peer != "torch" or t.path.endswith("flushed")]
    others = list(dict.fromkeys(t.peer for t in shown))
    figure = make_subplots(1, len(others), shared_yaxes=True, subplot_titles=others)
    for column, peer in enumerate(others, 1):
        for cell, colour in zip(CELLS, ("#0072b2", "#e69f00", "#009e73"), strict=True):
            rows = [t for t in shown if t.cell == cell and t.peer == peer]
            figure.add_bar(
                name=cell,
                x=[t.shape for t in rows],
                y=[t.ratio for t in rows],
                error_y={"array": [t.high - t.ratio for t in rows], "arrayminus": [t.ratio - t.low for t in rows]},
                marker_color=colour,
                legendgroup=cell,
                showlegend=column == 1,
                row=1,
                col=column,
            )
    figure.add_hline(y=1, line_dash="dot")
    figure.update_yaxes(type="log")
    figure.update_layout(title="Time of a training step over gatework's (above 1 gatework is faster)")
    figure.write_html(path, include_plotlyjs=True)


if __name__ == "__main__":
    main()
