"""A worker on this or another machine, `python -m harness.load.node HOST PORT`.

It serves one load of one master and ends with it, with status 0 if it has sent its share.
"""

from gevent import monkey

monkey.patch_all()  # before anything else imports socket or ssl, as Locust itself would

import os  # noqa: E402 - see above
import sys  # noqa: E402

from harness.errors import ExitCode  # noqa: E402
from harness.load.remote import Node  # noqa: E402


def main() -> None:
    """Serve one load."""
    host, port = sys.argv[1], int(sys.argv[2])
    try:
        node = Node(host, port)
    except ConnectionError:
        sys.stderr.write(f"no master answers at {host}:{port}\n")
        sys.exit(ExitCode.INFRASTRUCTURE)
    node.runner.greenlet.join()
    if not node.blocks:
        sys.stderr.write("the master ended before the load was sent\n")
    # Whatever greenlets are left, the load is over.
    os._exit(ExitCode.PROMOTE if node.blocks else ExitCode.INFRASTRUCTURE)


if __name__ == "__main__":
    main()
