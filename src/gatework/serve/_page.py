"""The page to try a server, in one piece; it reads what the server says of its models and asks them."""

from __future__ import annotations

from functools import cache

from markupsafe import Markup

from gatework import __version__
from gatework.pages.page import asset, content_policy, style_sheet, template


@cache
def page() -> str:
    """The page as HTML."""
    return template(_asset("try.html")).render(
        policy=policy(),
        title="Try a trained network",
        style=style_sheet() + Markup(_asset("try.css")),
        version=__version__,
        **_scripts(),
    )


@cache
def policy() -> str:
    """What the page may do: run its own scripts, and ask the server that it came from."""
    return f"{content_policy(_scripts())}; connect-src 'self'; base-uri 'none'; form-action 'none'"


def _scripts() -> dict[str, Markup]:
    return {"theme": Markup(asset("theme.js")), "script": Markup(_asset("try.js"))}


def _asset(name: str) -> str:
    return asset(name, "gatework.serve", "assets")
