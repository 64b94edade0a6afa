"""What a server counts, as Prometheus reads it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_EXAMPLES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Histogram:
    """How often values were at most each bound.

    Args:
        bounds: The bounds, ascending.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Counts a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def lines(self, name: str) -> list[str]:
        """The histogram as text."""
        lines, below = [], 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            below += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {below}')
        return [*lines, f"{name}_sum {self.total:.9g}", f"{name}_count {below}"]


class Metrics:
    """What a server counts.

    Attributes:
        requests: How many answers were given, by endpoint and status.
        refused: How many were refused for want of room or time, by reason.
        seconds: What answers took.
        batches: How many examples were computed at once.
        rows: How many rows of streams were answered.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.refused: Counter[str] = Counter()
        self.seconds, self.batches = Histogram(_SECONDS), Histogram(_EXAMPLES)
        self.rows = 0

    def text(self, gauges: Mapping[str, tuple[str, float]], engines: Mapping[str, str]) -> str:
        """Everything in the text format of Prometheus.

        Args:
            gauges: What is true now, by name: what it is, and its value.
            engines: What computes each model, by its name.
        """
        models = [f'{{model="{name}",engine="{engine}"}} 1' for name, engine in sorted(engines.items())]
        requests = [f'{{endpoint="{name}",code="{code}"}} {n}' for (name, code), n in sorted(self.requests.items())]
        refused = [f'{{reason="{reason}"}} {n}' for reason, n in sorted(self.refused.items())]
        parts = [
            _metric("gatework_requests_total", "counter", "Answers by endpoint and status.", requests),
            _metric("gatework_refused_total", "counter", "Requests refused for want of room or time.", refused),
            _metric("gatework_stream_rows_total", "counter", "Rows of streams that were answered.", [f" {self.rows}"]),
            _headed("gatework_request_seconds", "histogram", "Time to answer a request.")
            + self.seconds.lines("gatework_request_seconds"),
            _headed("gatework_batch_examples", "histogram", "Examples computed at once.")
            + self.batches.lines("gatework_batch_examples"),
            _metric("gatework_model_info", "gauge", "What computes each model.", models),
            *(_metric(name, "gauge", about, [f" {value:g}"]) for name, (about, value) in gauges.items()),
        ]
        return "\n".join(line for part in parts for line in part) + "\n"


def _headed(name: str, kind: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]


def _metric(name: str, kind: str, about: str, values: Sequence[str]) -> list[str]:
    return _headed(name, kind, about) + [f"{name}{value}" for value in values]
