"""Snapshots of metrics: what is kept of an answer, and what a report says of them."""

import math
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.checks.latency.settings import LatencySettings, MetricsSettings
from harness.checks.latency.snapshot_findings import increase, judge_snapshots
from harness.checks.latency.snapshot_taker import MOST_BYTES, SnapshotTaker
from harness.checks.latency.snapshots import Snapshot
from harness.config.auth import AuthSettings
from harness.credentials import Credentials
from harness.model import Outcome

KEY = "a-key-that-nobody-may-read"
ASKED = "requests_total"
EXPOSED = f'# TYPE requests counter\nrequests_total{{path="/a"}} 2\nrequests_total{{path="/b"}} 3\n# {KEY}\n'


@pytest.fixture
def serve():
    """Serves a status and a text at every path; gives its base URL."""
    servers = []

    def started(status, text):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def taker(tmp_path):
    """Takes snapshots of two services."""

    def of(candidate, reference, **settings):
        keys = {"keys": ["default"], "credentials": {"key": {"headers": {"X-Key": "${key.default}"}}}}
        credentials = Credentials(AuthSettings.model_validate(keys), {"GATE_KEY_DEFAULT": KEY})
        context = SimpleNamespace(
            candidate=SimpleNamespace(base_url=candidate),
            reference=reference and SimpleNamespace(base_url=reference),
            credentials=credentials,
            folder=tmp_path,
        )
        asked = {"path": "/metrics", "credential": "key", "counters": [ASKED]}
        return SnapshotTaker(context, MetricsSettings.model_validate(asked | settings))

    return of


def test_what_both_expose_is_kept_without_secrets(serve, taker, tmp_path):
    taking = taker(serve(200, EXPOSED), serve(200, EXPOSED.replace("3", "4")), interval_s=3600)
    taking.take_if_due()
    taking.take_if_due()
    taking.take()
    assert [(each.side, each.counters[ASKED], each.problem) for each in taking.taken] == [
        ("reference", 6.0, ""),
        ("candidate", 5.0, ""),
    ] * 2
    assert len({each.file for each in taking.taken}) == 4
    for each in taking.taken:
        text = (tmp_path / each.file).read_text()
        assert "requests_total" in text
        assert KEY not in text


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((503, "down\n"), "HTTP 503, expected 200"),
        ((200, "not { metrics\n"), "not in the Prometheus text format"),
        ((200, "a 1\n" * (MOST_BYTES // 4) + KEY), f"more than {MOST_BYTES} bytes"),
    ],
)
def test_a_snapshot_that_fails_is_kept_too(serve, taker, tmp_path, answer, problem):
    taking = taker(serve(*answer), None)
    taking.take()
    (taken,) = taking.taken
    assert problem in taken.problem
    assert taken.counters == {}
    kept = (tmp_path / taken.file).read_text()
    assert kept.startswith(answer[1][:3])
    assert len(kept) <= MOST_BYTES
    assert KEY[:8] not in kept


def test_nobody_there_is_a_problem_and_no_crash(taker):
    taking = taker("http://127.0.0.1:1", None)
    taking.take()
    assert "no answer" in taking.taken[0].problem


def test_none_are_taken_that_are_not_declared():
    taking = SnapshotTaker(SimpleNamespace(), None)
    taking.take_if_due()
    taking.take()
    assert taking.taken == ()


def test_more_snapshots_than_anybody_reads_are_refused():
    asked = {"budget_s": 3600, "metrics": {"path": "/metrics", "interval_s": 10}}
    with pytest.raises(ValidationError, match="at most 200 times"):
        LatencySettings.model_validate(asked)


@pytest.mark.parametrize(
    ("values", "rise"),
    [([], (None, 0)), ([3.0], (None, 0)), ([3.0, 3.0, 5.0], (2.0, 0)), ([3.0, 9.0, 2.0, 4.0], (10.0, 1))],
)
def test_a_counter_that_falls_began_anew(values, rise):
    assert increase(values) == rise


def snapshots(*values, side="candidate", problem=""):
    return [
        Snapshot(side=side, taken_s=float(at), file=f"{at}-{side}", problem=problem, counters={ASKED: value})
        for at, value in enumerate(values)
    ]


def found(given_):
    return {each.id.removeprefix("latency.paired."): each for each in judge_snapshots(given_)}


def test_the_rise_of_both_sides_is_told():
    both = snapshots(1.0, 11.0) + snapshots(5.0, 8.0, side="reference")
    rise = found(both)[f"metrics.{ASKED}"]
    assert rise.message == f"{ASKED} rose by 10 at the candidate, 3 at the reference"
    assert (rise.outcome, rise.observed) == (Outcome.PASS, 10.0)


@pytest.mark.parametrize("values", [(1.0, None, 2.0), (None, None), (2.0, 1.0), (1.0,)])
def test_a_counter_that_cannot_be_followed_is_a_warning(values):
    assert found(snapshots(*values))[f"metrics.{ASKED}"].outcome is Outcome.WARN


def test_a_snapshot_that_failed_is_a_warning():
    kept = found([*snapshots(1.0, 2.0), *snapshots(None, problem="HTTP 503")])["metrics"]
    assert kept.outcome is Outcome.WARN
    assert "HTTP 503" in kept.message


@given(
    st.lists(
        st.builds(
            Snapshot,
            side=st.sampled_from(["candidate", "reference"]),
            taken_s=st.floats(0, 1e9),
            file=st.just("file"),
            problem=st.sampled_from(["", "no answer"]),
            counters=st.dictionaries(
                st.sampled_from("abc"), st.none() | st.floats(allow_nan=False, allow_infinity=False)
            ),
        )
    )
)
def test_any_snapshots_only_show(given_):
    findings = judge_snapshots(given_)
    assert bool(findings) == bool(given_)
    assert {each.outcome for each in findings} <= {Outcome.PASS, Outcome.WARN}
    assert not any(isinstance(each.observed, float) and math.isnan(each.observed) for each in findings)
