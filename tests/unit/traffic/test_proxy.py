"""What the recording proxy takes of a caller."""

import io
import socket
import threading

import pytest
from raw_http import post_head

from harness.traffic.proxy import LARGEST_BODY, RecordingProxy
from harness.traffic.recorder import Recorder


@pytest.fixture
def proxy():
    """Before a service that nobody listens for: what is passed on is answered with 502."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        upstream = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with RecordingProxy(upstream, Recorder(io.StringIO()), host="127.0.0.1", port=0) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server
            server.shutdown()
            server.client.close()


def status(proxy, length):
    with socket.create_connection(proxy.server_address, timeout=20) as connection:
        connection.sendall(post_head("/", length))
        return connection.makefile("rb").readline().split()[1]


@pytest.mark.parametrize("length", ["9" * 5000, "0" * 5000, str(LARGEST_BODY + 1), "-1", "²", ""])
def test_a_length_that_is_none_or_too_long_is_refused(proxy, length):
    assert status(proxy, length) == b"413"


def test_a_length_is_taken(proxy):
    assert status(proxy, "0") == b"502"
