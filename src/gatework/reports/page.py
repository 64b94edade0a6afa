"""One self-contained HTML page from a template: styles, scripts and data inside, nothing fetched.

Everything that comes from data passes Jinja's autoescape, or is JSON with its markup characters escaped. A content
security policy allows the page's own scripts by their hash and nothing else, so the browser enforces the same.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gatework._files import write_text
from gatework.formatting import counted, number
from gatework.reports.palette import theme_css
from gatework.tasks import metric_title
from gatework.tasks._section import Section

_SCRIPTS = ("theme.js", "plots.js", "charts.js", "learning.js", "training.js", "texts.js", "inside.js")


def write_page(
    path: Path, template: str, data: Mapping[str, Any], sections: Sequence[Section] = (), **context: Any
) -> Path:
    """Renders a template into one file, whole or not at all.

    Args:
        path: Where the page goes.
        template: The template's name.
        data: What the page's script draws, as values that JSON can hold.
        sections: What a task shows; the template gets them as `sections`, each with its `name`, `title` and `body`.
        context: What the template shows.

    Raises:
        RunError: The file cannot be written.
    """
    drawn = {section.name: section.data for section in sections if section.data is not None}
    scripts = {"plotly": _plotly(), "script": _script(section.script for section in sections)}
    page = (
        _environment()
        .get_template(template)
        .render(
            policy=content_policy(scripts),
            style=style_sheet(),
            data=embedded({**data, "sections": drawn}),
            sections=[_rendered(section, context) for section in sections],
            **scripts,
            **context,
        )
    )
    write_text(path, page)
    return path


def _rendered(section: Section, context: Mapping[str, Any]) -> dict[str, Any]:
    shared = {name: context[name] for name in ("looks", "models", "metric") if name in context}
    body = _environment().from_string(section.template).render(**shared, **section.context)
    return {"name": section.name, "title": section.title, "body": Markup(body)}


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


def style_sheet() -> Markup:
    """The style of every page: the colours of both themes, and the rules."""
    return Markup(theme_css() + asset("report.css"))


def _plotly() -> Markup:
    """Plotly's basic bundle, a quarter of the whole: lines, points and bars are all that a report draws."""
    return Markup(files("gatework.reports").joinpath("vendor", "plotly-basic.min.js").read_text(encoding="utf-8"))


def _script(further: Iterable[str]) -> Markup:
    return Markup("\n".join([*map(asset, _SCRIPTS), *further]))


def content_policy(scripts: Mapping[str, str]) -> str:
    """A content security policy under which these scripts run, no other does, and nothing is fetched."""
    digests = (hashlib.sha256(text.encode()).digest() for text in scripts.values())
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {hashes}"
