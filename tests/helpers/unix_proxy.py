"""A unix socket before another one, that can be taken away and given back."""

import contextlib
import socket
import threading


class UnixProxy:
    """Listens at ``path`` while it is up, and passes all bytes on to ``upstream``."""

    def __init__(self, path, upstream):
        self.path, self._upstream = path, str(upstream)
        self._open = set()
        self._lock = threading.Lock()
        self._listening = None

    @property
    def address(self):
        return f"unix://{self.path}"

    def up(self):
        """Take connections."""
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.path))
        self._listening.listen(64)
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def down(self):
        """Take none any more, and end those that there are."""
        if self._listening is not None:
            _end(self._listening)
            self._listening = None
        self.path.unlink(missing_ok=True)
        with self._lock:
            ended, self._open = self._open, set()
        for each in ended:
            _end(each)

    def _accept(self, listening):
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listening.accept()
                upstream = socket.socket(socket.AF_UNIX)
                upstream.connect(self._upstream)
                with self._lock:
                    self._open |= {caller, upstream}
                for one, other in ((caller, upstream), (upstream, caller)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one, other):
        with contextlib.suppress(OSError):
            while piece := one.recv(65536):
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)


def _end(each):
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
