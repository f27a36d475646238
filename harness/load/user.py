"""The Locust user that walks a schedule. Importing this monkey-patches the process: only the worker does."""

import errno
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import gevent
from gevent.event import AsyncResult
from gevent.pool import Group
from gevent.queue import Queue
from geventhttpclient.client import HTTPClient
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPSocketPoolResponse
from locust import FastHttpUser, task

from harness.load.headers import BoundedHeaders
from harness.load.plan import LoadPlan, Payload, Side
from harness.load.recorder import Recorder
from harness.load.samples import RequestOutcome, Samples
from harness.load.schedule import WARMUP, WHOLE, Part, Schedule, schedule_block

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


@dataclass(frozen=True, kw_only=True)
class Order:
    """One block that the user shall send.

    Attributes:
        block: Its number.
        start_s: The `perf_counter` at which it begins; None for at once.
        part: Which of its arrivals are sent.
        result: Takes the `Samples`, or the error.
    """

    block: int
    start_s: float | None
    part: Part
    result: AsyncResult


def paced_user(
    plan: LoadPlan, orders: Queue, epoch_s: float, on_begin: Callable[[Recorder], None] | None = None
) -> type[FastHttpUser]:
    """Return a user class that sends the blocks it finds in a queue.

    Args:
        plan: What to send.
        orders: Of `Order`.
        epoch_s: The `perf_counter` that counts as 0 in the samples.
        on_begin: Called with the recorder of each counted block before its first request.
    """

    class PacedUser(FastHttpUser):
        fixed_count = 1
        host = plan.sides[0].base_url
        concurrency = plan.concurrency
        network_timeout = plan.timeout_s
        connection_timeout = plan.timeout_s
        insecure = False

        def on_start(self) -> None:
            # Once: it takes longer than the lead that a block has.
            self._calls = calls_of(self, plan)

        @task
        def walk(self) -> None:
            order = orders.get()
            try:
                order.result.set(self._walk(order))
            except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to hear of it
                order.result.set_exception(error)

        def _walk(self, order: Order) -> Samples:
            schedule = schedule_block(plan, order.block).only(order.part, plan.together)
            start_s = time.perf_counter() + LEAD_S if order.start_s is None else order.start_s
            recorder = Recorder(schedule, start_s, epoch_s)
            if on_begin is not None and order.block != WARMUP:
                on_begin(recorder)
            return walk_block(plan, order.block, recorder, self._calls)

    return PacedUser


def run_block(orders: Queue, block: int, *, start_s: float | None = None, part: Part = WHOLE) -> Samples:
    """Have the user send a block and return its samples."""
    result = AsyncResult()
    orders.put(Order(block=block, start_s=start_s, part=part, result=result))
    samples: Samples = result.get()
    return samples


def calls_of(user: FastHttpUser, plan: LoadPlan) -> list[list[Call]]:
    """Return the calls of all payloads for each side, over the user's own connections.

    The pool's own clients, not the session: that would keep cookies (both sides may be one host), follow
    redirects, and round what it reports.
    """
    clients = [user.client.client.clientpool.get_client(side.base_url) for side in plan.sides]
    for client in clients:
        client.headers_type = BoundedHeaders
    return [
        [Call.of(client, side, payload) for payload in plan.payloads]
        for client, side in zip(clients, plan.sides, strict=True)
    ]


def walk_block(plan: LoadPlan, block: int, recorder: Recorder, calls: list[list[Call]]) -> Samples:
    """Send a block and wait until all its requests have ended."""
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    overslept: list[float] = []
    heart = gevent.spawn(_beat, overslept)
    requests = Group()
    try:
        send_when_due(plan, recorder, calls, requests)
        requests.join()
    finally:
        heart.kill()
        requests.kill()
    return recorder.samples(block, overslept, time.process_time() - cpu_s, time.perf_counter() - wall_s)


def send_when_due(plan: LoadPlan, recorder: Recorder, calls: list[list[Call]], requests: Group) -> None:
    """Send each request when it is due, in a greenlet of its own; return when the last was sent.

    A deadline that has passed already is sent at once; its time still counts from the deadline.
    """
    schedule: Schedule = recorder.schedule
    for row, (due_s, side, payload) in enumerate(
        zip(recorder.intended_s.tolist(), schedule.side.tolist(), schedule.payload.tolist(), strict=True)
    ):
        _wait_until(due_s)
        requests.spawn(_send, calls[side][payload], plan, recorder, row)


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
    if recorder.on_end is not None:
        recorder.on_end(recorder, row)


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
