"""A worker on this or another machine, `python -m harness.load.node HOST PORT [--token]`.

With `--token`, the line on its standard input proves that the master has started it. It serves one load of
one master and ends with it, with status 0 if it has sent its share.
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
    token = sys.stdin.readline().strip() if "--token" in sys.argv[3:] else ""
    try:
        node = Node(host, port, token)
    except ConnectionError:
        sys.stderr.write(f"no master answers at {host}:{port}\n")
        sys.exit(ExitCode.INFRASTRUCTURE)
    node.runner.greenlet.join()
    if node.refused:
        sys.stderr.write(f"the master refused this worker: {node.refused}\n")
    elif not node.blocks:
        sys.stderr.write("the master ended before the load was sent\n")
    # Whatever greenlets are left, the load is over.
    os._exit(ExitCode.PROMOTE if node.blocks else ExitCode.INFRASTRUCTURE)


if __name__ == "__main__":
    main()
