"""What is asked while others stall, on a server of a few lines."""

import socket
import threading

from harness.checks.fuzz.raw_asking import ASKED_BESIDE_STALLED, RawClient
from harness.checks.fuzz.raw_message import Payload, Valid
from harness.http_request import Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def asked_beside_a_stalled_sender(answers):
    """The result, of a server that answers so many whole requests while a sender of a part waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        left, released = iter(range(answers)), threading.Event()

        def serve(connection):
            with connection:
                content = connection.recv(4096)
                if content == b"part":
                    connection.recv(4096)
                    released.set()
                elif next(left, None) is None and content.startswith(b"POST"):
                    released.wait(5)
                connection.sendall(OK)

        def accept():
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        request = Request("POST", "/predict", {}, b"{}")
        client = RawClient(url, Valid(request, url.removeprefix("http://")), ("/ready", 200), 0.5, str)
        payload = Payload((b"part", b"rest"), senders=1)
        result = client.ask("clients-stalled", "valid", (200,), payload)
        server.shutdown(socket.SHUT_RDWR)
    return result


def test_one_that_was_served_before_the_others_stalled_says_nothing():
    assert asked_beside_a_stalled_sender(1).recovery_status is None


def test_the_stalled_keep_nobody_waiting():
    assert asked_beside_a_stalled_sender(ASKED_BESIDE_STALLED).recovery_status == 200
