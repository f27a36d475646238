"""The Locust user that walks a schedule. Importing this monkey-patches the process: only the worker does."""

import errno
import socket
import time
from dataclasses import dataclass
from typing import Self

import gevent
import numpy as np
from gevent.event import AsyncResult
from gevent.pool import Group
from gevent.queue import Queue
from geventhttpclient.client import HTTPClient
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPSocketPoolResponse
from locust import FastHttpUser, task

from harness.load.plan import LoadPlan, Payload, Side
from harness.load.samples import RequestOutcome, Samples
from harness.load.schedule import Schedule, schedule_block

SPIN_S = 0.0015
"""A gevent timer is late by up to milliseconds, so the last stretch before a deadline is spent yielding."""
FIRST = 2
"""libev's highest priority. `gevent.idle` yields until the loop has polled once, at this priority even when
answers keep coming; `gevent.sleep(0)` would come back without polling, and answers lie unread until the
deadline."""
HEARTBEAT_S = 0.005
LEAD_S = 0.01
OWN_ERRORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Errors of the operating system that are this machine's, whatever the service does."""


class LostRequestsError(Exception):
    """Requests ended in a way that only the generator can be blamed for."""


@dataclass(frozen=True)
class Call:
    """A payload made ready for one side."""

    client: HTTPClient
    url: str
    payload: Payload

    @classmethod
    def of(cls, client: HTTPClient, side: Side, payload: Payload) -> Self:
        """Return the call of a payload.

        The URL is whole: the client takes the host off, but refuses a bare target that begins with "//".
        """
        scheme = "https" if client.ssl else "http"
        target = side.request_target(payload.path)
        return cls(client, f"{scheme}://{client.host}:{client.port}{target}", payload)


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
        self.outcome = np.full(n, RequestOutcome.GENERATOR, dtype=np.int8)
        self.faults: list[str] = []
        self.body_bytes = np.zeros(n, dtype=np.int32)

    def samples(self, block: int, heartbeat_s: list[float], cpu_s: float, wall_s: float) -> Samples:
        """Return what was recorded, times from the epoch on.

        Raises:
            LostRequestsError: A request has no outcome of the service's.
        """
        lost = int(np.count_nonzero(self.outcome == RequestOutcome.GENERATOR))
        if lost:
            why = self.faults[0] if self.faults else "they never ended"
            raise LostRequestsError(
                f"{lost} of {self.outcome.size} requests could not be sent or followed: {why}"
            )
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
    calls = [
        [Call.of(client, side, payload) for payload in plan.payloads]
        for client, side in zip(clients, plan.sides, strict=True)
    ]
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    recorder = Recorder(schedule, wall_s + LEAD_S, epoch_s)
    overslept: list[float] = []
    heart = gevent.spawn(_beat, overslept)
    requests = Group()
    for row, (due_s, side, payload) in enumerate(
        zip(recorder.intended_s.tolist(), schedule.side.tolist(), schedule.payload.tolist(), strict=True)
    ):
        _wait_until(due_s)
        requests.spawn(_send, calls[side][payload], plan, recorder, row)
    requests.join()
    heart.kill()
    return recorder.samples(block, overslept, time.process_time() - cpu_s, time.perf_counter() - wall_s)


def _wait_until(due_s: float) -> None:
    while (left_s := due_s - time.perf_counter()) > 0:
        if left_s > SPIN_S:
            gevent.sleep(left_s - SPIN_S)
        else:
            gevent.idle(FIRST)


def _beat(overslept: list[float]) -> None:
    while True:
        before_s = time.perf_counter()
        gevent.sleep(HEARTBEAT_S)
        overslept.append(time.perf_counter() - before_s - HEARTBEAT_S)


def _send(call: Call, plan: LoadPlan, recorder: Recorder, row: int) -> None:
    deadline = gevent.Timeout(plan.timeout_s)
    outcome = RequestOutcome.GENERATOR
    recorder.sent_s[row] = time.perf_counter()
    deadline.start()
    try:
        outcome = _exchange(call, plan, recorder, row)
    except (gevent.Timeout, TimeoutError):
        outcome = RequestOutcome.TIMEOUT
    except HTTPConnectionClosed:
        outcome = RequestOutcome.CONNECTION
    except HTTPParseError:
        outcome = RequestOutcome.BAD_ANSWER
    except Exception as error:  # noqa: BLE001 - what is not known to be the service's doing is the generator's
        if isinstance(error, OSError) and not _is_own(error):
            outcome = RequestOutcome.CONNECTION
        else:
            recorder.faults.append(f"{type(error).__name__}: {error}")
    finally:
        deadline.close()
        recorder.done_s[row] = time.perf_counter()
        recorder.outcome[row] = outcome


def _is_own(error: OSError) -> bool:
    """Say whether it is this machine's fault; a name that does not resolve is no answer of the service's."""
    return error.errno in OWN_ERRORS or isinstance(error, socket.gaierror)


def _exchange(call: Call, plan: LoadPlan, recorder: Recorder, row: int) -> RequestOutcome:
    payload = call.payload
    headers = {"Accept-Encoding": "identity", **payload.headers}
    response = call.client.request(payload.method, call.url, payload.body or b"", headers)
    try:
        recorder.status[row] = response.get_code()
        body = response.read(plan.max_body_bytes + 1)
        recorder.body_bytes[row] = len(body)
        return _outcome(response, payload, len(body), plan.max_body_bytes)
    finally:
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
