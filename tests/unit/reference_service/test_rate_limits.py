import asyncio

import pytest

from reference_service.access.ratelimit import RateLimiter

NARROW = {"X-API-Key": "narrow-key"}


def burst(client, count, **headers):
    return [client.get("/metadata", headers={**NARROW, **headers}) for _ in range(count)]


def test_headers_count_down_and_the_next_request_is_refused(fresh, expect_error):
    answers = burst(fresh, 4)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"3"}
    assert expect_error(answers[3], 429)["code"] == "rate_limited"
    assert all("retry-after" not in answer.headers for answer in answers[:3])
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60


class Clock:
    """Time as the limits see it: it stands still unless a test moves it."""

    def __init__(self):
        self.now = 1_000_000.5

    def time(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("limits.aio.storage.memory.time", clock)
    monkeypatch.setattr("reference_service.access.ratelimit.time", clock)
    return clock


def hits(limiter, count):
    """Ask a number of times; gives what is left or, where refused, the negative of how long to wait."""

    async def ask():
        allowances = [await limiter.hit("a", None) for _ in range(count)]
        return [a.remaining if a.retry_after_s is None else -a.retry_after_s for a in allowances]

    return asyncio.run(ask())


def test_after_retry_after_the_full_quota_is_there_again(clock):
    limiter = RateLimiter("3 per 60 seconds")
    assert hits(limiter, 4) == [2, 1, 0, -60]
    clock.now += 59
    assert hits(limiter, 1) == [-1]
    clock.now += 1
    assert hits(limiter, 4) == [2, 1, 0, -60]


def test_refused_requests_do_not_extend_the_window(clock):
    limiter = RateLimiter("1 per 60 seconds")
    assert hits(limiter, 1) == [0]
    for passed in range(10, 60, 10):
        clock.now += 10
        assert hits(limiter, 1) == [passed - 60]
    clock.now += 10
    assert hits(limiter, 1) == [0]


def test_keys_and_subjects_are_independent(fresh, signer):
    assert burst(fresh, 4)[3].status_code == 429
    assert fresh.get("/metadata", headers={"X-API-Key": "good-key"}).status_code == 200
    for subject in ("narrow", "default"):
        token = {"Authorization": f"Bearer {signer.token(sub=subject)}"}
        answer = fresh.get("/metadata", headers=token)
        assert answer.headers["x-ratelimit-remaining"] == "999"


def test_forwarded_addresses_gain_nothing(fresh):
    assert burst(fresh, 4)[3].status_code == 429
    for address in ("1.1.1.1", "127.0.0.1"):
        headers = {"X-Forwarded-For": address, "X-Real-IP": address, "Forwarded": f"for={address}"}
        assert burst(fresh, 1, **headers)[0].status_code == 429


def test_open_paths_are_exempt(fresh):
    assert burst(fresh, 4)[3].status_code == 429
    for path in ("/health", "/ready", "/metrics"):
        answers = [fresh.get(path, headers=NARROW) for _ in range(10)]
        assert {answer.status_code for answer in answers} == {200}


def test_wrong_keys_are_not_counted_against_anyone(fresh):
    for _ in range(5):
        assert fresh.get("/metadata", headers={"X-API-Key": "wrong"}).status_code == 401
    assert burst(fresh, 1)[0].headers["x-ratelimit-remaining"] == "2"


def test_refused_bodies_and_scopes_count(fresh):
    first = fresh.post("/predict", content=b"{", headers={**NARROW, "Content-Type": "application/json"})
    assert first.status_code == 400
    assert first.headers["x-ratelimit-remaining"] == "2"
    assert fresh.get("/predict", headers=NARROW).headers["x-ratelimit-remaining"] == "1"
