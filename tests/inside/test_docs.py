import re
from pathlib import Path
from types import SimpleNamespace

from support.networks import run, texts

PAGE = Path(__file__).parents[2] / "docs" / "inside.md"


def test_the_examples_on_seeing_inside_run_one_after_the_other(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 5
    known = {"run": run(tmp_path / "run"), "dataset": SimpleNamespace(test=texts(30, 3))}
    for block in blocks:
        exec(block, known)
    assert known["found"].steps[0] == ("a", "dull", "plot")
