"""What the service tells of itself, from read-only containers: the metrics of two workers, and logs."""

import json
import re
import time

import pytest

pytestmark = pytest.mark.engine

TWO_WORKERS = {"SERVICE_WORKERS": "2", "SERVICE_RATE_LIMIT_WITHOUT_REDIS": "local"}
REQUESTS = 60
ROWS = 40
SAMPLE = re.compile(r"(?P<name>\w+)(\{(?P<labels>.*)\})? (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="([^"]*)"')


@pytest.fixture(scope="module")
def two_workers(serving):
    with serving(environment={**TWO_WORKERS, "SERVICE_DEPLOYMENT_ID": "blue"}) as started:
        yield started


def samples(service):
    """Every sample of /metrics: name, labels, value."""
    lines = service.client.get("/metrics").text.splitlines()
    found = [SAMPLE.fullmatch(line) for line in lines if not line.startswith("#")]
    return [(each["name"], dict(LABEL.findall(each["labels"] or "")), float(each["value"])) for each in found]


def total(service, name, **labels):
    """The sum of the samples with this name and these labels."""
    return sum(
        value
        for found, having, value in samples(service)
        if found == name and having.items() >= labels.items()
    )


def ask(service, features, requests):
    """Send that many batches, each over a connection of its own; give the answers' request ids."""
    body = {"instances": [features] * ROWS}
    alone = {"Connection": "close"}
    answers = [service.client.post("/predict/batch", json=body, headers=alone) for _ in range(requests)]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.headers["x-request-id"] for answer in answers]


def logged(container):
    """Every line of the log."""
    return [json.loads(line) for line in container.logs().decode().splitlines()]


def test_two_workers_count_as_one(two_workers, features):
    before = total(two_workers, "http_requests_total", path="/predict/batch")
    rows_before = total(two_workers, "inference_predictions_total")
    ids = ask(two_workers, features, REQUESTS)
    done = total(two_workers, "http_requests_total", path="/predict/batch", method="POST", status="200")
    assert done - before == REQUESTS
    assert total(two_workers, "inference_predictions_total") - rows_before == REQUESTS * ROWS
    assert total(two_workers, "http_request_duration_seconds_count", path="/predict/batch") >= REQUESTS
    assert total(two_workers, "inference_in_flight") == total(two_workers, "inference_queue_depth") == 0
    common = {"deployment_id": "blue", "model_version": "1.0.0"}
    assert all(labels.items() >= common.items() for _, labels, _ in samples(two_workers))
    assert total(two_workers, "inference_build_info") == 1
    assert total(two_workers, "process_start_time_seconds") == pytest.approx(time.time(), abs=600)
    # Rows are binned 64 at a time: the last ones of the other worker may still wait.
    assert REQUESTS * ROWS - 64 <= total(two_workers, "inference_drift_rows") <= REQUESTS * ROWS
    assert total(two_workers, "inference_drift_psi", feature="mean_radius") > 1  # always the same row
    lines = [line for line in logged(two_workers.container) if line.get("request_id") in ids]
    assert len(lines) == REQUESTS
    assert len({line["input_hash"] for line in lines}) == 1  # both workers have the same key
    assert {line["deployment_id"] for line in lines} == {"blue"}


def test_what_a_dead_worker_counted_stays_counted(serving, features):
    with serving(environment=TWO_WORKERS) as service:
        ask(service, features, REQUESTS)
        [victim, *_] = [
            line["pid"] for line in logged(service.container) if line["message"] == "worker started"
        ]
        rows = total(service, "inference_drift_rows")
        assert (
            service.container.exec_run(["python3", "-c", f"import os; os.kill({victim}, 9)"]).exit_code == 0
        )
        deadline = time.monotonic() + 20
        while not any(line["message"] == "worker ended" for line in logged(service.container)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert total(service, "http_requests_total", path="/predict/batch") == REQUESTS
        assert total(service, "inference_drift_rows") < rows


def test_log_lines_of_a_stopped_service_are_whole(serving, key, features):
    with serving(environment=TWO_WORKERS) as service:
        ids = ask(service, features, 10)
        service.container.stop(timeout=20)
        lines = logged(service.container)
        assert {line.get("request_id") for line in lines} >= set(ids)
        assert all(line.keys() >= {"time", "level", "logger", "message"} for line in lines)
        text = service.container.logs().decode()
        assert key not in text
        assert "mean_radius" not in text
