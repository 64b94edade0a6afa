"""What the site's builder does beyond Markdown: formulas become MathML, commands show their help, live pages join in.

Nothing of the site is fetched when it is read, so no script may come from elsewhere to set formulas.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

from gatework.cli._application import COMMANDS
from gatework.course.experiments.pages import EXPERIMENTS
from gatework.course.markdown import mathml
from gatework.inside.playground import write_playground

_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
_HELP = re.compile(r"^!help$", re.MULTILINE)
_SHIM = re.compile(r'<script src="?https://unpkg.com/iframe-worker/shim"?></script>')
_FILE = re.compile(r"^!file (?P<name>\S+)$", re.MULTILINE)
_ROOT = Path(__file__).parents[1]
# Pages that are no Markdown, and so are written for the site alone.
_PLAYGROUND = "live/playground.html"
_MARKS = {
    "<!-- playground -->": f"[Open the playground]({_PLAYGROUND})",
    "<!-- experiments -->": "\n".join(
        f"- [{each.title}](live/{each.name}.html): {each.headline}" for each in EXPERIMENTS
    ),
}


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Adds the playground and the published experiments as pages of their own."""
    for name, content in _live_pages():
        files.append(File.generated(config, name, content=content))
    return files


def _live_pages() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        page = write_playground(Path(folder) / "playground.html")
        yield _PLAYGROUND, page.read_text(encoding="utf-8")
        for each in EXPERIMENTS:
            yield f"live/{each.name}.html", each.write(Path(folder) / f"{each.name}.html").read_text(encoding="utf-8")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Puts the help of every command in the place of `!help`, a file of the repository in that of `!file NAME`.

    Comments that stand for links to pages of the site alone become those links.
    """
    for mark, links in _MARKS.items():
        markdown = markdown.replace(mark, links)
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
