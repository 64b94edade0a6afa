"""How a page holds many numbers."""

import numpy as np
import pytest

from gatework.inside.page.packing import MANY, pack


@pytest.mark.parametrize(("largest", "width"), [(65504.0, 2), (65536.0, 3), (-1e30, 3)])
def test_numbers_beyond_float16_are_stored_in_a_byte_more(largest: float, width: int):
    tensor = np.full(MANY, 0.5, dtype=np.float32)
    tensor[7] = largest
    listing, _ = pack({"weights": tensor})
    assert listing == [{"name": "weights", "shape": [MANY], "bytes": width}]
