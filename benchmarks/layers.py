"""Our layers against torch.nn, as `gatework bench` shows them: JSON and one picture.

python benchmarks/layers.py --out benchmarks/results --pairs 15
"""

import argparse
import json
from pathlib import Path

import torch

from gatework.evaluation import memory, timing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--shapes", default="", help="names separated by commas; all by default")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--steps", type=int, default=1, help="training steps of a side before it is the other's turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--skip-memory", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shapes = timing.choose([name for name in options.shapes.split(",") if name])
    timings = []
    for shape in shapes:
        for cell in timing.CELLS:
            for flushes in (True, False):
                timings.append(
                    timing.compare(shape, cell, pairs=options.pairs, steps=options.steps, flushes_subnormals=flushes)
                )
                print(timings[-1].line(), flush=True)
    results = timing.as_json(timings) | {
        "streaming": timing.streaming(),
        "trace_over_forward": timing.tracing(),
        "last_step_over_all_steps": timing.last_step(),
    }
    if not options.skip_memory:
        peaks = {
            (s.name, c): [memory.peak_of_step(s, c, is_ours=o) for o in (True, False)]
            for s in shapes
            for c in timing.CELLS
        }
        results["peak_bytes"] = [{"shape": s, "cell": c, "ours": a, "torch": b} for (s, c), (a, b) in peaks.items()]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "layers.json").write_text(json.dumps(results, indent=2))
    draw(timings, options.out / "layers.html")
    print(json.dumps({k: v for k, v in results.items() if k != "timings"}, indent=2))


def draw(timings: list[timing.Timing], path: Path) -> None:
    import plotly.graph_objects as go

    figure = go.Figure()
    shown = [t for t in timings if t.flushes_subnormals]
    for cell in timing.CELLS:
        rows = [t for t in shown if t.cell == cell]
        figure.add_bar(
            name=cell,
            x=[t.shape for t in rows],
            y=[t.ratio for t in rows],
            error_y={"array": [t.high - t.ratio for t in rows], "arrayminus": [t.ratio - t.low for t in rows]},
        )
    figure.add_hline(y=1, line_dash="dot")
    figure.update_layout(
        title="Time of a training step: torch.nn over gatework (above 1 gatework is faster)", yaxis_type="log"
    )
    figure.write_html(path, include_plotlyjs=True)


if __name__ == "__main__":
    main()
