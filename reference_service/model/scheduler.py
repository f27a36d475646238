"""When the model runs, and for which requests: a bounded queue before a bounded number of runs at a time."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from reference_service.prediction import Prediction
from reference_service.telemetry.metrics import Metrics

Checked = TypeVar("Checked")
Outcome = list[Prediction] | Exception


class Predictor(Protocol):
    """A model."""

    def predict(self, rows: NDArray[Any], /) -> list[Prediction]:
        """Answer rows; no answer may depend on the other rows."""


class OverloadedError(Exception):
    """The queue is full: the request was refused before any work was done on it."""


@dataclass(slots=True, eq=False)
class Job:
    """The rows of one request, shape `[n, ...]`, and its predictions to come.

    Attributes:
        queued: When it came into the queue, on the clock of `time.perf_counter`, in seconds.
        started: When the run began that answers it.
        ended: When that run ended.
    """

    rows: NDArray[Any]
    predictions: asyncio.Future[list[Prediction]]
    queued: float
    started: float = 0.0
    ended: float = 0.0


class Scheduler:
    """Runs requests in the order in which they came; all methods belong to the event loop's thread.

    A run starts in the next pass of the event loop, so that all requests of a pass can share it: nothing
    waits for requests that are not there yet. On the event loop itself there is one run in a pass, and
    between two of them whatever else is ready gets its turn.

    Args:
        model: What answers.
        threads: Runs at a time, each in a thread; 0 runs on the event loop, one at a time.
        max_queue: Requests that may wait while as many run as can.
        micro_batch_rows: The most rows of several requests that share a run; 1 for a run for each request.
        metrics: Is told of the queue.
    """

    def __init__(
        self, model: Predictor, *, threads: int, max_queue: int, micro_batch_rows: int, metrics: Metrics
    ) -> None:
        self._model = model
        self._slots = max(1, threads)
        self._max_queue = max_queue
        self._micro_batch_rows = micro_batch_rows
        self._metrics = metrics
        self._queue: deque[Job] = deque()
        self._running = 0
        self._start_planned = False
        self._threads = ThreadPoolExecutor(threads, "inference") if threads else None
        self._check_executor = ThreadPoolExecutor(1, "check") if threads else None

    def submit(self, rows: NDArray[Any]) -> Job:
        """Put a request into the queue.

        Raises:
            OverloadedError: The queue is full.
        """
        if len(self._queue) >= self._max_queue + self._slots - self._running:
            self._metrics.queue_rejected()
            raise OverloadedError
        job = Job(rows, asyncio.get_running_loop().create_future(), time.perf_counter())
        self._queue.append(job)
        self._metrics.queue_depth.set(len(self._queue))
        self._plan_start()
        return job

    def withdraw(self, job: Job) -> None:
        """Take a request whose client is gone out of the queue; cancel its predictions if it has none yet."""
        if job.predictions.cancel() and job in self._queue:
            self._queue.remove(job)
            self._metrics.queue_depth.set(len(self._queue))

    async def check(self, function: Callable[[], Checked]) -> Checked:
        """Run a check of the model beside the queue, which it must not wait for; one check at a time."""
        if self._check_executor is None:
            return function()
        return await asyncio.get_running_loop().run_in_executor(self._check_executor, function)

    def close(self) -> None:
        """End the threads."""
        for executor in (self._threads, self._check_executor):
            if executor:
                executor.shutdown(wait=False, cancel_futures=True)

    def _plan_start(self) -> None:
        if not self._start_planned and self._queue and self._running < self._slots:
            self._start_planned = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        """Start a run for the requests that came first."""
        self._start_planned = False
        jobs = self._take()
        self._metrics.queue_depth.set(len(self._queue))
        if not jobs:
            return
        self._running += 1
        self._metrics.in_flight.inc(len(jobs))
        if self._threads is None:
            self._finish(jobs, self._answer(jobs))
            return
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._answer, jobs)
        work.add_done_callback(lambda done: self._finish(jobs, done.result()))
        self._plan_start()

    def _take(self) -> list[Job]:
        """Take the first request, and those after it that fit into the same run."""
        jobs: list[Job] = []
        rows = 0
        while self._queue and (not jobs or rows + len(self._queue[0].rows) <= self._micro_batch_rows):
            job = self._queue.popleft()
            if not job.predictions.done():
                jobs.append(job)
                rows += len(job.rows)
        return jobs

    def _answer(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Answer several requests by one run; if that fails, each by its own, so that one fails alone."""
        started = time.perf_counter()
        try:
            rows = jobs[0].rows if len(jobs) == 1 else np.concatenate([job.rows for job in jobs])
            predictions = self._model.predict(rows)
        except Exception as error:  # noqa: BLE001  # whatever it is, the request that it belongs to is told
            if len(jobs) == 1:
                return [error]
            return [outcome for job in jobs for outcome in self._answer([job])]
        ended = time.perf_counter()
        outcomes: list[Outcome] = []
        first = 0
        for job in jobs:
            job.started, job.ended = started, ended
            outcomes.append(predictions[first : first + len(job.rows)])
            first += len(job.rows)
        return outcomes

    def _finish(self, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
        """Hand out what a run answered, and plan the next."""
        self._running -= 1
        self._metrics.in_flight.dec(len(jobs))
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.predictions.done():  # the client is gone
                continue
            if isinstance(outcome, Exception):
                job.predictions.set_exception(outcome)
            else:
                job.predictions.set_result(outcome)
        self._plan_start()
