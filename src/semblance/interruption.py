"""The ear for a person, or a system, that says stop.

A KeyboardInterrupt raised while Python runs a library's callback (or a weak reference's, as imports use) is swallowed
there. So the wish is also written down, and long work looks at it whenever it reports progress.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_asked = threading.Event()  # one per process, as signals are


@contextmanager
def listening() -> Iterator[None]:
    """Hear Ctrl-C and a shutdown (SIGTERM) as KeyboardInterrupt, and remember them. Only the main thread can hear."""
    _asked.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        _asked.set()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        _asked.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def check() -> None:
    """Raise KeyboardInterrupt if somebody asked to stop and the work went on."""
    if _asked.is_set():
        raise KeyboardInterrupt
