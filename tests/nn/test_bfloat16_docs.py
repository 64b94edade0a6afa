"""The page on bfloat16: its snippet runs as it stands."""

import re
from pathlib import Path

import torch

PAGE = (Path(__file__).parents[2] / "docs" / "bfloat16.md").read_text(encoding="utf-8")


def test_the_example_runs():
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    known: dict = {}
    exec(block, known)
    assert known["output"].dtype == known["c"].dtype == torch.bfloat16
    assert known["layer"].weight_ih_l0.grad.dtype == torch.float32
