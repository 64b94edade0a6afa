"""A report's page from a template: styles, scripts and data inside, nothing fetched."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gatework._files import write_text
from gatework.formatting import counted, number
from gatework.pages.page import asset, charting_library, content_policy, embedded, style_sheet
from gatework.tasks import ReportSection, metric_title

_SHARED_SCRIPTS = ("theme.js", "plots.js", "charts.js", "texts.js")
_SCRIPTS = ("learning.js", "training.js", "inside.js", "search.js")


def write_page(
    path: Path, template: str, data: Mapping[str, Any], sections: Sequence[ReportSection] = (), **context: Any
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
    scripts = {"plotly": charting_library(), "script": _script(section.script for section in sections)}
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


def _rendered(section: ReportSection, context: Mapping[str, Any]) -> dict[str, Any]:
    shared = {name: context[name] for name in ("looks", "models", "metric") if name in context}
    body = _environment().from_string(section.template).render(**shared, **section.context)
    return {"name": section.name, "title": section.title, "body": Markup(body)}


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("gatework.reports"), PackageLoader("gatework.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"number": number, "metric": metric_title}
    environment.globals |= {"counted": counted}
    return environment


def _script(further: Iterable[str]) -> Markup:
    scripts = (asset(name, "gatework.reports") for name in _SCRIPTS)
    return Markup("\n".join([*map(asset, _SHARED_SCRIPTS), *scripts, *further]))
