"""Markdown to HTML for the static site: formulas become MathML, code is coloured, nothing is fetched."""

from __future__ import annotations

import functools
import re
from typing import Any

from gatework.errors import DataError

# The converter knows LaTeX's older name of the environment that MathJax wants inside $$.
_SYNONYMS = (("{aligned}", "{align*}"),)

# No line ends between a formula and the comma or full stop after it.
_BEFORE_A_MARK = re.compile(r'(<span class="math inline">(?:(?!</span>).)*</span>[.,;:!?)]+)', re.DOTALL)


def to_html(text: str) -> str:
    """A Markdown text with formulas in dollars, as HTML."""
    return _BEFORE_A_MARK.sub(r'<span class="whole">\1</span>', str(_parser().render(text)))


def mathml(formula: str, *, is_display: bool = False) -> str:
    """A LaTeX formula as MathML.

    Raises:
        DataError: It is not a formula that can be converted.
    """
    from latex2mathml.converter import convert

    for name, synonym in _SYNONYMS:
        formula = formula.replace(name, synonym)
    try:
        return str(convert(formula.strip(), display="block" if is_display else "inline"))
    except Exception as error:
        raise DataError(f"the formula {formula!r} cannot be converted to MathML: {error}") from None


def code_to_html(code: str, language: str = "python") -> str:
    """Source code with spans for its colours, without a surrounding element."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    return str(highlight(code, get_lexer_by_name(language or "text"), HtmlFormatter(nowrap=True))).rstrip("\n")


@functools.cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.anchors import anchors_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def fence(code: str, language: str, _: str) -> str:
        return f'<pre class="code"><code>{code_to_html(code, language)}</code></pre>'

    parser = MarkdownIt("commonmark", {"html": True, "highlight": fence}).enable("table")
    parser.use(
        dollarmath_plugin,
        allow_space=True,
        double_inline=True,
        renderer=lambda content, options: mathml(content, is_display=options["display_mode"]),
    )
    # A table that is wider than a phone scrolls by itself.
    parser.add_render_rule("table_open", lambda *_: '<div class="table"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser.use(anchors_plugin, min_level=2, max_level=3)
