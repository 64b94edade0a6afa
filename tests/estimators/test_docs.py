"""The page on scikit-learn: its snippets run as they stand and print what the page says."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "estimators.md").read_text(encoding="utf-8")


def test_the_snippets_of_the_page_print_what_the_page_says(capsys):
    names = {"__name__": "page"}
    first, over_time = re.findall(r"```python\n(.*?)```\n\n(?:    (.*?)\n)?", PAGE, re.DOTALL)
    exec(first[0], names)
    assert capsys.readouterr().out.strip() == first[1]
    exec(over_time[0], names)
