"""The page on large vocabularies: its snippet runs as it stands."""

import re

from support.source_tree import ROOT


def test_the_snippet_of_the_page_runs():
    page = (ROOT / "docs" / "softmax.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    exec(snippet, names)
    assert names["embedding"].weight.grad is not None
