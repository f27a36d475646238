"""The load of several generators, seen from Locust's master; see `harness.load.wire`.

It gives each worker its share of the schedule, has all begin at one moment, and joins what they send back. A
worker that is lost, fails or sends something else fails the block.
"""

import hmac
import secrets
import sys
import time
from typing import Any

import gevent
from gevent import subprocess
from gevent.queue import Empty, Queue
from locust import User
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner

from harness import __version__
from harness.load.clock import Exchange, Offset, WorkerClock, offset_of
from harness.load.live import Live
from harness.load.merge import Share, merge
from harness.load.protocol import Begin, Cluster
from harness.load.samples import Samples
from harness.load.schedule import WARMUP, schedule_block
from harness.load.web import serve_web
from harness.load.wire import (
    BLOCK,
    CLOCK,
    DONE,
    FAILED,
    FROM_WORKER,
    HELLO,
    LIVE,
    MORE,
    OPTIONS,
    PLAN,
    READY,
    REFUSED,
    ROWS,
    join_rows,
    live_answered,
)

EXCHANGES = 50
POLL_S = 0.2
LEAD_S = 0.5
"""From the order to the first request: every worker has it by then."""


class WorkerError(Exception):
    """A worker is missing, lost, or failed."""


class PacedUser(User):
    """Stands for the workers' user of this name, so that Locust's master starts one at each."""


