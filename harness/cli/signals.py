"""SIGINT and SIGTERM as an exception, so that every context manager cleans up on the way out."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.errors import Interrupted
from harness.targets.uninterrupted import SIGNALS


@contextmanager
def interruptible() -> Iterator[None]:
    """Within, the first signal raises :class:`Interrupted`; later ones are ignored while it cleans up."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(signal.Signals(number).name)

    previous = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
