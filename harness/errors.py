"""Every error the harness raises on purpose.

::

    HarnessError
    ├── ConfigError          exit 2   a file, key or value the user can mend
    ├── UsageError           exit 2   a command line the user can mend
    ├── InfrastructureError  exit 5   engine, reference or network; says nothing of the candidate
    ├── AnswerError          exit 3   a service's answer that cannot be recorded
    └── TargetError                   a target that did not start or died; the runner turns it into
                                      a reject (candidate) or an InfrastructureError (reference)

    Interrupted              exit 130 SIGINT or SIGTERM; beside them, so that nobody handles it by accident
"""

from collections.abc import Sequence
from enum import IntEnum

MOST_SHOWN_CHARACTERS = 80


def shown(value: object) -> str:
    """A value as an error message shows it: ``repr``, cut at 80 characters."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # of thousands of levels, or an integer of thousands of digits
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MOST_SHOWN_CHARACTERS else text[: MOST_SHOWN_CHARACTERS - 3] + "..."


class ExitCode(IntEnum):
    """Process exit codes, a promise to shell scripts and workflows."""

    PROMOTE = 0
    CRASH = 1
    USAGE = 2
    REJECT = 3
    INCONCLUSIVE = 4
    INFRASTRUCTURE = 5
    INTERRUPTED = 130


class HarnessError(Exception):
    """Base of all deliberate errors; ``str()`` is what the user reads.

    Attributes:
        exit_code: What the command line exits with.
        fix: What to do about it, one sentence; empty when the message says it.
    """

    exit_code = ExitCode.CRASH

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class UsageError(HarnessError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class ConfigError(HarnessError):
    """A configuration, scenario, golden or report file is wrong.

    Args:
        file: The file as the user named it.
        key: Dotted path of the key, empty for the file as a whole.
        value: The offending value, shown by :func:`shown`.
        problem: What is wrong with it.
        allowed: What would be right.
        meant: The right spelling of what was probably meant.
        also: Further problems of the same file, one a line.
    """

    exit_code = ExitCode.USAGE

    def __init__(
        self,
        *,
        file: object,
        key: str = "",
        value: object = None,
        problem: str,
        allowed: str = "",
        meant: str = "",
        also: Sequence[str] = (),
    ) -> None:
        where = f"{file}: {key}" if key else f"{file}"
        got = "" if value is None else f" (got {shown(value)})"
        further = "".join(f"\n  also {line}" for line in also)
        hints = [f"did you mean {meant!r}?"] if meant else []
        hints += [f"allowed: {allowed}"] if allowed else []
        super().__init__(f"{where}: {problem}{got}{further}", fix=" ".join(hints))


class InfrastructureError(HarnessError):
    """The engine, the reference or the network failed; the candidate is not to blame."""

    exit_code = ExitCode.INFRASTRUCTURE


class AnswerError(HarnessError):
    """A service answered what no golden set can hold: an error, no JSON, or not every output."""

    exit_code = ExitCode.REJECT


class TargetError(HarnessError):
    """A target did not start, never became ready, or died.

    Attributes:
        logs: The tail of what it wrote, possibly empty.
    """

    exit_code = ExitCode.INFRASTRUCTURE

    def __init__(self, message: str, *, logs: str = "", fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.logs = logs


class Interrupted(BaseException):
    """The user or the runner stopped the run; like KeyboardInterrupt, no Exception."""
