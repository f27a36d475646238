"""A trial in a process of its own: a :class:`Job` on standard input, its trial as JSON on standard output.

So several can run at once, each with signals, engine and secrets of its own. It lives no longer than the
selftest: the end of its standard input is taken as SIGTERM, at which it removes what it has started.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from harness.cli.signals import interruptible
from harness.errors import ExitCode, Interrupted
from harness.events import Event
from harness.model import Model
from harness.selftest.catalogue import load_catalogue
from harness.selftest.model import Trial
from harness.selftest.proxied import injected_trial
from harness.selftest.trial import Asked, tried


class Job(Model):
    """One trial to make.

    Attributes:
        asked: Of the selftest.
        name: Of the entry, or of the fault that a proxy injects.
        healthy: Id of the image that it changes.
        catalogue: Where the entry is; None for a fault of the proxy.
        without_fault: What fails behind the proxy where it does nothing.
    """

    asked: Asked
    name: str
    healthy: str
    catalogue: Path | None
    without_fault: frozenset[str] = frozenset()


def main() -> None:
    """Make the one trial, then exit: with 0 whatever came of it, with 130 when it was stopped."""
    job = Job.model_validate_json(sys.stdin.buffer.readline())
    with interruptible():
        threading.Thread(target=_end_with_stdin, daemon=True).start()
        try:
            trial = _tried(job)
        except Interrupted:
            sys.exit(ExitCode.INTERRUPTED)
    sys.stdout.write(trial.model_dump_json(ensure_ascii=True) + "\n")


def _tried(job: Job) -> Trial:
    if job.catalogue is None:
        return injected_trial(
            job.name,
            job.asked,
            job.healthy,
            without_fault=job.without_fault,
            environ=os.environ,
            emit=_unheard,
        )
    entry = next(each for each in load_catalogue(job.catalogue) if each.name == job.name)
    return tried(entry, job.asked, job.healthy, os.environ, _unheard)


def _unheard(_event: Event) -> None:
    """What a gate tells while it goes on: of several at once nobody could follow it."""


def _end_with_stdin() -> None:
    while os.read(0, 1):  # not by sys.stdin, whose lock would be held when the interpreter ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
