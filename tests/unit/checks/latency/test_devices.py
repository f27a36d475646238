"""What ``[latency.gpu]`` makes of ``[latency]``."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.latency.settings import LatencySettings
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.judgement import asked_sha256

BASE = """
schema_version = 1
name = "s"
[service]
port = 1
ready_path = "/"
[latency]
rate_per_s = 200
budget_s = 60
request = { path = "/predict", body = { a = 1, b = 2 } }
[latency.limits]
p95 = { slo_ms = 50, margin = 0.2 }
p99 = { slo_ms = 100 }
quantiles = { "p99.5" = { margin = 0.5 } }
"""
GPU = """
[latency.gpu]
warmup_requests = 500
request = { path = "/predict", body = { c = 3 } }
[latency.gpu.limits]
max_error_rate = 0.02
p95 = { slo_ms = 5 }
quantiles = { "p99.9" = { margin = 1 } }
"""


def settings(text, device):
    return parse_suite(BASE + text, Path("gate.toml")).on(device).config.latency


def test_on_a_gpu_settings_and_limits_take_the_place_of_others_one_by_one():
    found = settings(GPU, "gpu")
    assert (found.warmup_requests, found.rate_per_s) == (500, 200)
    assert found.request.body == {"c": 3}
    limits = found.limits
    assert (limits.p95.slo_ms, limits.p95.margin) == (5, 0.2)
    assert (limits.p99.slo_ms, limits.p99.margin) == (100, 0.50)
    assert limits.max_error_rate == 0.02
    assert {name: each.margin for name, each in limits.quantiles.items()} == {"p99.5": 0.5, "p99.9": 1}
    assert found.gpu is None


def test_on_a_cpu_it_is_as_if_the_table_were_not_there():
    assert settings(GPU, "cpu") == settings("", "cpu") == settings("", "gpu")
    assert asked_sha256(settings(GPU, "cpu")) == asked_sha256(settings("", "cpu"))


def test_a_suite_without_latency_is_the_same_on_every_device():
    suite = parse_suite(BASE.partition("[latency]")[0], Path("gate.toml"))
    assert suite.on("gpu") == suite


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("[latency.gpu]\nwarmup = 5", "latency.gpu.warmup", "unknown key"),
        ("[latency.gpu.limits]\np95 = { sloms = 5 }", "latency.gpu.limits.p95.sloms", "unknown key"),
        ("[latency.gpu]\ngpu = {}", "latency.gpu.gpu", "unknown key"),
        ("[latency.gpu]\nrate_per_s = 5", "latency", "gpu, with the rest of this section: block_s must hold"),
    ],
)
def test_what_is_wrong_is_found_before_any_device_is_chosen(text, key, problem):
    with pytest.raises(ConfigError) as raised:
        parse_suite(BASE + text, Path("gate.toml"))
    assert f"gate.toml: {key}: " in str(raised.value)
    assert problem in str(raised.value)


@given(st.integers(0, 1000), st.floats(0.01, 5), st.floats(0.01, 5))
def test_whatever_is_said_of_one_limit_the_others_stay(warmup, slo_ms, margin):
    gpu = {"warmup_requests": warmup, "limits": {"p50": {"slo_ms": slo_ms}}}
    found = LatencySettings.model_validate({"limits": {"p50": {"margin": margin}}, "gpu": gpu}).on("gpu")
    assert (found.limits.p50.slo_ms, found.limits.p50.margin) == (slo_ms, margin)
    assert found.limits.p99 == LatencySettings().limits.p99
    assert found.warmup_requests == warmup
