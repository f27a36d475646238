"""One of several generators: answers the master's messages, see `harness.load.wire`."""

import gc
import time
from typing import Any

import gevent
from gevent.event import Event
from gevent.queue import Queue
from locust.env import Environment

from harness import __version__
from harness.load.live import Outbox, reporter
from harness.load.plan import LoadPlan
from harness.load.recorder import OnEnd, Recorder
from harness.load.schedule import Part
from harness.load.user import paced_user, run_block
from harness.load.wire import (
    BLOCK,
    CLOCK,
    DONE,
    FAILED,
    HELLO,
    LIVE,
    MORE,
    OPTIONS,
    PLAN,
    READY,
    REFUSED,
    ROWS,
    chunks,
    live_message,
)

LIVE_EVERY_S = 1.0


class Node:
    """Answers the master's messages.

    Attributes:
        blocks: How many it has sent.
        refused: Why the master does not want it; empty if it does.
        runner: Locust's; its greenlet ends with the load.

    Args:
        host: The master's.
        port: The master's.
        token: By which a master knows a worker that it has started; empty for any other.
    """

    def __init__(self, host: str, port: int, token: str = "") -> None:
        self._environment = Environment(parsed_options=OPTIONS)
        self._orders: Queue = Queue()
        self._more = Event()
        self._part = Part(0, 1)
        self._outbox = Outbox()
        self._report: OnEnd | None = None
        self.blocks = 0
        self.refused = ""
        self.runner: Any = self._environment.create_worker_runner(host, port)
        for kind, listener, concurrent in (
            (REFUSED, self._take_refusal, False),
            (PLAN, self._take_plan, False),
            (CLOCK, self._tell_time, False),
            (MORE, self._send_more, False),
            (BLOCK, self._send_block, True),
        ):
            self.runner.register_message(kind, listener, concurrent=concurrent)
        self.runner.send_message(HELLO, {"version": __version__, "token": token})

    def _take_refusal(self, msg: Any, **_: object) -> None:
        self.refused = msg.data["reason"]

    def _take_plan(self, msg: Any, **_: object) -> None:
        plan = LoadPlan.model_validate_json(msg.data["plan"])
        self._part = Part(msg.data["index"], msg.data["count"])
        self._report = reporter(self._environment, plan) if msg.data["live"] else None
        self._environment.user_classes = [paced_user(plan, self._orders, 0.0, self._follow)]
        gc.collect()
        gc.freeze()
        self.runner.send_message(READY, {})

    def _tell_time(self, msg: Any, **_: object) -> None:
        self.runner.send_message(CLOCK, {"number": msg.data["number"], "there_s": time.perf_counter()})

    def _send_more(self, **_: object) -> None:
        self._more.set()

    def _follow(self, recorder: Recorder) -> None:
        if self._report is not None:
            recorder.on_end = self._report
            self._outbox.follow(recorder)

    def _send_block(self, msg: Any, **_: object) -> None:
        teller = gevent.spawn(self._tell_live)
        try:
            samples = run_block(self._orders, msg.data["block"], start_s=msg.data["start_s"], part=self._part)
            teller.kill()
            tell_live(self.runner, self._outbox)
            for rows in chunks(samples):
                self._more.clear()
                self.runner.send_message(ROWS, rows)
                self._more.wait()
            self.blocks += 1
            self.runner.send_message(
                DONE,
                {
                    "heartbeat_s": samples.heartbeat_s.tolist(),
                    "cpu_s": float(samples.cpu_s.sum()),
                    "wall_s": float(samples.wall_s.sum()),
                },
            )
        except Exception as error:  # noqa: BLE001 - the master decides what it means
            self.runner.send_message(FAILED, {"message": f"{type(error).__name__}: {error}"})
        finally:
            teller.kill()

    def _tell_live(self) -> None:
        while self._report is not None:
            gevent.sleep(LIVE_EVERY_S)
            tell_live(self.runner, self._outbox)


def tell_live(runner: Any, outbox: Outbox) -> None:
    """Tell the master what has been answered since the last time."""
    for answered in outbox.take():
        runner.send_message(LIVE, live_message(answered))
