"""Ctrl-C and SIGTERM under pytest: what was started is removed, and pytest ends as it does on Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.cli.signals import interruptible
from harness.errors import Interrupted

REMOVED = "everything that was started has been removed"


@contextmanager
def stoppable() -> Iterator[None]:
    """Within, the first signal ends it, later ones wait for nothing and are ignored while it is removed.

    Raises:
        KeyboardInterrupt: afterwards.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are none of its business
        return
    try:
        with interruptible():
            yield
    except Interrupted as interrupted:
        raise KeyboardInterrupt(f"{interrupted}; {REMOVED}") from None


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Within, SIGTERM ends the session as Ctrl-C does, which by itself would remove nothing."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield  # somebody else takes care of it
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt("SIGTERM")

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
