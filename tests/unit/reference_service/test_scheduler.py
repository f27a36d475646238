"""The queue before the model: its bound, its order, who shares a run, and who pays for a failure."""

import asyncio
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_service
from reference_service.model.artifact import load_artifact
from reference_service.model.inference import Model
from reference_service.model.scheduler import OverloadedError, Scheduler
from reference_service.telemetry.metrics import Metrics

MODES = pytest.mark.parametrize("threads", [0, 1, 2])
ARTIFACT = Path(reference_service.__file__).parent / "artifacts" / "breast-cancer"
BAD = -1.0
"""A value that fails every run it is part of."""


def new_metrics():
    return Metrics(model=("m", "1.0.0"), deployment_id="d", paths=frozenset(), classes=(), features=())


class Recorder:
    """A model that answers each row with its value, and keeps the rows of each run."""

    def __init__(self, duration_s=0.0):
        self.runs = []
        self.duration_s = duration_s
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def predict(self, rows):
        with self._lock:
            self.runs.append(rows[:, 0].tolist())
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.duration_s)
        with self._lock:
            self.at_once -= 1
        if BAD in rows:
            raise ArithmeticError("bad row")
        return [f"answer {value}" for value in rows[:, 0].tolist()]


def rows(*values):
    return np.asarray([[value] for value in values], dtype=np.float32)


def expected(job_rows):
    return [f"answer {value}" for value in job_rows[:, 0].tolist()]


def scheduled(action, model, **options):
    """Run `action(scheduler)` on an event loop; return its result and the metrics."""
    metrics = new_metrics()
    arguments = {"threads": 0, "max_queue": 1000, "micro_batch_rows": 1} | options
    scheduler = Scheduler(model, metrics=metrics, **arguments)

    async def run():
        try:
            return await action(scheduler)
        finally:
            scheduler.close()

    return asyncio.run(run()), metrics


def sample(metrics, name):
    line = next(line for line in metrics.exposition().decode().splitlines() if line.startswith(f"{name}{{"))
    return float(line.rpartition(" ")[2])


@settings(max_examples=60, deadline=None)
@given(
    requests=st.lists(st.lists(st.sampled_from([BAD, 1.0, 2.0, 3.0]), min_size=1, max_size=5), max_size=20),
    threads=st.integers(0, 2),
    micro_batch_rows=st.integers(1, 8),
)
def test_each_request_gets_its_own_answers_whoever_shares_its_run(requests, threads, micro_batch_rows):
    async def action(scheduler):
        jobs = [scheduler.submit(rows(*values)) for values in requests]
        return await asyncio.gather(*(job.predictions for job in jobs), return_exceptions=True)

    model = Recorder()
    answers, metrics = scheduled(action, model, threads=threads, micro_batch_rows=micro_batch_rows)
    assert len(answers) == len(requests)
    for values, answer in zip(requests, answers, strict=True):
        if BAD in values:
            assert isinstance(answer, ArithmeticError)
        else:
            assert answer == expected(rows(*values))
    longest = max((len(values) for values in requests), default=0)
    assert all(len(run) <= max(micro_batch_rows, longest) for run in model.runs)
    assert sample(metrics, "inference_queue_depth") == sample(metrics, "inference_in_flight") == 0


def test_what_is_ready_in_one_pass_shares_a_run_in_its_order():
    async def action(scheduler):
        jobs = [scheduler.submit(rows(value)) for value in range(7)]
        await asyncio.gather(*(job.predictions for job in jobs))

    model = Recorder()
    scheduled(action, model, micro_batch_rows=3)
    assert model.runs == [[0, 1, 2], [3, 4, 5], [6]]


def test_without_micro_batches_each_request_has_its_own_run():
    async def action(scheduler):
        jobs = [scheduler.submit(rows(value, value)) for value in range(3)]
        await asyncio.gather(*(job.predictions for job in jobs))

    model = Recorder()
    scheduled(action, model, micro_batch_rows=1)
    assert model.runs == [[0, 0], [1, 1], [2, 2]]


@MODES
@pytest.mark.parametrize("max_queue", [0, 1, 5])
def test_one_more_than_fits_is_refused_before_any_work(threads, max_queue):
    async def action(scheduler):
        fit = max(1, threads) + max_queue
        jobs = [scheduler.submit(rows(1)) for _ in range(fit)]
        for _ in range(3):
            with pytest.raises(OverloadedError):
                scheduler.submit(rows(BAD))
        await asyncio.gather(*(job.predictions for job in jobs))
        await scheduler.submit(rows(2)).predictions  # there is room again
        return fit

    model = Recorder()
    fit, metrics = scheduled(action, model, threads=threads, max_queue=max_queue)
    assert [value for run in model.runs for value in run] == [1] * fit + [2]
    assert sample(metrics, "inference_queue_rejections_total") == 3


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_no_more_runs_at_a_time_than_threads(threads):
    async def action(scheduler):
        jobs = [scheduler.submit(rows(value)) for value in range(9)]
        await asyncio.gather(*(job.predictions for job in jobs))

    model = Recorder(duration_s=0.02)
    scheduled(action, model, threads=threads)
    assert model.most_at_once == threads


