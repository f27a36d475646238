import asyncio

from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from reference_service.access.authentication import Principal
from reference_service.access.ratelimit import RateLimiter
from reference_service.access.windows import LocalWindows
from reference_service.errors import ApiError
from reference_service.settings import Settings

NARROW = {"X-API-Key": "narrow-key"}


def burst(client, count, **headers):
    return [client.get("/metadata", headers={**NARROW, **headers}) for _ in range(count)]


def refusals(client, quota):
    lines = client.get("/metrics").text.splitlines()
    [line] = [line for line in lines if line.startswith("rate_limited_total{") and f'quota="{quota}"' in line]
    return float(line.split()[-1])


def statuses(answers):
    return [answer.status_code for answer in answers]


def test_headers_count_down_and_the_next_request_is_refused(fresh, expect_error):
    answers = burst(fresh, 4)
    assert statuses(answers) == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"3"}
    assert expect_error(answers[3], 429)["code"] == "rate_limited"
    assert all("retry-after" not in answer.headers for answer in answers[:3])
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60


class Clock:
    """Time as the limits see it: it stands still unless a test moves it."""

    def __init__(self):
        self.now = 1_000_000.5

    def __call__(self):
        return self.now


class Asked:
    """A limiter whose clock stands still, asked without a network."""

    def __init__(self, **settings):
        self.clock = Clock()
        self.refused = []
        windows = LocalWindows(self.clock)
        self.limiter = RateLimiter(Settings(**settings), windows, on_refused=self.refused.append)

    def hit(self, identity="a", address="192.0.2.1", required="predict"):
        """What is left or, where refused, the negative of how long to wait."""
        scope = {"type": "http", "client": (address, 1), "headers": []}
        principal = Principal(identity=identity, scopes=frozenset())
        return self._told(self.limiter.admit(scope, principal, required))

    def fail(self, address="192.0.2.1"):
        return self._told(
            self.limiter.admit_unauthenticated({"type": "http", "client": (address, 1), "headers": []})
        )

    def rows(self, count, identity="a"):
        return self._told(self.limiter.admit_rows(Principal(identity=identity, scopes=frozenset()), count))

    def _told(self, asking):
        try:
            allowance = asyncio.run(asking)
        except ApiError as error:
            return -int(error.headers["Retry-After"]) if error.status_code == 429 else error.code
        return allowance.remaining if allowance else None


def test_after_retry_after_the_full_quota_is_there_again():
    asked = Asked(rate_limit="3 per 60 seconds")
    assert [asked.hit() for _ in range(4)] == [2, 1, 0, -60]
    asked.clock.now += 59
    assert asked.hit() == -1
    asked.clock.now += 1
    assert [asked.hit() for _ in range(4)] == [2, 1, 0, -60]


def test_retry_after_is_rounded_up_to_whole_seconds():
    asked = Asked(rate_limit="1 per 60 seconds")
    asked.hit()
    asked.clock.now += 57.25
    assert asked.hit() == -3
    asked.clock.now += 2.625
    assert asked.hit() == -1


def test_refused_requests_do_not_extend_the_window():
    asked = Asked(rate_limit="1 per 60 seconds")
    assert asked.hit() == 0
    for passed in range(10, 60, 10):
        asked.clock.now += 10
        assert asked.hit() == passed - 60
    asked.clock.now += 10
    assert asked.hit() == 0


def test_metadata_has_a_quota_of_its_own():
    asked = Asked(rate_limit="2 per 60 seconds", rate_limit_metadata="3 per 60 seconds")
    assert [asked.hit() for _ in range(3)] == [1, 0, -60]
    assert [asked.hit(required="metadata") for _ in range(4)] == [2, 1, 0, -60]


def test_an_address_is_counted_over_all_of_its_callers():
    asked = Asked(rate_limit_address="3 per 60 seconds")
    assert [asked.hit(identity) for identity in "abc"] == [999, 999, 999]
    assert asked.hit("d") == -60
    assert asked.hit("d", address="192.0.2.2") == 999


def test_guessing_keys_uses_up_the_quota_of_the_address():
    asked = Asked(rate_limit_address="3 per 60 seconds", rate_limit_global="2 per 1 second")
    assert [asked.fail() for _ in range(4)] == [None, None, None, -60]
    assert asked.hit() == -60  # a key that is right is not told from one that is wrong any more
    assert asked.hit(address="192.0.2.2") == 999  # nor do guesses use up what is everyone's


def test_the_global_quota_is_everyones():
    asked = Asked(rate_limit_global="2 per 5 seconds")
    assert [asked.hit("a"), asked.hit("b", address="192.0.2.2"), asked.hit("c")] == [999, 999, -5]
    asked.clock.now += 5
    assert asked.hit("c") == 999


def test_several_refusing_quotas_tell_the_longest_wait():
    asked = Asked(rate_limit="1 per 60 seconds", rate_limit_global="1 per 5 seconds")
    assert [asked.hit(), asked.hit()] == [0, -60]
    assert asked.refused == ["key"]


