"""The page on what acts around a cell: its snippet runs as it stands."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "options.md").read_text(encoding="utf-8")


def test_the_example_of_options_and_resets_runs():
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    known: dict = {}
    exec(block, known)
    assert known["output"].shape == (50, 8, 128)
    assert known["layer"].options.clip == 3
