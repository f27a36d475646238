"""What a manifest promises: read from what the candidate serves, and held against what was measured."""

import json
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from harness.checks.latency import manifest
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.judge import judge
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.manifest import read_promises, verify_promises
from harness.checks.latency.promises import Promises
from harness.checks.latency.usage import Usage
from harness.config.auth import AuthSettings
from harness.config.suite import parse_suite
from harness.credentials import Credentials
from harness.errors import ConfigError
from harness.http_exchange import Document
from harness.load import Samples
from harness.model import Capability, Outcome
from harness.testing import check_context

BLOCKS, ARRIVALS = 40, 100
KEY = "a-key-that-nobody-may-read"
SUITE = """
schema_version = 1
name = "promising"
[service]
port = 8000
ready_path = "/"
[service.metadata]
path = "/metadata"
[latency]
request = { path = "/" }
manifest = { p99_ms = "/budget/p99", memory_mib = "/budget/memory" }
"""


def evidence(promised, *, problem="", held_mib=60):
    """Times of 2 ms, give or take a tenth."""
    n = BLOCKS * ARRIVALS
    due_s = np.arange(n) * 0.005
    return LatencyEvidence(
        expected=299,
        executed=n,
        sides=("candidate",),
        rate_per_s=200.0,
        planned_blocks=BLOCKS,
        seed=1,
        unix_offset_s=0.0,
        promises=None if promised is None else Promises(promised=promised, problem=problem),
        usage=Usage(cpu_s=((0.1,),) * BLOCKS, memory_bytes=((held_mib and held_mib * 2**20,),) * BLOCKS),
        samples=Samples(
            side=np.zeros(n, dtype=np.int8),
            block=(np.arange(n) // ARRIVALS).astype(np.int32),
            payload=np.zeros(n, dtype=np.int32),
            intended_s=due_s,
            sent_s=due_s,
            done_s=due_s + 0.002 * np.exp(0.1 * np.random.default_rng(1).standard_normal(n)),
            status=np.full(n, 200, dtype=np.int16),
            outcome=np.zeros(n, dtype=np.int8),
            body_bytes=np.zeros(n, dtype=np.int32),
            heartbeat_s=np.zeros(1),
            cpu_s=np.full(BLOCKS, 0.1),
            wall_s=np.full(BLOCKS, 0.5),
        ),
    )


def found(seen, rule="warn"):
    limits = LatencyLimits.model_validate({"promises": rule, "p99": {"slo_ms": 100}})
    findings = judge(seen, limits)
    prefix = "latency.paired.manifest."
    return {each.id.removeprefix(prefix): each for each in findings if each.id.startswith(prefix)}


@pytest.mark.parametrize(
    ("p99_ms", "warns", "fails"),
    [
        (10.0, Outcome.PASS, Outcome.PASS),
        (1.0, Outcome.WARN, Outcome.FAIL),
        (2.52, Outcome.WARN, Outcome.INCONCLUSIVE),
        (None, Outcome.WARN, Outcome.FAIL),
    ],
)
def test_a_promised_p99_is_kept_only_if_it_is_shown(p99_ms, warns, fails):
    for rule, outcome in (("warn", warns), ("fail", fails)):
        finding = found(evidence({"p99_ms": p99_ms}), rule)["p99"]
        assert finding.outcome is outcome
        assert finding.limit == p99_ms
        assert finding.unit == ("" if p99_ms is None else "ms")


@pytest.mark.parametrize(("mib", "kept"), [(60.0, True), (59.0, False), (None, False)])
def test_promised_memory_is_held_by_the_peak(mib, kept):
    seen = evidence({"memory_mib": mib})
    assert found(seen)["memory"].outcome is (Outcome.PASS if kept else Outcome.WARN)
    assert found(seen, "fail")["memory"].outcome is (Outcome.PASS if kept else Outcome.FAIL)


def test_memory_that_is_not_told_keeps_no_promise_and_breaks_none():
    untold = evidence({"memory_mib": 60.0}, held_mib=None)
    url, container = (
        untold.model_copy(update={"usage": untold.usage.model_copy(update={"containers": (each,)})})
        for each in (False, True)
    )
    finding = found(url)["memory"]
    assert (finding.outcome, finding.missing) == (Outcome.NOT_APPLICABLE, Capability.CONTAINER)
    assert found(container)["memory"].outcome is found(untold)["memory"].outcome is Outcome.WARN
    assert found(container, "fail")["memory"].outcome is Outcome.INCONCLUSIVE


def test_a_manifest_that_cannot_be_read_says_why():
    finding = found(evidence({"p99_ms": None}, problem="GET /metadata: HTTP 401"), "fail")["p99"]
    assert finding.outcome is Outcome.FAIL
    assert finding.message == "GET /metadata: HTTP 401"


def test_promises_that_nobody_asked_for_are_not_judged():
    assert found(evidence(None), "fail") == {}


def asked(monkeypatch, tmp_path, answer):
    suite = parse_suite(SUITE, Path("gate.toml"))
    monkeypatch.setattr(manifest, "get_document", lambda *_args, **_bounds: answer)
    return read_promises(check_context(suite, tmp_path), suite.config.latency)


def test_promises_are_read_where_the_suite_points(monkeypatch, tmp_path):
    body = json.dumps({"budget": {"p99": 10, "memory": 256.5}}).encode()
    read = asked(monkeypatch, tmp_path, Document(httpx.codes.OK, body, ""))
    assert read == Promises(promised={"p99_ms": 10.0, "memory_mib": 256.5})


@pytest.mark.parametrize("budget", ['"fast"', "true", "0", "-1", "null", "1e999", "NaN", "[1]", "1" * 400])
def test_what_is_no_positive_number_is_no_promise(monkeypatch, tmp_path, budget):
    body = f'{{"budget": {{"p99": {budget}}}}}'.encode()
    read = asked(monkeypatch, tmp_path, Document(httpx.codes.OK, body, ""))
    assert read == Promises(promised={"p99_ms": None, "memory_mib": None})


@given(body=st.binary(max_size=60))
@hypothesis_settings(deadline=None)
def test_any_answer_is_read_or_refused(body):
    with pytest.MonkeyPatch.context() as patch:
        read = asked(patch, Path(), Document(httpx.codes.OK, body, ""))
    assert set(read.promised) == {"p99_ms", "memory_mib"}
    assert len(read.problem) <= 200


def test_no_answer_is_told(monkeypatch, tmp_path):
    read = asked(monkeypatch, tmp_path, Document(401, b"", "HTTP 401, expected 200"))
    assert read.problem == "GET /metadata: HTTP 401, expected 200"
    assert set(read.promised.values()) == {None}


def test_a_secret_is_replaced_before_a_problem_is_cut(monkeypatch, tmp_path):
    suite = parse_suite(SUITE, Path("gate.toml"))
    answer = Document(401, b"", "x" * (200 - len("GET /metadata: ") - 4) + KEY)
    monkeypatch.setattr(manifest, "get_document", lambda *_args, **_bounds: answer)
    auth = AuthSettings.model_validate({"keys": ["default"]})
    context = replace(
        check_context(suite, tmp_path), credentials=Credentials(auth, {"GATE_KEY_DEFAULT": KEY})
    )
    read = read_promises(context, suite.config.latency)
    assert len(read.problem) == 200
    assert KEY[:4] not in read.problem


def test_promises_need_a_place_to_be_read_from():
    suite = parse_suite(SUITE.replace('[service.metadata]\npath = "/metadata"\n', ""), Path("gate.toml"))
    with pytest.raises(ConfigError, match=r"service\.metadata"):
        verify_promises(suite, suite.config.latency)
    nothing = SUITE.replace('{ p99_ms = "/budget/p99", memory_mib = "/budget/memory" }', "{}")
    with pytest.raises(ConfigError, match="names no promise"):
        parse_suite(nothing, Path("gate.toml"))
