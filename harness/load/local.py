"""The load of one generator: this process."""

import gc
import os
import time

from gevent.queue import Queue
from locust.env import Environment

from harness.load.clock import WorkerClock
from harness.load.live import Live, reporter
from harness.load.protocol import Begin
from harness.load.recorder import Recorder
from harness.load.samples import Samples
from harness.load.schedule import WARMUP
from harness.load.user import paced_user, run_block
from harness.load.web import serve_web


class LocalLoad:
    """A load that this process sends.

    Attributes:
        unix_offset_s: Unix time minus the times in the samples.
        web_url: Where the web UI answers, None without one.
    """

    def __init__(self, begin: Begin) -> None:
        """Start Locust and send the warm-up."""
        plan = begin.plan
        if plan.cpu_affinity is not None:
            os.sched_setaffinity(0, plan.cpu_affinity)
        epoch_s = time.perf_counter()
        self.unix_offset_s = time.time() - epoch_s
        self._blocks: Queue = Queue()
        environment = Environment(host=plan.sides[-1].base_url)
        live = Live(plan)
        report = reporter(environment, plan)

        def follow(recorder: Recorder) -> None:
            recorder.on_end = report
            live.follow(recorder)

        shown = begin.web is not None
        environment.user_classes = [paced_user(plan, self._blocks, epoch_s, follow if shown else None)]
        self._runner = environment.create_local_runner()
        self._runner.start(1, spawn_rate=1)
        if plan.warmup_requests:
            run_block(self._blocks, WARMUP)
        self.web_url = None if begin.web is None else serve_web(environment, live, begin.web)
        gc.collect()
        gc.freeze()
        if not shown:
            gc.disable()  # the web UI's pages would pile up in a long block

    def send(self, block: int) -> tuple[Samples, tuple[WorkerClock, ...]]:
        """Send a block and return its samples; there is no other clock."""
        samples = run_block(self._blocks, block)
        gc.collect()  # only what the block left behind; the rest is frozen
        return samples, ()

    def end(self) -> None:
        """Have the web UI show that the load has ended."""
        self._runner.stop()
