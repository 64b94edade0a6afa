"""One self-contained HTML page from a template: styles, scripts and data inside, nothing fetched.

Everything that comes from data passes Jinja's autoescape, or is JSON with its markup characters escaped. A content
security policy allows the page's own scripts by their hash and nothing else, so the browser enforces the same.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gatework._files import write_text
from gatework.formatting import counted, number
from gatework.tasks import metric_title

_SCRIPTS = (
    "theme.js",
    "plots.js",
    "learning.js",
    "series.js",
    "forecasts.js",
    "scatter.js",
    "roc.js",
    "training.js",
    "texts.js",
    "detection.js",
    "inside.js",
)


def write_page(path: Path, template: str, data: Mapping[str, Any], **context: Any) -> Path:
    """Renders a template into one file, whole or not at all.

    Args:
        path: Where the page goes.
        template: The template's name.
        data: What the page's script draws, as values that JSON can hold.
        context: What the template shows.

    Raises:
        RunError: The file cannot be written.
    """
    scripts = {"plotly": _plotly(), "script": _script()}
    policy = content_policy(scripts)
    page = (
        _environment()
        .get_template(template)
        .render(policy=policy, style=Markup(asset("report.css")), data=embedded(data), **scripts, **context)
    )
    write_text(path, page)
    return path


def embedded(data: Any) -> Markup:
    r"""JSON that may stand inside a script element: "<", ">", "&" and "'" are written as \u003c and so on."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gatework.reports"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"number": number, "metric": metric_title}
    environment.globals |= {"counted": counted}
    return environment


def asset(name: str) -> str:
    """A style sheet or script of the reports, which other pages share."""
    return files("gatework.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def _script() -> Markup:
    return Markup("\n".join(asset(name) for name in _SCRIPTS))


def content_policy(scripts: Mapping[str, str]) -> str:
    """A content security policy under which these scripts run, no other does, and nothing is fetched."""
    digests = (hashlib.sha256(text.encode()).digest() for text in scripts.values())
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {hashes}"
