"""What probes measure: noise shows no regularity, metrics are added up, and only whole answers are timed."""

from pathlib import Path

import httpx
import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_answer import answering

CATALOGUE = Path(__file__).resolve().parents[3] / "scenarios" / "selftest"


@pytest.fixture(scope="module")
def observing():
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(CATALOGUE)
        import observing  # noqa: PLC0415 - found only here

        yield observing


@given(period=st.integers(2, 20), data=st.data())
def test_what_is_seen_at_each_place_is_regular(observing, period, data):
    first = data.draw(st.integers(0, period - 1))
    seen = [place % period == first for place in range(3 * period)]
    assert observing.regularly(seen, period)
    seen[first + period * data.draw(st.integers(0, 2))] = False
    assert not observing.regularly(seen, period)


def test_the_samples_of_a_metric_are_added_up(observing):
    registry = prometheus_client.CollectorRegistry()
    counter = prometheus_client.Counter("requests", "Of a test.", ("path", "status"), registry=registry)
    others = prometheus_client.Counter("requests_of_others", "Likewise.", registry=registry)
    counter.labels("/a", "200").inc(3)
    counter.labels("/a", "400").inc(4)
    counter.labels("/b", "200").inc(5)
    others.inc(100)
    exposed = prometheus_client.generate_latest(registry)
    with answering(200, exposed) as (url, _), httpx.Client(base_url=url, trust_env=False) as client:
        assert observing.total(client, "requests_total") == 12
        assert observing.total(client, "requests_total", path="/a") == 7
        assert observing.total(client, "requests_total", path="/a", status="400") == 4
        assert observing.total(client, "requests_total", path="/c") == 0
        assert observing.total(client, "requests_of_others_total") == 100
        assert observing.total(client, "no_such_metric") == 0


def test_only_a_success_is_timed(observing):
    with answering(200) as (url, _), httpx.Client(base_url=url, trust_env=False) as client:
        assert observing.least_s(lambda: client.get("/"), 3) > 0
        assert observing.together_s(lambda: client.get("/"), 2, rounds=2) > 0
    with answering(503) as (url, _), httpx.Client(base_url=url, trust_env=False) as client:
        for measured in (
            lambda: observing.least_s(lambda: client.get("/"), 1),
            lambda: observing.together_s(lambda: client.get("/"), 1, rounds=1),
        ):
            with pytest.raises(httpx.HTTPStatusError):
                measured()


def test_requests_of_one_instant_are_whole(observing):
    with answering(200) as (url, bodies):
        assert observing.at_one_instant_s(url, {"X-API-Key": "k"}, {"features": {"a": 1.5}}, 4) > 0
    assert bodies == [b'{"features": {"a": 1.5}}'] * 4
