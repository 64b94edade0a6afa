"""How far the other end of a pipe has read."""

from __future__ import annotations

import array
import fcntl
import termios


def unread(pipe: int) -> int:
    """How many bytes of a pipe wait to be read."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]
