"""Is run by gunicorn: an arbiter binds the port and watches a worker, which speaks HTTP as ever.

The arbiter loads nothing of the service, and so needs little memory. Where several workers are asked for, the
service starts them itself, as they share more than a port.
"""

import importlib
import os
import signal
import sys

from gunicorn.app.base import BaseApplication
from gunicorn.workers.base import Worker

SETTINGS = {"workers": 1, "timeout": 0, "graceful_timeout": 15, "loglevel": "warning"}


def service():
    """What serves, loaded by whoever does."""
    return importlib.import_module("reference_service.__main__")


class ServiceWorker(Worker):
    """Serves on the socket that it was given."""

    def init_signals(self):
        """Not those of the arbiter; the service has its own as soon as it begins."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def load_wsgi(self):
        """There is none."""

    def run(self):
        """To its end; a start that is refused ends with 3, and with that the arbiter ends too."""
        served = service()
        served.bind = lambda *_address, **_how: self.sockets[0].sock
        sys.exit(served.main())


class Arbiter(BaseApplication):
    """What gunicorn is told."""

    def load_config(self):
        """Nothing of it from a command line."""
        for name, value in SETTINGS.items():
            self.cfg.set(name, value)
        self.cfg.set("worker_class", ServiceWorker)
        self.cfg.set("bind", f"{os.environ.get('SERVICE_HOST', '0.0.0.0')}:{os.environ['SERVICE_PORT']}")


if os.environ.get("SERVICE_WORKERS", "1") == "1":
    Arbiter().run()
sys.exit(service().main())
