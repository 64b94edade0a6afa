"""One self-contained HTML page: styles, scripts and data inside, nothing fetched.

Everything that comes from data passes Jinja's autoescape, or is JSON with its markup characters escaped. A content
security policy allows the page's own scripts by their hash and nothing else, so the browser enforces the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gatework.pages.palette import theme_css

if TYPE_CHECKING:
    from jinja2 import Template


def embedded(data: Any) -> Markup:
    r"""JSON that may stand inside a script element: "<", ">", "&" and "'" are written as \u003c and so on."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def asset(name: str, package: str = "gatework.pages", folder: str = "templates") -> str:
    """A template, style sheet or script of a package."""
    return files(package).joinpath(folder, name).read_text(encoding="utf-8")


def template(text: str) -> Template:
    """The template of a page, which can include the head and the masthead of every page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("gatework.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(text)


def style_sheet() -> Markup:
    """The style of every page: the colours of both themes, and the rules."""
    return Markup(theme_css() + asset("page.css"))


def charting_library() -> Markup:
    """Plotly's basic bundle, a quarter of the whole: lines, points and bars are all that a page draws."""
    return Markup(files("gatework.pages").joinpath("vendor", "plotly-basic.min.js").read_text(encoding="utf-8"))


def content_policy(scripts: Mapping[str, str]) -> str:
    """A content security policy under which these scripts run, no other does, and nothing is fetched."""
    digests = (hashlib.sha256(text.encode()).digest() for text in scripts.values())
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; media-src data:; script-src {hashes}"
