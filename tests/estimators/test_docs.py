"""The page on scikit-learn: its snippet runs as it stands and prints what the page says."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "estimators.md").read_text(encoding="utf-8")


def test_the_snippet_of_the_page_prints_what_the_page_says(capsys):
    (block,) = re.findall(r"```python\n(.*?)```\n\n    (.*?)\n", PAGE, re.DOTALL)
    exec(block[0], {"__name__": "page"})
    assert capsys.readouterr().out.strip() == block[1]
