"""What `csrc/training/` offers to Python; every argument is checked before it comes here."""

from collections.abc import Sequence

ADAM_BETAS: tuple[float, float]
"""What an average of gradients, and of their squares, keeps of itself at each step."""

def catch_up_rows(
    sizes: Sequence[int], parts: Sequence[int], epsilon: float, rows: int, count: int, number: int, /
) -> None: ...
def add_up_rows(
    rows: int, parts: Sequence[Sequence[int]], size: int, columns: int, numbers: int, sums: int, /
) -> int: ...
def step_rows(
    sizes: Sequence[int],
    parts: Sequence[int],
    epsilon: float,
    rows: int,
    count: int,
    gradients: int,
    number: int,
    learning_rate: float,
    weight_decay: float,
    /,
) -> None: ...
