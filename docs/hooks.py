"""What the site's builder does beyond Markdown: formulas become MathML, commands show their help, links lead in.

Nothing of the site is fetched when it is read, so no script may come from elsewhere to set formulas.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from gatework.cli._application import COMMANDS
from gatework.course.markdown import mathml

_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
_HELP = re.compile(r"^!help$", re.MULTILINE)
_SHIM = re.compile(r'<script src="?https://unpkg.com/iframe-worker/shim"?></script>')
_FILE = re.compile(r"^!file (?P<name>\S+)$", re.MULTILINE)
_ROOT = Path(__file__).parents[1]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Puts the help of every command in the place of `!help`, and a file of the repository in that of `!file NAME`."""
    markdown = _FILE.sub(lambda match: _inside_docs((_ROOT / match["name"]).read_text(encoding="utf-8")), markdown)
    return _HELP.sub(lambda _: _helps(), markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Sets formulas."""
    return _FORMULA.sub(_set, html)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Takes the search's stand-in for workers from the site instead of from another server."""
    return _SHIM.sub(f'<script src="{page.url.count("/") * "../"}search-worker.js"></script>', output)


def _set(match: re.Match[str]) -> str:
    is_display = match[1] == "div"
    formula = mathml(html.unescape(match[2]), is_display=is_display)
    return f'<div class="formula">{formula}</div>' if is_display else formula


def _inside_docs(markdown: str) -> str:
    """A page of the repository's root with its links as they are within docs/."""
    names = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changes.md", "README.md": "index.md"}
    for name, page in names.items():
        markdown = markdown.replace(f"]({name})", f"]({page})")
    return markdown.replace("](docs/", "](")


@cache
def _helps() -> str:
    words = ("", *COMMANDS)
    return "\n\n".join(f"## gatework {word}\n\n```text\n{_help(word)}\n```" for word in words)


def _help(word: str) -> str:
    command = [sys.executable, "-c", "from gatework.cli import main; main()", *word.split(), "--help"]
    surroundings = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=surroundings).stdout.strip()
