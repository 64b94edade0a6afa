"""Ctrl-C that Python loses."""

from __future__ import annotations

import _thread
import signal
import sys
import threading

# How long, in seconds, after one was lost the next one is made: until then Python has cleared up.
_MOMENT = 0.05


def raise_lost_ones() -> None:
    """Lets Ctrl-C end the program also where Python can only print it.

    What is raised while Python clears up (the callback of a weak reference, as each import has one, or `__del__`) ends
    nothing: of a thousand Ctrl-C during imports, three are lost. Each of these is followed by another one.
    """
    others = sys.unraisablehook

    def hook(lost: sys.UnraisableHookArgs) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            others(lost)
            return
        again = threading.Timer(_MOMENT, _press)
        again.daemon = True
        again.start()

    sys.unraisablehook = hook


def _press() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)  # ends a call that waits
    else:
        _thread.interrupt_main()