def test_rows_are_charged_whole_or_not_at_all():
    asked = Asked(rate_limit_rows="10 per 60 seconds")
    assert [asked.rows(7), asked.rows(4), asked.rows(3), asked.rows(1)] == [None, -60, None, -60]
    assert asked.rows(10, identity="b") is None


def test_a_batch_that_can_never_fit_is_not_told_to_wait():
    asked = Asked(rate_limit_rows="10 per 60 seconds")
    assert asked.rows(11) == "batch_exceeds_quota"
    assert asked.rows(10) is None


QUOTAS = {"rate_limit": 3, "rate_limit_metadata": 2, "rate_limit_address": 5, "rate_limit_global": 7}


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from(["192.0.2.1", "2001:db8::1"]),
            st.sampled_from(["predict", "metadata"]),
        ),
        max_size=25,
    )
)
def test_a_refused_request_is_counted_nowhere(requests):
    asked = Asked(**{name: f"{amount} per 60 seconds" for name, amount in QUOTAS.items()})
    counted = dict.fromkeys([], 0)
    for identity, address, required in requests:
        own = ("rate_limit_metadata" if required == "metadata" else "rate_limit", identity)
        windows = [own, ("rate_limit_address", address), ("rate_limit_global",)]
        left = [QUOTAS[window[0]] - counted.get(window, 0) for window in windows]
        if min(left) > 0:
            assert asked.hit(identity, address, required) == left[0] - 1
            counted |= {window: counted.get(window, 0) + 1 for window in windows}
        else:
            assert asked.hit(identity, address, required) == -60


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


def behind(settings, serve, peer, **changes):
    """A client whose connections come from `peer`."""
    started = serve(settings.model_copy(update=changes))
    client = TestClient(started.app, client=(peer, 50000), headers={"X-API-Key": "good-key"})
    client.app_state.update(started.app_state)  # the model that was loaded when it started
    return client


def test_an_address_is_that_of_the_peer_unless_a_proxy_is_trusted(settings, serve):
    changes = {"rate_limit_address": "2 per 60 seconds"}
    client = behind(settings, serve, "10.0.0.1", **changes)
    answers = [client.get("/metadata", headers={"X-Forwarded-For": f"192.0.2.{i}"}) for i in range(3)]
    assert statuses(answers) == [200, 200, 429]
    assert answers[2].headers["x-ratelimit-limit"] == "2"
    trusted = Settings(trusted_proxies="10.0.0.0/8").trusted_proxies
    client = behind(settings, serve, "10.0.0.1", trusted_proxies=trusted, **changes)
    answers = [client.get("/metadata", headers={"X-Forwarded-For": f"192.0.2.{i}"}) for i in range(3)]
    assert statuses(answers) == [200, 200, 200]


def test_wrong_keys_get_429_when_their_address_is_used_up(settings, serve, expect_error):
    client = behind(settings, serve, "192.0.2.1", rate_limit_address="2 per 60 seconds")
    answers = [client.get("/metadata", headers={"X-API-Key": "wrong"}) for _ in range(3)]
    assert statuses(answers) == [401, 401, 429]
    assert expect_error(answers[2], 429)["code"] == "rate_limited"
    assert int(answers[2].headers["retry-after"]) <= 60
    assert refusals(client, "address") == 1


def test_open_paths_are_exempt(fresh):
    assert burst(fresh, 4)[3].status_code == 429
    for path in ("/health", "/ready", "/metrics"):
        answers = [fresh.get(path, headers=NARROW) for _ in range(10)]
        assert set(statuses(answers)) == {200}


def test_wrong_keys_are_not_counted_against_anyone(fresh):
    for _ in range(5):
        assert fresh.get("/metadata", headers={"X-API-Key": "wrong"}).status_code == 401
    assert burst(fresh, 1)[0].headers["x-ratelimit-remaining"] == "2"


def test_refused_bodies_and_scopes_count(fresh):
    first = fresh.post("/predict", content=b"{", headers={**NARROW, "Content-Type": "application/json"})
    assert first.status_code == 400
    assert first.headers["x-ratelimit-remaining"] == "2"
    assert fresh.get("/predict", headers=NARROW).headers["x-ratelimit-remaining"] == "1"


def batch(client, features, rows):
    return client.post("/predict/batch", json={"instances": [features] * rows}, headers=NARROW)


def test_a_batch_costs_its_rows_after_it_was_validated(fresh, features, expect_error):
    assert batch(fresh, {}, 8).status_code == 400
    assert batch(fresh, features, 8).status_code == 200
    refused = batch(fresh, features, 3)
    assert expect_error(refused, 429)["code"] == "rate_limited"
    assert refused.headers["x-ratelimit-limit"] == "10"
    assert refused.headers["x-ratelimit-remaining"] == "2"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refusals(fresh, "rows") == 1


def test_a_batch_over_the_quota_is_refused_for_good(fresh, features, expect_error):
    detail = expect_error(batch(fresh, features, 11), 413)
    assert (detail["code"], detail["field"]) == ("batch_exceeds_quota", "instances")
    assert batch(fresh, features, 10).status_code == 200
