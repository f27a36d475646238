import math

import numpy as np
import pytest

from harness.load import LoadPlan, Payload, RequestOutcome, Side
from harness.load.summary import by_name, summarise


def test_percentiles_are_requests_that_happened():
    response_s = np.arange(1, 1001) / 1000.0
    figures = summarise(response_s, np.zeros(1000, dtype=np.int8))
    assert figures.percentiles_ms == pytest.approx({"p50": 500, "p95": 950, "p99": 990, "p99.9": 999})
    assert (figures.least_ms, figures.most_ms) == pytest.approx((1, 1000))
    assert figures.failures == {}


def test_failures_are_counted_by_kind_and_are_the_slowest():
    outcome = np.zeros(100, dtype=np.int8)
    outcome[:2] = RequestOutcome.TIMEOUT
    outcome[2] = RequestOutcome.WRONG_STATUS
    response_s = np.where(outcome == RequestOutcome.OK, 0.001, np.inf)
    figures = summarise(response_s, outcome)
    assert figures.failures == {"timeout": 2, "wrong_status": 1}
    assert figures.percentiles_ms["p95"] == pytest.approx(1)
    assert math.isinf(figures.percentiles_ms["p99"])


def test_payloads_of_one_path_are_counted_together():
    plan = LoadPlan(
        sides=(Side(name="a", base_url="http://127.0.0.1:1"), Side(name="b", base_url="http://127.0.0.1:2")),
        payloads=tuple(Payload(method="POST", path=path) for path in ("/x", "/y", "/x")),
        rate_per_s=1.0,
        block_arrivals=1,
        seed=0,
    )
    side = np.array([0, 1, 0, 1, 0], dtype=np.int8)
    payload = np.array([0, 1, 2, 0, 0], dtype=np.int32)
    found = {name: rows.tolist() for (_, name), rows in by_name(plan, side, payload)}
    assert found == {"a /x": [0, 2, 4], "b /x": [3], "b /y": [1]}