@MODES
def test_withdrawn_request_is_not_run_and_its_place_is_free(threads):
    async def action(scheduler):
        jobs = [scheduler.submit(rows(value)) for value in range(max(1, threads) + 3)]
        gone = jobs[-1]
        scheduler.withdraw(gone)
        scheduler.withdraw(gone)  # a second time changes nothing
        last = scheduler.submit(rows(100))
        await asyncio.gather(*(job.predictions for job in [*jobs[:-1], last]))
        scheduler.withdraw(last)  # nor after the answer
        assert gone.predictions.cancelled()
        return gone.rows[0, 0]

    model = Recorder()
    gone, metrics = scheduled(action, model, threads=threads, max_queue=3)
    ran = [value for run in model.runs for value in run]
    assert gone not in ran
    assert 100 in ran
    assert sample(metrics, "inference_queue_depth") == 0


def test_cancelled_waiter_is_not_run():
    async def action(scheduler):
        first, second = scheduler.submit(rows(1)), scheduler.submit(rows(2))
        first.predictions.cancel()  # as a cancelled task does
        await second.predictions

    model = Recorder()
    scheduled(action, model)
    assert model.runs == [[2]]


def test_client_that_leaves_while_its_run_goes_on_harms_no_one():
    async def action(scheduler):
        jobs = [scheduler.submit(rows(value)) for value in range(2)]
        await asyncio.sleep(0.02)
        scheduler.withdraw(jobs[0])
        return await jobs[1].predictions

    answers, metrics = scheduled(action, Recorder(duration_s=0.1), threads=1, micro_batch_rows=2)
    assert answers == ["answer 1.0"]
    assert sample(metrics, "inference_in_flight") == 0


def test_event_loop_goes_on_while_threads_work_and_a_check_does_not_wait():
    async def action(scheduler):
        jobs = [scheduler.submit(rows(value)) for value in range(3)]
        await asyncio.sleep(0.01)
        begun = time.perf_counter()
        assert await scheduler.check(lambda: "fine") == "fine"
        waited = time.perf_counter() - begun
        assert not jobs[0].predictions.done()
        await asyncio.gather(*(job.predictions for job in jobs))
        return waited

    waited, _ = scheduled(action, Recorder(duration_s=0.3), threads=1)
    assert waited < 0.2


def test_other_callbacks_get_their_turn_between_two_runs_on_the_loop():
    async def action(scheduler):
        jobs = [scheduler.submit(rows(value)) for value in range(5)]
        turns = 0
        while not jobs[-1].predictions.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    turns, _ = scheduled(action, Recorder())
    assert turns >= 5


def test_times_of_a_job_follow_each_other():
    async def action(scheduler):
        jobs = [scheduler.submit(rows(value)) for value in range(2)]
        await asyncio.gather(*(job.predictions for job in jobs))
        return jobs

    (first, second), _ = scheduled(action, Recorder(duration_s=0.02))
    for job in (first, second):
        assert job.queued <= job.started < job.ended
    assert second.started >= first.ended


def loaded(name):
    return Model(
        load_artifact(ARTIFACT.with_name(name)),
        provider="cpu",
        intra_op_threads=1,
        observe_run=lambda **_: None,
    )


def alone_and_together(model, values, size):
    """Predictions of a run for each row, and of runs of `size` rows: what micro-batches rest on."""
    alone = [model.predict(values[number : number + 1])[0] for number in range(len(values))]
    together = [
        prediction
        for first in range(0, len(values), size)
        for prediction in model.predict(values[first : first + size])
    ]
    assert len({prediction.label for prediction in alone}) > 1
    return alone, together


@pytest.mark.parametrize("size", [2, 7, 64, 500])
def test_tree_ensemble_answers_a_batch_bitwise_like_single_rows(size):
    model = loaded("breast-cancer")
    features = model.manifest.input.features
    low = np.asarray([feature.training_min for feature in features])
    high = np.asarray([feature.training_max for feature in features])
    values = model.tensor(np.random.default_rng(20261122).uniform(low, high, size=(500, len(features))))
    alone, together = alone_and_together(model, values, size)
    assert together == alone


@pytest.mark.parametrize("size", [2, 7, 16])
def test_network_answers_a_batch_like_single_rows(size):
    model = loaded("digits")
    tensor = model.manifest.input
    shape = (200, *tensor.row_shape)
    values = np.random.default_rng(20261122).integers(tensor.minimum, tensor.maximum + 1, size=shape)
    alone, together = alone_and_together(model, model.tensor(values), size)
    for one, other in zip(alone, together, strict=True):
        assert one.label == other.label
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
