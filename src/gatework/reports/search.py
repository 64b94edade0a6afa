"""A search as one HTML page: what it found, how it went, what mattered, and every trial."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gatework import tasks
from gatework._files import read_json
from gatework.formatting import counted, number, rounded, with_spread
from gatework.pages.axes import Axis
from gatework.reports.damaged import refusing_damage
from gatework.reports.details import deck, details, gatework_version
from gatework.reports.page import write_page
from gatework.tasks import get_metric, metric_title

_MOST_ROWS = 100
# Every score stands within this share of the best ones' spread around them; the others are drawn at the edge.
_WHISKERS = 1.5


@refusing_damage
def write_search_report(folder: str | os.PathLike[str], out: Path | None = None) -> Path:
    """Writes `report.html` into a folder of `gatework tune`, from its `search.json` and nothing else.

    Args:
        folder: The folder.
        out: Where the page goes; `report.html` in the folder if None.

    Raises:
        RunError: `search.json` is missing or corrupt, or the page cannot be written.
    """
    folder = Path(folder)
    content = read_json(folder / "search.json")
    tasks.get(content["task"])  # makes its metrics known
    return _written(out or folder / "report.html", content)


def _written(path: Path, content: Mapping[str, Any]) -> Path:
    metric, sign = content["metric"], 1 if content["lower_is_better"] else -1
    trials = [_trial(trial, content, sign) for trial in content["trials"]]
    known = [trial["best"] for trial in trials if trial["best"] is not None]
    ranked = sorted(trials, key=lambda t: (t["best"] is None, sign * (t["best"] or 0.0), t["number"]))
    return write_page(
        path,
        "search.html",
        {
            "search": {
                "trials": trials,
                "axis": Axis.over(_within(known, sign)).axis(),
                "sign": sign,
                "space": [_axis(dimension) for dimension in content["space"]],
            }
        },
        title=content["title"],
        headline=content["headline"],
        rest=content["verdict"].removeprefix(content["headline"]).strip(),
        deck=f"{counted(len(trials), 'trial')} · {deck(content)}",
        content=content,
        metric=metric_title(metric),
        contenders=_contenders(content),
        metrics=_metrics(content),
        changed=_changed(content),
        importance=_importance(content["importance"]),
        space=[_option(dimension) for dimension in content["space"]],
        rows=ranked[:_MOST_ROWS],
        left_out=len(ranked) - _MOST_ROWS,
        stopped=sum(not trial["is_complete"] for trial in trials),
        details=details({**content, "recipe": content["recipe"]}),
        command=content.get("command"),
        version=gatework_version(content["environment"]),
    )


def _trial(trial: Mapping[str, Any], content: Mapping[str, Any], sign: int) -> dict[str, Any]:
    scores = [rounded(score) for score in trial["scores"]]
    known = [score for score in scores if score is not None]
    return {
        "number": trial["number"],
        "name": "the default" if trial["number"] == 0 else f"trial {trial['number'] + 1}",
        "scores": scores,
        "best": min(known, key=lambda score: sign * score) if known else None,
        "shown": number(min(known, key=lambda score: sign * score)) if known else "—",
        "is_complete": trial["is_complete"],
        "is_chosen": trial["number"] == content["best_trial"],
        "ending": trial["ending"] or "trained to its end",
        "epochs": len(scores),
        "seconds": trial["seconds"],
        "values": trial["values"],
        "texts": [_text(trial["values"].get(dimension["name"])) for dimension in content["space"]],
    }


def _text(value: Any) -> str:
    return "" if value is None else number(value) if isinstance(value, (int, float)) else str(value)


def _within(values: Sequence[float], sign: int) -> list[float]:
    """The values without those that are so far behind that the others would lie on one line."""
    ranked = sorted(values, key=lambda value: sign * value)
    if len(ranked) < 4:
        return ranked
    edge = ranked[3 * len(ranked) // 4]
    reach = abs(edge - ranked[0]) * _WHISKERS
    return [value for value in ranked if sign * (value - edge) <= reach]


def _word(name: str) -> str:
    return name.partition(".")[2].replace("_", " ")


def _option(dimension: Mapping[str, Any]) -> str:
    return _word(dimension["name"])


def _axis(dimension: Mapping[str, Any]) -> dict[str, Any]:
    """An option as the horizontal axis of a plot."""
    if "values" in dimension:
        words = [_text(value) if not isinstance(value, bool) else str(value).lower() for value in dimension["values"]]
        return {"name": dimension["name"], "word": _word(dimension["name"]), "words": words}
    ends = [dimension["low"], dimension["high"]]
    axis = Axis.over(ends, log_from=1.0 if dimension["is_log"] else float("inf")).axis()
    return {"name": dimension["name"], "word": _word(dimension["name"]), "axis": axis}


def _contenders(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for entry in content["contenders"]:
        metrics = {
            name: with_spread(spread["mean"], spread["std"], len(spread["values"]))
            for name, spread in entry["metrics"].items()
        }
        rows.append({**entry, "texts": metrics, "is_chosen": entry["name"] == content["chosen"]})
    return rows


def _metrics(content: Mapping[str, Any]) -> list[str]:
    """The metrics of the contenders: the one that decides, and what the test part says of it and of the others."""
    decisive = content["metric"].replace("validation_", "test_")
    others = [n for n in content["contenders"][0]["metrics"] if n not in (content["metric"], decisive)]
    return [content["metric"], decisive, *(n for n in others if get_metric(n).lower_is_better is not None)]


def _changed(content: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Each option that varied, with the value that is kept and that of the default."""
    start = content["trials"][0]["values"]
    return [(_word(name), _text(value), _text(start[name])) for name, value in content["values"].items()]


def _importance(weights: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    longest = max((weight["share"] for weight in weights), default=1.0) or 1.0
    return [
        {
            "name": _word(weight["name"]),
            "share": round(100 * weight["share"] / longest, 2),
            "text": f"{100 * weight['share']:.0f} %",
        }
        for weight in weights
    ]
