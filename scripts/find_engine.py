"""Print the address of the first container engine that answers, or exit 1.

``DOCKER_HOST``, where it is set, and nothing else; then the Docker context, the default sockets, the private
engine of this checkout. Unix sockets only: published ports and mounted files have to be on this machine.
The same rules as in ``harness/targets/engine.py``, with the standard library only: this runs before there is
a virtual environment.
"""

import hashlib
import http.client
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

PING_TIMEOUT_S = 3.0
ROOT = Path(__file__).resolve().parent.parent


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PING_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Open the socket instead of a TCP connection."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def context_host() -> str | None:
    """Return the engine address of the current Docker context, None for the default context."""
    config = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        name = (
            os.environ.get("DOCKER_CONTEXT")
            or json.loads((config / "config.json").read_text())["currentContext"]
        )
        folder = config / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        host = json.loads((folder / "meta.json").read_text())["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, KeyError):
        return None
    return str(host)


def candidates() -> Iterator[tuple[str, str]]:
    """Yield (where it comes from, address) in order of precedence."""
    if host := os.environ.get("DOCKER_HOST"):
        yield "DOCKER_HOST", host
        return
    if (host := context_host()) and host.startswith("unix://"):
        yield "the Docker context", host
    yield "the default socket", "unix:///var/run/docker.sock"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield "the rootless socket", f"unix://{runtime}/docker.sock"
    address = ROOT / ".engine" / "docker_host"
    if address.is_file():
        yield "the private engine", address.read_text().strip()


def ping(host: str) -> str | None:
    """Ask the engine at ``host`` for a sign of life; return None when it answers, else why not."""
    url = urlsplit(host)
    if url.scheme != "unix":
        return "only unix:// is supported: published ports have to be on this machine"
    connection = UnixConnection(url.path)
    try:
        connection.request("GET", "/_ping")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return None if status == http.HTTPStatus.OK else f"it answered HTTP {status}"


def main() -> int:
    """Print the address and return 0, or say what was tried and return 1."""
    refused: list[str] = []
    for source, host in candidates():
        reason = ping(host)
        if reason is None:
            for line in refused:
                print(f"engine: {line}", file=sys.stderr)
            print(host)
            return 0
        if source in {"DOCKER_HOST", "the Docker context"} or "Permission denied" in reason:
            refused.append(f"{source} names {host}, which does not answer: {reason}")
    for line in refused:
        print(f"engine: {line}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
