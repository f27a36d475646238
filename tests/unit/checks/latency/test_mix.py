"""A mix of endpoints: who is asked how often, and what the report says of each."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.checks.latency.endpoints import report_endpoints
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.planning import asked_of, verify_requests
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.load import RequestOutcome, Samples
from harness.model import Outcome
from harness.testing import check_context

HEAD = """
schema_version = 1
name = "mixed"
[service]
port = 8000
ready_path = "/"
[latency]
"""
MIX = """
[[latency.mix]]
name = "predict"
weight = 3
request = { path = "/predict", body = { question = 1 } }
[[latency.mix]]
name = "status"
request = { method = "GET", path = "/status" }
expected_status = 204
"""


def suite(settings):
    return parse_suite(HEAD + settings, Path("gate.toml"))


def test_each_endpoint_has_its_weight_and_its_status(tmp_path):
    declared = suite(MIX)
    asked = asked_of(check_context(declared, tmp_path), declared.config.latency)
    assert asked.endpoints == {"predict": 1, "status": 1}
    assert [(each.path, each.weight, each.expected_status) for each in asked.payloads] == [
        ("/predict", 3.0, 200),
        ("/status", 1.0, 204),
    ]


def test_one_request_is_a_mix_of_one(tmp_path):
    declared = suite('request = { path = "/" }\nexpected_status = 201')
    asked = asked_of(check_context(declared, tmp_path), declared.config.latency)
    assert [(each.path, each.expected_status) for each in asked.payloads] == [("/", 201)]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('request = { path = "/" }' + MIX, "takes the place of request"),
        ("expected_status = 201" + MIX, "takes the place of request"),
        (MIX + MIX, "a name of its own"),
        (MIX.replace('"status"', '"a.b"'), "pattern"),
        (MIX.replace("weight = 3", "weight = 0"), "greater than 0"),
    ],
)
def test_a_wrong_mix_is_refused(settings, problem):
    with pytest.raises(ConfigError, match=problem):
        suite(settings)


def test_an_endpoint_without_a_request_takes_the_golden_ones():
    declared = suite('[[latency.mix]]\nname = "predict"')
    with pytest.raises(ConfigError, match=r"latency\.mix"):
        verify_requests(declared, declared.config.latency)


def test_a_body_that_nothing_fills_names_its_place_before_anything_starts():
    declared = suite(MIX.replace("question = 1", 'question = "${nothing}"'))
    with pytest.raises(ConfigError, match=r"latency\.mix\.0\.request\.body"):
        verify_requests(declared, declared.config.latency)


def evidence(endpoints, sides=("reference", "candidate")):
    """100 pairs of payload 0 in 1 ms, and 100 of payload 1 in 5 ms, half of which the candidate fails."""
    payload = np.repeat([0, 1], 200).astype(np.int32)
    side = np.tile([0, 1], 200).astype(np.int8)
    failed = (payload == 1) & (side == 1) & (np.arange(400) % 4 == 1)
    samples = Samples(
        side=side,
        block=np.zeros(400, dtype=np.int32),
        payload=payload,
        intended_s=np.zeros(400),
        sent_s=np.zeros(400),
        done_s=np.where(payload == 0, 0.001, 0.005),
        status=np.zeros(400, dtype=np.int16),
        outcome=np.where(failed, RequestOutcome.TIMEOUT, RequestOutcome.OK).astype(np.int8),
        body_bytes=np.zeros(400, dtype=np.int32),
        heartbeat_s=np.zeros(1),
        cpu_s=np.ones(1),
        wall_s=np.ones(1),
    )
    if len(sides) == 1:
        samples = replace(samples, side=np.zeros(400, dtype=np.int8))
    return LatencyEvidence(
        expected=1,
        executed=200,
        sides=sides,
        endpoints=endpoints,
        rate_per_s=100.0,
        planned_blocks=12,
        seed=1,
        unix_offset_s=0.0,
        samples=samples,
    )


def test_each_endpoint_is_reported_beside_the_references():
    first, second = report_endpoints(evidence({"predict": 1, "status": 1}))
    assert first.id == "latency.paired.endpoint.predict"
    assert first.message == (
        "predict: p50 1.00, p95 1.00, p99 1.00 ms, 0 of 100 failed; "
        "the reference p50 1.00, p95 1.00, p99 1.00 ms, 0 of 100 failed"
    )
    assert second.message.startswith("status: p50 5.00, p95 inf, p99 inf ms, 50 of 100 failed; the reference")
    assert {first.outcome, second.outcome} == {Outcome.PASS}
    assert first.samples == 100


def test_without_a_reference_the_candidate_stands_alone():
    first, _ = report_endpoints(evidence({"predict": 1, "status": 1}, sides=("candidate",)))
    assert "reference" not in first.message


def test_payloads_of_one_endpoint_are_taken_together_and_one_endpoint_is_not_told_apart():
    assert report_endpoints(evidence({"all": 2})) == []
    (only,) = report_endpoints(evidence({"all": 2, "unasked": 3}))
    assert only.samples == 200
