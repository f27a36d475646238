"""A Redis with a password in a container, on a network that has its name, and on a loopback port."""

import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from own_containers import LABELS

DOCKERFILE = """
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server
USER 10001:10001
ENTRYPOINT ["redis-server", "--save", "", "--dir", "/tmp", "--protected-mode", "no", "--requirepass"]
"""
START_TIMEOUT_S = 20


@dataclass(frozen=True)
class RedisServer:
    """A server that answers, and where it is found."""

    container: Any
    network: str
    password: str
    scheme: str

    @property
    def port(self):
        self.container.reload()
        return self.container.ports["6379/tcp"][0]["HostPort"]

    @property
    def url(self):
        """Where this machine finds it."""
        return f"{self.scheme}://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def url_inside(self):
        """Where containers of its network find it."""
        return f"{self.scheme}://:{self.password}@{self.network}:6379/0"

    def command(self, *words):
        tls = ["--tls", "--insecure"] if self.scheme == "rediss" else []
        command = ["redis-cli", *tls, *words]
        done = self.container.exec_run(command, environment={"REDISCLI_AUTH": self.password})
        return done.output.decode().strip()

    def until_it_answers(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.command("PING") != "PONG":
            assert time.monotonic() < deadline, self.container.logs().decode()
            time.sleep(0.05)


@contextmanager
def redis_server(engine, image, *arguments, scheme="redis", **options):
    """Starts a Redis, and removes it and its network in the end."""
    name, password = f"harness-test-redis-{secrets.token_hex(4)}", secrets.token_hex(16)
    network = engine.networks.create(name, labels=LABELS)
    try:
        container = engine.containers.create(
            image,
            [password, *arguments],
            read_only=True,
            tmpfs={"/tmp": ""},
            ports={"6379/tcp": ("127.0.0.1", None)},
            network=name,
            name=name,
            labels=LABELS,
            **options,
        )
        try:
            container.start()
            server = RedisServer(container, name, password, scheme)
            server.until_it_answers()
            yield server
        finally:
            container.remove(force=True, v=True)
    finally:
        network.remove()
