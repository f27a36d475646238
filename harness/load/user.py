"""The Locust user that walks a schedule. Importing this monkey-patches the process: only the worker does."""

import time

import gevent
import numpy as np
from gevent.event import AsyncResult
from gevent.pool import Group
from gevent.queue import Queue
from geventhttpclient.client import HTTPClient
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPSocketPoolResponse
from locust import FastHttpUser, task

from harness.load.plan import LoadPlan, Payload
from harness.load.samples import RequestOutcome, Samples
from harness.load.schedule import Schedule, schedule_block

SPIN_S = 0.0015
"""A gevent timer is late by up to milliseconds, so the last stretch before a deadline is spent yielding."""
HEARTBEAT_S = 0.005
LEAD_S = 0.01


class Recorder:
    """Preallocated columns for one block: each greenlet writes its own row, nothing grows."""

    def __init__(self, schedule: Schedule, start_s: float, epoch_s: float) -> None:
        n = schedule.due_s.size
        self.schedule = schedule
        self.epoch_s = epoch_s
        self.intended_s = start_s + schedule.due_s
        self.sent_s = np.zeros(n)
        self.done_s = np.zeros(n)
        self.status = np.zeros(n, dtype=np.int16)
        self.outcome = np.zeros(n, dtype=np.int8)
        self.body_bytes = np.zeros(n, dtype=np.int32)

    def samples(self, block: int, heartbeat_s: list[float], cpu_s: float, wall_s: float) -> Samples:
        """Return what was recorded, times from the epoch on."""
        return Samples(
            side=self.schedule.side,
            block=np.full(self.sent_s.size, block, dtype=np.int32),
            payload=self.schedule.payload,
            intended_s=self.intended_s - self.epoch_s,
            sent_s=self.sent_s - self.epoch_s,
            done_s=self.done_s - self.epoch_s,
            status=self.status,
            outcome=self.outcome,
            body_bytes=self.body_bytes,
            heartbeat_s=np.array(heartbeat_s),
            cpu_s=np.array([cpu_s]),
            wall_s=np.array([wall_s]),
        )


def paced_user(plan: LoadPlan, blocks: Queue, epoch_s: float) -> type[FastHttpUser]:
    """Return a user class that sends the blocks it finds in a queue.

    Args:
        plan: What to send.
        blocks: Of (block number, AsyncResult for its `Samples`).
        epoch_s: The `perf_counter` that counts as 0 in the samples.
    """

    class PacedUser(FastHttpUser):
        fixed_count = 1
        host = plan.sides[0].base_url
        concurrency = plan.concurrency
        network_timeout = plan.timeout_s
        connection_timeout = plan.timeout_s
        insecure = False

        @task
        def walk(self) -> None:
            block, result = blocks.get()
            # The pool's own clients, not the session: that would keep cookies (both sides may be one
            # host), follow redirects, and round what it reports.
            clients = [self.client.client.clientpool.get_client(side.base_url) for side in plan.sides]
            try:
                result.set(walk_block(plan, block, epoch_s, clients))
            except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to hear of it
                result.set_exception(error)

    return PacedUser


def run_block(blocks: Queue, block: int) -> Samples:
    """Have the user send a block and return its samples."""
    result = AsyncResult()
    blocks.put((block, result))
    samples: Samples = result.get()
    return samples


def walk_block(plan: LoadPlan, block: int, epoch_s: float, clients: list[HTTPClient]) -> Samples:
    """Send each request when it is due, in a greenlet of its own, and wait until all have ended.

    A deadline that has passed already is sent at once; its time still counts from the deadline.
    """
    schedule = schedule_block(plan, block)
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    recorder = Recorder(schedule, wall_s + LEAD_S, epoch_s)
    overslept: list[float] = []
    heart = gevent.spawn(_beat, overslept)
    requests = Group()
    for row, (due_s, side, payload) in enumerate(
        zip(recorder.intended_s.tolist(), schedule.side.tolist(), schedule.payload.tolist(), strict=True)
    ):
        _wait_until(due_s)
        requests.spawn(_send, clients[side], plan, plan.payloads[payload], recorder, row)
    requests.join()
    heart.kill()
    return recorder.samples(block, overslept, time.process_time() - cpu_s, time.perf_counter() - wall_s)


def _wait_until(due_s: float) -> None:
    while (left_s := due_s - time.perf_counter()) > 0:
        gevent.sleep(left_s - SPIN_S if left_s > SPIN_S else 0)


def _beat(overslept: list[float]) -> None:
    while True:
        before_s = time.perf_counter()
        gevent.sleep(HEARTBEAT_S)
        overslept.append(time.perf_counter() - before_s - HEARTBEAT_S)


def _send(client: HTTPClient, plan: LoadPlan, payload: Payload, recorder: Recorder, row: int) -> None:
    headers = {"Accept-Encoding": "identity", **payload.headers}
    response: HTTPSocketPoolResponse | None = None
    deadline = gevent.Timeout(plan.timeout_s)
    recorder.sent_s[row] = time.perf_counter()
    deadline.start()
    try:
        path = plan.sides[recorder.schedule.side[row]].prefix + payload.path
        response = client.request(payload.method, path, payload.body or b"", headers)
        body = response.read(plan.max_body_bytes + 1)
        outcome = _outcome(response, payload, len(body), plan.max_body_bytes)
        recorder.body_bytes[row] = len(body)
    except (gevent.Timeout, TimeoutError):
        outcome = RequestOutcome.TIMEOUT
    except HTTPConnectionClosed:
        outcome = RequestOutcome.CONNECTION
    except HTTPParseError:
        outcome = RequestOutcome.BAD_ANSWER
    except OSError:
        outcome = RequestOutcome.CONNECTION
    finally:
        deadline.close()
        recorder.done_s[row] = time.perf_counter()
    recorder.outcome[row] = outcome
    if response is not None:
        recorder.status[row] = response.get_code()
        response.release()


def _outcome(
    response: HTTPSocketPoolResponse, payload: Payload, body_bytes: int, max_body_bytes: int
) -> RequestOutcome:
    if body_bytes > max_body_bytes:
        return RequestOutcome.TOO_LONG
    declared = response.content_length
    if not response.message_complete or (
        declared is not None and payload.method != "HEAD" and declared != body_bytes
    ):
        return RequestOutcome.BAD_ANSWER
    return (
        RequestOutcome.OK if response.get_code() == payload.expected_status else RequestOutcome.WRONG_STATUS
    )
