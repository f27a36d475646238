"""Replicas and workers that count in one Redis, in containers, and what holds while that Redis is gone."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from own_containers import readable

pytestmark = pytest.mark.engine

URL_INSIDE = "/run/redis_url"
QUOTA = 30
AT_ONCE = 12
START_TIMEOUT_S = 20
LOG_TIMEOUT_S = 5
HANG_BOUND_S = 3.0
"""By default the service waits 0.5 s for Redis; the rest is what a busy machine may take."""
STALL_S = 1.5


@pytest.fixture
def sharing(redis, serving, tmp_path):
    """Starts a service that counts in the Redis."""
    url = tmp_path / "redis_url"
    url.write_text(f"{redis.url_inside}\n")
    readable(url)

    @contextmanager
    def start(**more):
        environment = {
            "SERVICE_RATE_LIMIT": f"{QUOTA} per 300 seconds",
            "SERVICE_RATE_LIMIT_METADATA": f"{QUOTA} per 300 seconds",
            "SERVICE_RATE_LIMIT_ROWS": f"{QUOTA} per 300 seconds",
            "SERVICE_RATE_LIMIT_REDIS_URL_FILE": URL_INSIDE,
            **more,
        }
        with serving(environment=environment, files={URL_INSIDE: url}, network=redis.network) as service:
            yield service

    return start


def statuses_of(services, requests, ask):
    """How often each status was answered to requests sent to the services in turn, several at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda number: ask(services[number % len(services)]), range(requests))
        return Counter(answer.status_code for answer in answers)


def metadata(service):
    """Ask over a connection of its own, so that any worker may get it."""
    return service.client.get("/metadata", headers={"Connection": "close"})


def assert_log_about_redis(service, *levels):
    """The log has lines of these levels, and no others; it is written a moment later."""
    deadline = time.monotonic() + LOG_TIMEOUT_S
    found = []
    while len(found) < len(levels) and time.monotonic() < deadline:
        lines = [json.loads(line) for line in service.container.logs().decode().splitlines()]
        found = [line["level"] for line in lines if "rate limits: Redis" in line["message"]]
    assert found == list(levels)


def storage_errors(service):
    [line] = [
        line
        for line in service.client.get("/metrics").text.splitlines()
        if line.startswith("rate_limit_storage_errors_total{")
    ]
    return float(line.split()[-1])


def until(status, service):
    deadline = time.monotonic() + START_TIMEOUT_S
    while metadata(service).status_code != status:
        assert time.monotonic() < deadline, service.container.logs().decode()
        time.sleep(0.1)


def test_two_replicas_answer_one_quota_between_them(sharing, redis):
    with sharing() as first, sharing() as second:
        counts = statuses_of([first, second], 2 * QUOTA, metadata)
        assert counts == {200: QUOTA, 429: QUOTA}
        refused = metadata(second)
        assert refused.headers["x-ratelimit-limit"] == str(QUOTA)
        assert 1 <= int(refused.headers["retry-after"]) <= 300
    assert redis.command("KEYS", "*").startswith("rate-limit/metadata/")


def test_two_replicas_charge_batches_whole_or_not_at_all(sharing, redis, features):
    rows = 7

    def batch(service):
        return service.client.post("/predict/batch", json={"instances": [features] * rows})

    with sharing() as first, sharing() as second:
        counts = statuses_of([first, second], 12, batch)
        assert counts == {200: QUOTA // rows, 429: 12 - QUOTA // rows}
        [window] = [key for key in redis.command("KEYS", "*").split() if "/rows/" in key]
        assert redis.command("GET", window) == str(QUOTA // rows * rows)


def test_two_workers_answer_one_quota_between_them(sharing):
    with sharing(SERVICE_WORKERS="2") as service:
        assert statuses_of([service], 2 * QUOTA, metadata) == {200: QUOTA, 429: QUOTA}


def test_two_workers_without_redis_would_answer_more(serving):
    environment = {
        "SERVICE_WORKERS": "2",
        "SERVICE_RATE_LIMIT_METADATA": f"{QUOTA} per 300 seconds",
        "SERVICE_RATE_LIMIT_WITHOUT_REDIS": "local",
    }
    with serving(environment=environment) as service:
        answered, deadline = 0, time.monotonic() + START_TIMEOUT_S
        while answered <= QUOTA:  # the second worker may be ready later than the first
            assert time.monotonic() < deadline, answered
            answered += statuses_of([service], QUOTA, metadata)[200]


def test_a_redis_that_is_stopped_and_comes_back(sharing, redis):
    with ExitStack() as stack:
        refusing = stack.enter_context(sharing())
        local = stack.enter_context(sharing(SERVICE_RATE_LIMIT_WITHOUT_REDIS="local"))
        assert [metadata(refusing).status_code, metadata(local).status_code] == [200, 200]
        redis.container.stop(timeout=2)
        assert statuses_of([local], 2 * QUOTA, metadata) == {200: QUOTA, 429: QUOTA}
        assert statuses_of([refusing], QUOTA, metadata) == {503: QUOTA}
        refused = metadata(refusing)
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"]["code"] == "rate_limit_unavailable"
        assert refusing.client.get("/ready").status_code == httpx.codes.OK
        assert storage_errors(refusing) >= 1
        redis.container.start()
        for service in (refusing, local):
            until(200, service)  # a Redis without persistence has forgotten what was used
            assert_log_about_redis(service, "error", "warning")
            assert redis.password not in service.container.logs().decode()


def test_a_redis_that_hangs_holds_up_nobody(sharing, redis):
    with sharing() as service:
        assert metadata(service).status_code == httpx.codes.OK
        redis.container.pause()
        try:
            for _ in range(2):
                started = time.monotonic()
                assert statuses_of([service], QUOTA, metadata) == {503: QUOTA}
                assert time.monotonic() - started < HANG_BOUND_S
        finally:
            redis.container.unpause()
        until(200, service)
        assert_log_about_redis(service, "error", "warning")


def test_a_redis_that_stalls_is_waited_for_where_that_is_set(sharing, redis):
    with sharing(SERVICE_RATE_LIMIT_REDIS_TIMEOUT_S="10") as service, ThreadPoolExecutor(1) as pool:
        assert metadata(service).status_code == httpx.codes.OK
        redis.container.pause()
        try:
            asked = pool.submit(metadata, service)
            time.sleep(STALL_S)
        finally:
            redis.container.unpause()
        assert asked.result().status_code == httpx.codes.OK


def test_a_service_that_starts_before_redis_behaves_as_declared(sharing, redis):
    redis.container.stop(timeout=2)
    with sharing() as service:
        assert metadata(service).status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert_log_about_redis(service, "error")
        redis.container.start()
        until(200, service)
