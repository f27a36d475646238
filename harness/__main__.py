"""``python -m harness``."""

import sys

from harness.cli.signals import interruptible
from harness.errors import ExitCode, Interrupted


def main() -> None:
    """Entry point: from here on a signal has its own exit code, also while the commands are loaded."""
    try:
        with interruptible():
            from harness.cli.app import main as run  # noqa: PLC0415 - it takes a second, see above

            run()
    except Interrupted:
        sys.exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
