"""A queue that is full: some requests are refused at once, the others answered, and health goes on."""

import json
import socket
import threading
from collections import Counter

import httpx
import pytest

CLIENTS, EACH = 24, 40


@pytest.fixture
def body(features):
    return json.dumps({"features": features}).encode()


@pytest.fixture
def one_at_a_time(artifact):
    """The artifact with a run for each request."""
    path = artifact / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"serving": {"micro_batch_rows": 1, "threads": 0}}))
    return artifact


def ask(port, key, body, answers):
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=15) as client:
        for _ in range(EACH):
            headers = {"X-API-Key": key, "Content-Type": "application/json"}
            answers.append(client.post("/predict", content=body, headers=headers))


def under_load(service, key, body):
    answers = []
    threads = [threading.Thread(target=ask, args=(service.port, key, body, answers)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    health = [
        httpx.get(f"http://127.0.0.1:{service.port}/health", trust_env=False, timeout=15) for _ in range(5)
    ]
    for thread in threads:
        thread.join()
    assert {response.status_code for response in health} == {200}
    assert len(answers) == CLIENTS * EACH
    return answers


@pytest.mark.parametrize("settings", [{}, {"max_concurrency": 1}], ids=["loop", "thread"])
def test_what_finds_the_queue_full_is_told_to_come_back(running, one_at_a_time, key, body, settings):
    with running(artifact=one_at_a_time, max_queue=0, rate_limit="1000000/second", **settings) as service:
        answers = under_load(service, key, body)
        metrics = httpx.get(f"http://127.0.0.1:{service.port}/metrics", trust_env=False).text
    statuses = Counter(response.status_code for response in answers)
    assert statuses.keys() == {200, 503}
    for response in answers:
        if response.status_code == 503:
            assert response.json()["error"]["code"] == "overloaded"
            assert response.headers["retry-after"] == "1"
    (line,) = [each for each in metrics.splitlines() if each.startswith("inference_queue_rejections_total{")]
    assert float(line.split()[-1]) == statuses[503]


def test_nothing_is_refused_while_there_is_room(running, artifact, key, body):
    with running(artifact=artifact, max_queue=CLIENTS, rate_limit="1000000/second") as service:
        assert {response.status_code for response in under_load(service, key, body)} == {200}


def test_clients_that_are_gone_leave_nothing_behind(running, one_at_a_time, key, body, predict_request):
    """Clients reset their connections with a request sent: whenever that is noticed, it harms no one."""
    with running(artifact=one_at_a_time, rate_limit="1000000/second", max_concurrency=1) as service:
        for _ in range(300):
            with socket.create_connection(("127.0.0.1", service.port), timeout=5) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.sendall(predict_request)
        with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", trust_env=False) as client:
            headers = {"X-API-Key": key, "Content-Type": "application/json"}
            assert client.post("/predict", content=body, headers=headers).status_code == 200
            metrics = client.get("/metrics").text
    for name in ("inference_queue_depth", "inference_in_flight"):
        (line,) = [each for each in metrics.splitlines() if each.startswith(f"{name}{{")]
        assert float(line.split()[-1]) == 0
    assert 'status="500"' not in metrics
