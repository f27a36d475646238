"""One gate, however many workers ask for it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import HarnessError, InfrastructureError
from harness.pytest_plugin import once
from harness.pytest_plugin.once import Once, among_workers

MADE = ("the report", Path("reports/run.json"))


@pytest.fixture(autouse=True)
def _stored(monkeypatch):
    monkeypatch.setattr(once, "load_report", lambda _path: "the report")


def test_workers_wait_for_the_one_that_makes_it(tmp_path):
    made, all_ask = [], threading.Barrier(4)

    def make():
        made.append(threading.get_ident())
        return MADE

    def ask():
        all_ask.wait()
        return Once(make, tmp_path)()

    with ThreadPoolExecutor(4) as workers:
        told = [future.result() for future in [workers.submit(ask) for _ in range(4)]]
    assert len(made) == 1
    assert {report for report, _ in told} == {"the report"}
    assert {path.name for _, path in told} == {"run.json"}


def test_what_failed_is_not_tried_again_by_another_worker(tmp_path):
    def refuse():
        raise InfrastructureError("the engine is gone", fix="start it")

    with pytest.raises(InfrastructureError):
        among_workers(tmp_path, refuse)
    with pytest.raises(HarnessError, match="the engine is gone") as caught:
        among_workers(tmp_path, lambda: MADE)
    assert caught.value.fix == "start it"


def test_a_worker_that_ended_in_the_middle_leaves_no_verdict(tmp_path):
    def end():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        among_workers(tmp_path, end)
    with pytest.raises(InfrastructureError, match="ended before the gate did"):
        among_workers(tmp_path, lambda: MADE)


def test_a_failure_is_the_same_each_time():
    tried = []

    def crash():
        tried.append(1)
        raise ZeroDivisionError

    made = Once(crash, None)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            made()
    assert tried == [1]