class ClusterLoad:
    """A load that is sent by workers.

    Attributes:
        unix_offset_s: Unix time minus the times in the samples.
        web_url: Where the web UI answers, None without one.
    """

    def __init__(self, begin: Begin, cluster: Cluster) -> None:
        """Wait for the workers, hand out the plan, and send the warm-up.

        Raises:
            WorkerError: Too few came, or one failed.
        """
        self._plan = begin.plan
        self._epoch_s = time.perf_counter()
        self.unix_offset_s = time.time() - self._epoch_s
        self._inbox: Queue = Queue()
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._came: dict[str, str] = {}
        self._expected = cluster.workers
        # Anybody on this machine can connect to the port, and the plan has credentials.
        self._token = secrets.token_hex(32) if cluster.local_workers else ""
        environment = Environment(
            user_classes=[PacedUser], host=begin.plan.sides[-1].base_url, parsed_options=OPTIONS
        )
        self._live = Live(begin.plan)
        self._runner: MasterRunner = environment.create_master_runner(cluster.host, cluster.port)
        for kind in FROM_WORKER:
            self._runner.register_message(kind, self._receive)
        self._local = [self._start_local() for _ in range(cluster.local_workers)]
        self.web_url = None if begin.web is None else serve_web(environment, self._live, begin.web)
        self._workers = self._gather(cluster)
        for index, worker in enumerate(self._workers):
            plan = {
                "plan": begin.plan.model_dump_json(),
                "index": index,
                "count": cluster.workers,
                "live": begin.web is not None,
            }
            self._runner.send_message(PLAN, plan, client_id=worker)
        self._each(READY)
        # One user for each that Locust knows of: one that was refused may not have left yet.
        users = max(cluster.workers, self._runner.worker_count)
        self._runner.start(users, spawn_rate=users)
        # Locust would start anew for a worker that comes later, and move users to it, before it is refused.
        self._runner.start = lambda *_, **__: None  # type: ignore[method-assign]
        if begin.plan.warmup_requests:
            self.send(WARMUP)

    def send(self, block: int) -> tuple[Samples, tuple[WorkerClock, ...]]:
        """Have a block sent, and return its samples and the clocks of the workers.

        Raises:
            WorkerError: A worker was lost or failed.
            WireError, ShareError: A worker sent something else than its share.
        """
        self._rows = {worker: [] for worker in self._workers}
        before = [self._offset(worker) for worker in self._workers]
        start_s = time.perf_counter() + LEAD_S
        for worker, offset in zip(self._workers, before, strict=True):
            order = {"block": block, "start_s": start_s + offset.ahead_s}
            self._runner.send_message(BLOCK, order, client_id=worker)
        done = self._each(DONE)
        clocks = tuple(
            WorkerClock(worker=index, name=worker, before=offset, after=self._offset(worker))
            for index, (worker, offset) in enumerate(zip(self._workers, before, strict=True))
        )
        shares = [
            Share(clock=clock, columns=join_rows(self._rows[clock.name]), **done[clock.name])
            for clock in clocks
        ]
        schedule = schedule_block(self._plan, block)
        return merge(schedule, self._plan.together, shares, self._epoch_s), clocks

    def end(self) -> None:
        """Let the workers go."""
        self._runner.quit()

    def _start_local(self) -> Any:
        command = [sys.executable, "-m", "harness.load.node", "127.0.0.1", str(self._runner.server.port)]
        process = subprocess.Popen([*command, "--token"], stdin=subprocess.PIPE, stdout=sys.stderr)
        process.stdin.write(self._token.encode() + b"\n")
        process.stdin.close()
        return process

    def _receive(self, msg: Any, **_: object) -> None:
        if msg.type == HELLO:
            self._greet(msg.node_id, msg.data)
            return
        self._inbox.put((msg.node_id, msg.type, msg.data, time.perf_counter()))

    def _greet(self, worker: str, hello: dict[str, Any]) -> None:
        """Take a worker in, or tell it why not and have it end."""
        if self._token and not hmac.compare_digest(str(hello.get("token")).encode(), self._token.encode()):
            refused = "this master takes only the workers that it has started"
        elif len(self._came) == self._expected:
            refused = f"this master has its {self._expected} workers already"
        else:
            self._came[worker] = str(hello.get("version"))
            return
        self._runner.send_message(REFUSED, {"reason": refused}, client_id=worker)
        self._runner.send_message("quit", client_id=worker)

    def _gather(self, cluster: Cluster) -> tuple[str, ...]:
        deadline_s = time.monotonic() + cluster.wait_s
        while len(self._came) < cluster.workers:
            if time.monotonic() > deadline_s:
                raise WorkerError(
                    f"{len(self._came)} of {cluster.workers} workers came within {cluster.wait_s:g} s"
                )
            self._require_local()
            gevent.sleep(POLL_S)
        for worker, version in self._came.items():
            if version != __version__:
                raise WorkerError(f"{worker} has harness {version}, this is {__version__}")
        return tuple(self._came)

    def _each(self, kind: str) -> dict[str, dict[str, Any]]:
        """Wait for one message of a kind from every worker."""
        answers: dict[str, dict[str, Any]] = {}
        while len(answers) < len(self._workers):
            worker, data, _ = self._next(kind)
            answers[worker] = data
        return answers

    def _next(self, kind: str) -> tuple[str, dict[str, Any], float]:
        """Wait for the next message of a kind, and take in what comes besides."""
        while True:
            try:
                worker, came, data, received_s = self._inbox.get(timeout=POLL_S)
            except Empty:
                self._require_all()
                continue
            if worker not in self._workers:
                continue
            if came == FAILED:
                raise WorkerError(f"worker {worker}: {data['message']}")
            if came == ROWS:
                self._rows[worker].append(data)
                self._runner.send_message(MORE, client_id=worker)
            elif came == LIVE:
                self._live.add(live_answered(data))
            elif came == kind:
                return worker, data, received_s

    def _offset(self, worker: str) -> Offset:
        exchanges = []
        for number in range(EXCHANGES):
            asked_s = time.perf_counter()
            self._runner.send_message(CLOCK, {"number": number}, client_id=worker)
            while True:
                sender, data, answered_s = self._next(CLOCK)
                if sender == worker and data["number"] == number:
                    break
            exchanges.append(Exchange(asked_s=asked_s, there_s=data["there_s"], answered_s=answered_s))
        return offset_of(exchanges)

    def _require_all(self) -> None:
        self._require_local()
        for worker in self._workers:
            node = self._runner.clients.get(worker)
            if node is None or node.state == STATE_MISSING:
                raise WorkerError(f"worker {worker} was lost")

    def _require_local(self) -> None:
        for process in self._local:
            if process.poll() is not None:
                raise WorkerError(f"a local worker ended with status {process.returncode}")
