"""Our open loop for a locustfile: a user class, and exact percentiles in Locust's web UI and at its end.

::

    class InferenceUser(OpenLoopUser):
        def plan(self) -> LoadPlan: ...

    @events.init.add_listener
    def watch(environment, **_):
        InferenceUser.watcher = Watcher(environment, PLAN)

Each user walks a seeded schedule of its own, so twice the users send twice the rate, on one machine or on
many of Locust's workers.
"""

import logging
import sys
import time
from abc import abstractmethod
from itertools import count
from typing import Any, ClassVar

import gevent
import numpy as np
from flask import Response, jsonify, request
from gevent.pool import Group
from locust import FastHttpUser, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from harness.errors import ExitCode
from harness.load.live import Live, Outbox, reporter
from harness.load.plan import LoadPlan
from harness.load.recorder import Recorder
from harness.load.remote import LIVE_EVERY_S, tell_live
from harness.load.schedule import schedule_block
from harness.load.user import LEAD_S, calls_of, send_when_due
from harness.load.web import show_exact, shown
from harness.load.wire import LIVE, live_answered

LOG = logging.getLogger(__name__)


class Watcher:
    """Follows what the users of a process send, and shows it.

    Args:
        environment: Locust's, with its runner and, where there is one, its web UI; its host is the only one
            that requests go to, whatever the web UI's form says.
        plan: Names the requests; its sides and rates do not matter.
    """

    def __init__(self, environment: Environment, plan: LoadPlan) -> None:
        self._live = Live(plan)
        self._outbox = Outbox()
        self._report = reporter(environment, plan)
        self._users = count()
        self._environment, self._host = environment, environment.host
        runner: Any = environment.runner
        self._remote = isinstance(runner, WorkerRunner)
        if self._remote:
            runner.greenlet.spawn(self._tell, runner)
        elif isinstance(runner, MasterRunner):
            runner.register_message(LIVE, self._take)
        events: Any = environment.events  # Locust gives them no types
        events.test_start.add_listener(self._begin)
        events.reset_stats.add_listener(self._begin)
        if environment.web_ui is not None:
            show_exact(environment, self._live)
            ui: Any = environment.web_ui
            ui.app.before_request(self._refuse_another_host)
        elif not self._remote:
            events.quitting.add_listener(self._print)

    def seed(self, seed: int, worker_index: int) -> int:
        """Return the seed of the next user that starts here."""
        return int(np.random.SeedSequence([seed, worker_index, next(self._users)]).generate_state(1)[0])

    def follow(self, recorder: Recorder) -> None:
        """Show the requests of a block that begins."""
        recorder.on_end = self._report
        (self._outbox if self._remote else self._live).follow(recorder)

    def require_host(self, host: str) -> None:
        """End a user whose requests, with their credentials, would go elsewhere than the command line says.

        A worker without a ``--host`` of its own follows its master, which has made sure.

        Raises:
            StopUser: They would.
        """
        if self._remote and self._host is None:
            return
        if problem := self._another(host):
            LOG.error(problem)
            self._environment.process_exit_code = ExitCode.USAGE
            raise StopUser(problem)

    def _another(self, host: str) -> str:
        if self._host is not None and host.rstrip("/") == self._host.rstrip("/"):
            return ""
        return f"{host} is not the --host of the command line ({self._host or 'none'}); start Locust with it"

    def _refuse_another_host(self) -> Response | None:
        """The form that starts the load has a host too, and any web page can post it."""
        host = request.form.get("host") if request.path.rstrip("/").endswith("/swarm") else None
        if not (problem := "" if host is None else self._another(host)):
            return None
        return jsonify({"success": False, "message": problem, "host": self._host})

    def _begin(self, **_: object) -> None:
        self._live.clear()
        self._users = count()

    def _tell(self, runner: WorkerRunner) -> None:
        while True:
            gevent.sleep(LIVE_EVERY_S)
            tell_live(runner, self._outbox)

    def _take(self, msg: Any, **_: object) -> None:
        self._live.add(live_answered(msg.data))

    def _print(self, **_: object) -> None:
        for (method, name), figures in self._live.figures().items():
            times = ", ".join(f"{key} {shown(value)}" for key, value in figures.percentiles_ms.items())
            sys.stderr.write(f"exact: {method} {name}: {figures.requests} requests, ms: {times}\n")


class OpenLoopUser(FastHttpUser):
    """Sends requests when they are due, whatever the answers take, until it is stopped."""

    abstract = True
    watcher: ClassVar[Watcher]

    @abstractmethod
    def plan(self) -> LoadPlan:
        """What is sent; blocks follow one another without a gap."""

    @task
    def walk(self) -> None:
        """Walk one block after the other."""
        self.watcher.require_host(self.host or "")
        plan = self.plan()
        calls = calls_of(self, plan)
        requests = Group()
        start_s = time.perf_counter() + LEAD_S
        try:
            for block in count():
                recorder = Recorder(schedule_block(plan, block), start_s, 0.0)
                self.watcher.follow(recorder)
                send_when_due(plan, recorder, calls, requests)
                start_s = float(recorder.intended_s[-1])
        finally:
            requests.kill()
