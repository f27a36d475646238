"""The fuzz worker: ``python -m harness.checks.fuzz.worker``, a :class:`Job` on stdin, messages on stdout.

A process of its own, because the engine may hang or grow on a hostile contract or answer. It lives no longer
than the gate: the end of its standard input ends it, and its memory and CPU time are bounded.
"""

import os
import resource
import sys
import threading
from typing import BinaryIO

from harness.checks.fuzz.protocol import Broken, Ended, Job, Message

CPU_GRACE_S = 60
MOST_FILE_BYTES = 64 * 1024 * 1024
"""Of what it writes besides its messages, as its complaints."""


class _Lines:
    """Writes messages, whole lines only."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, message: Message) -> None:
        line = message.model_dump_json().encode() + b"\n"
        with self._lock:
            self._stream.write(line)
            self._stream.flush()


def _own_stdout() -> BinaryIO:
    """The real standard output; whatever else prints goes to standard error."""
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return stream


def _bound(job: Job) -> None:
    cpu_s = int(job.budget_s + job.shrink_budget_s) + CPU_GRACE_S
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory_bytes, job.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE_BYTES, MOST_FILE_BYTES))


def _die_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> None:
    """Do the one job, then exit."""
    emit = _Lines(_own_stdout())
    job = Job.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_die_with_stdin, daemon=True).start()
    _bound(job)
    # Imported late: what it takes counts against the bounds.
    from harness.checks.fuzz.bounded_answers import bound_answers  # noqa: PLC0415 - see above
    from harness.checks.fuzz.schemathesis_engine import Engine  # noqa: PLC0415 - see above

    bound_answers(job.answer_timeout_s)
    budget_spent = threading.Event()
    try:
        engine = Engine(job, emit)

        def stop() -> None:
            budget_spent.set()
            engine.stop()

        timer = threading.Timer(job.budget_s, stop)
        timer.daemon = True
        timer.start()
        if job.again:
            engine.replay()
        else:
            engine.run(budget_spent.is_set)
    except Exception as error:  # noqa: BLE001 - any fault of the engine is a result, and never a pass
        emit(Broken(message=f"{type(error).__name__}: {error}"[:1000]))
        emit(Ended(reason="broken"))


if __name__ == "__main__":
    main()
