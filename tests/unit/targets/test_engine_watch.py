"""Whether the engine was there all the time, seen by a connection from before."""

import contextlib
import socket
import threading

import pytest

from harness.errors import InfrastructureError
from harness.targets.engine_watch import EngineWatch

GRANTED = b"HTTP/1.1 200 OK\r\n\r\n"


class FakeEngine:
    """Answers whatever is asked, and keeps the connections."""

    def __init__(self, path, answer=GRANTED):
        self.path, self._answer, self._open = path, answer, []
        self.start()

    @property
    def host(self):
        return f"unix://{self.path}"

    def start(self):
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.path))
        self._listening.listen()
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _accept(self, listening):
        with contextlib.suppress(OSError):
            while True:
                taken, _ = listening.accept()
                self._open.append(taken)
                taken.recv(65536)
                taken.sendall(self._answer)

    def take_no_more(self):
        """As one that is about to stop."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.path.unlink()

    def stop(self):
        self.take_no_more()
        for each in self._open:
            each.close()
        self._open.clear()


@pytest.fixture
def fake(tmp_path):
    made = FakeEngine(tmp_path / "s")
    yield made
    with contextlib.suppress(OSError):
        made.stop()


def test_one_that_stays_is_unbroken(fake):
    with EngineWatch(fake.host) as watch:
        watch.require_unbroken()
        watch.require_unbroken()


@pytest.mark.parametrize(
    "goes",
    [FakeEngine.take_no_more, FakeEngine.stop, lambda fake: (fake.stop(), fake.start())],
    ids=["about to stop", "stopped", "restarted"],
)
def test_one_that_went_is_to_blame(fake, goes):
    with EngineWatch(fake.host) as watch:
        goes(fake)
        for _ in range(2):
            with pytest.raises(InfrastructureError, match="stopped or was restarted"):
                watch.require_unbroken()


def test_one_that_tells_no_events_is_asked_whether_it_is_there(tmp_path):
    fake = FakeEngine(tmp_path / "s", b"HTTP/1.1 403 Forbidden\r\n\r\n")
    with EngineWatch(fake.host) as watch:
        watch.require_unbroken()
        fake.stop()
        with pytest.raises(InfrastructureError):
            watch.require_unbroken()


def test_without_one_nothing_begins(tmp_path):
    with pytest.raises(InfrastructureError, match="container engine: "), EngineWatch(f"unix://{tmp_path}/s"):
        pass
