import asyncio
import time

from reference_service.ratelimit import RateLimiter

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


def test_after_retry_after_the_full_quota_is_there_again(fresh):
    refused = burst(fresh, 4)[3]
    wait_s = int(refused.headers["retry-after"])
    assert 1 <= wait_s <= 2
    time.sleep(wait_s)
    assert [answer.status_code for answer in burst(fresh, 4)] == [200, 200, 200, 429]


def test_refused_requests_do_not_extend_the_window():
    async def scenario():
        limiter = RateLimiter("1/second")
        assert (await limiter.hit("a", None)).retry_after_s is None
        ends = time.monotonic() + 1.05
        while time.monotonic() < ends - 0.2:
            assert (await limiter.hit("a", None)).retry_after_s == 1
            await asyncio.sleep(0.1)
        await asyncio.sleep(ends - time.monotonic())
        assert (await limiter.hit("a", None)).retry_after_s is None

    asyncio.run(scenario())


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
