"""How much freed memory a server that waits keeps."""

from __future__ import annotations

from gatework import _native

_LIMIT = 4 << 20


def keep_little_memory() -> None:
    """Lets glibc keep up to 4 MB of freed memory for each thread, and gives back the rest.

    For training, gatework has it keep far more, so that a step need not take its memory anew. Batches of a server take
    as long either way, while the file that its weights came from and its largest batch would stay for good. Does
    nothing where the environment sets limits.
    """
    _native.give_back_freed_memory(_LIMIT)
