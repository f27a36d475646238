import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from harness.checks.telemetry.exposition import Exposition, ExpositionError

LABELS = st.tuples(st.sampled_from(["/a", "/b"]), st.sampled_from(["200", "400"]))


@given(st.lists(st.tuples(LABELS, st.floats(0, 10))))
def test_totals_are_those_of_what_was_counted(observed):
    registry = CollectorRegistry()
    counter = Counter("http_requests", "x", ("path", "status"), registry=registry)
    histogram = Histogram("took_seconds", "x", ("path",), registry=registry)
    for (path, status), seconds in observed:
        counter.labels(path, status).inc()
        histogram.labels(path).observe(seconds)
    read = Exposition.parse(generate_latest(registry).decode())
    for path in ("/a", "/b"):
        of_path = [seconds for (at, _), seconds in observed if at == path]
        if observed:
            assert read.total("http_requests_total", path=path) == len(of_path)
            assert read.total("took_seconds_sum", path=path) == pytest.approx(sum(of_path))
    assert (read.total("http_requests_total") or 0) == len(observed)


def test_a_name_that_is_not_there_has_no_total_but_a_label_that_is_not_has_zero():
    read = Exposition.parse('# TYPE x_total counter\nx_total{path="/a"} 3\n')
    assert read.total("y_total") is None
    assert read.total("x_total", path="/b") == 0
    assert read.total("x_total", path="/a") == 3


def test_what_is_not_finite_has_no_finite_total():
    assert math.isnan(Exposition.parse("x NaN\n").total("x"))
    assert math.isnan(Exposition.parse("x +Inf\n").total("x"))


@pytest.mark.parametrize("text", ["<html>", 'x{path="/a} 1\n', "x one\n", '{"requests": 1}'])
def test_another_format_is_said_to_be_one(text):
    with pytest.raises(ExpositionError, match="not in the Prometheus text format"):
        Exposition.parse(text)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ExpositionError):
        Exposition.parse(text)


@pytest.mark.parametrize(
    ("values", "finite"),
    [("+Inf -Inf", False), ("1e308 1e308", False), (f"{10**400} 1", False), ("1e308 1", True)],
)
def test_any_values_have_a_total(values, finite):
    samples = "".join(f'x{{n="{number}"}} {value}\n' for number, value in enumerate(values.split()))
    read = Exposition.parse(samples)
    assert math.isfinite(read.total("x")) is finite
    assert Exposition.parse(samples.replace("x{", 'x_bucket{le="1",')).buckets("x").keys() == {1.0}


@pytest.mark.parametrize(
    ("text", "why"),
    [("x 1\n" * 100_001, "lines, more than"), ('x{a="' + '\\"' * 20_000 + '"} 1\n', "characters, more than")],
)
def test_what_would_take_minutes_to_read_is_refused(text, why):
    with pytest.raises(ExpositionError, match=why):
        Exposition.parse(text)
