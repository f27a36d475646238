import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.telemetry.evidence import Counted, Sent, TelemetryEvidence
from harness.checks.telemetry.metrics import TelemetryMetrics
from harness.checks.telemetry.settings import (
    DurationHistogram,
    RejectionCounter,
    RequestCounter,
    TelemetryLimits,
)
from harness.model import Outcome


def sent(number=6, status=200, **changes):
    return [
        Sent(path="/p", status=status, seconds=0.01, request_id=f"{status}-{n}", logged=1).model_copy(
            update=changes
        )
        for n in range(number)
    ]


def judged(requests=None, **changes):
    requests = [*sent(), *sent(2, 401)] if requests is None else requests
    evidence = TelemetryEvidence(
        expected=len(requests),
        executed=len(requests),
        request_counter=RequestCounter(metric="http_requests_total", path="path", status="status"),
        inference_counter="inference_predictions_total",
        duration_histogram=DurationHistogram(metric="http_request_duration_seconds", path="path"),
        request_id_header="X-Request-ID",
        sent=tuple(requests),
        rejection_counters=(RejectionCounter(metric="refused_total", status=401),),
        refused=(401,),
        golden=6,
        counted=counted(),
    ).model_copy(update=changes)
    stored = TelemetryEvidence.model_validate_json(evidence.model_dump_json())
    findings = TelemetryMetrics().judge(stored, TelemetryLimits())
    return {finding.id.removeprefix("telemetry.metrics."): finding for finding in findings}


def counted(**changes):
    agreeing = {
        "requests": {"/p 200": 6, "/p 401": 2},
        "durations": {"/p": (8, 0.05)},
        "inferences": 6,
        "buckets": {"/p": ((0.001, 1), (0.05, 8), (math.inf, 8))},
        "rejections": {"refused_total": 2},
    }
    return Counted(**agreeing | changes)


def filed(*counts):
    return counted(buckets={"/p": tuple(zip((0.001, 0.05, math.inf), counts, strict=True))})


def wrong(findings):
    return {name for name, finding in findings.items() if finding.outcome is Outcome.FAIL}


def test_what_agrees_passes():
    findings = judged()
    assert wrong(findings) == set()
    assert findings.keys() == {
        *("scrape", "requests", "inferences", "duration", "duration_buckets", "rejections"),
        *("refused", "request_id", "secrets"),
    }


@pytest.mark.parametrize(
    ("changes", "finding", "told"),
    [
        (
            {"counted": counted(requests={"/p 200": 6, "/p 401": 0})},
            "requests",
            "/p 401: 2 answers, counted 0",
        ),
        ({"counted": counted(requests={"/p 200": 12, "/p 401": 2})}, "requests", "6 answers, counted 12"),
        ({"counted": counted(requests={"/p 200": 6, "/p 401": None})}, "requests", "there is no such metric"),
        ({"counted": counted(inferences=5)}, "inferences", "6 rows answered, counted 5"),
        ({"counted": counted(inferences=8)}, "inferences", "6 rows answered, counted 8"),
        ({"counted": counted(durations={"/p": (8, 50.0)})}, "duration", "clients waited 0.08 s in all"),
        ({"counted": counted(durations={"/p": (8, 0.0)})}, "duration", "rose by 0"),
        ({"counted": counted(durations={"/p": (6, 0.05)})}, "duration", "8 answers, observed 6"),
        ({"counted": filed(0, 7, 8)}, "duration_buckets", "8 clients waited at most 0.05 s, counted 7"),
        ({"counted": filed(9, 9, 8)}, "duration_buckets", "counted 9"),
        ({"counted": filed(0, 8, 9)}, "duration_buckets", "8 answers, the last bucket counted 9"),
        ({"counted": filed(8, 8, 7)}, "duration_buckets", "fewer than a smaller one"),
        ({"counted": counted(buckets={"/p": ()})}, "duration_buckets", "the last bucket counted 0"),
        ({"counted": counted(rejections={"refused_total": 1})}, "rejections", "2 answers 401, counted 1"),
        ({"counted": counted(rejections={})}, "rejections", "there is no such metric"),
        (
            {"requests": [*sent(), *sent(2, 401, request_id=None)]},
            "request_id",
            "2 answers without X-Request-ID",
        ),
        ({"requests": [*sent(), *sent(2, 401, request_id="same")]}, "request_id", "name several requests"),
        (
            {"requests": [*sent(), *sent(1, 401, given_id="sent"), *sent(1, 401, request_id="own")]},
            "request_id",
            "1 answers do not name the id that was sent, such as sent: 401-0",
        ),
        ({"requests": [*sent(), *sent(2, 401, logged=0)]}, "request_id", "no line of the log"),
        ({"requests": [*sent(), *sent(2, 401, logged=2)]}, "request_id", "2 lines of the log"),
        ({"problem": "GET /metrics: status 404"}, "scrape", "status 404"),
        ({"leaked": ("log",)}, "secrets", "a secret of this run stands in the log"),
    ],
)
def test_each_disagreement_fails_its_own_finding(changes, finding, told):
    findings = judged(**changes)
    assert wrong(findings) == {finding}
    assert told in findings[finding].message


def test_an_id_that_was_sent_and_kept_is_as_good_as_one_of_its_own():
    assert wrong(judged([*sent(), *sent(1, 401, given_id="401-0"), *sent(1, 401, request_id="own")])) == set()


def test_metrics_that_cannot_be_read_leave_the_counts_undecided():
    findings = judged(counted=None, problem="GET /metrics: status 500")
    assert wrong(findings) == {"scrape"}
    undecided = {name for name, found in findings.items() if found.outcome is Outcome.INCONCLUSIVE}
    assert undecided == {"requests", "inferences", "duration", "duration_buckets", "rejections"}


def test_a_service_without_a_log_of_ours_still_has_to_name_its_requests():
    assert wrong(judged([*sent(logged=None), *sent(2, 401, logged=None)])) == set()
    assert wrong(judged([*sent(logged=None), *sent(2, 401, logged=None, request_id=None)])) == {"request_id"}


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((401, 400, 401, 429), Outcome.PASS),
        ((401, 429, 401, 400), Outcome.PASS),
        ((401, 400, 401, 400), Outcome.FAIL),
        ((200, 429, 200, 429), Outcome.FAIL),
        ((None, 429, 401, 429), Outcome.PASS),
        ((401,), Outcome.FAIL),
    ],
)
def test_of_each_request_to_be_refused_one_repeat_has_its_status(statuses, outcome):
    requests = [*sent(), *(each for status in statuses for each in sent(1, status))]
    assert judged(requests, refused=(401, 429))["refused"].outcome is outcome


def test_the_request_that_is_not_refused_is_named():
    found = judged([*sent(), *sent(2, 200)], refused=(401,))["refused"]
    assert found.message == "refused[0], /p: declared 401, answered 200"


def test_a_counter_of_refusals_that_were_none_decides_nothing():
    requests = [*sent(), *sent(2, 400)]
    found = judged(requests, counted=counted(rejections={"refused_total": 0}))["rejections"]
    assert (found.outcome, found.message) == (Outcome.INCONCLUSIVE, "refused_total: no answer was 401")
    risen = judged(requests, counted=counted(rejections={"refused_total": 2}))["rejections"]
    assert risen.outcome is Outcome.FAIL


def test_only_what_the_suite_names_is_judged():
    findings = judged(
        refused=(),
        request_counter=None,
        inference_counter=None,
        duration_histogram=None,
        rejection_counters=(),
        request_id_header=None,
    )
    assert findings.keys() == {"scrape", "secrets"}


def test_a_request_without_an_answer_need_not_be_counted():
    requests = [*sent(), *sent(2, 401), *sent(1, None, request_id=None, logged=0)]
    assert wrong(judged(requests)) == set()


@given(st.integers(0, 20), st.integers(0, 20))
def test_a_count_passes_exactly_when_it_is_the_number_of_answers(answers, count):
    requests = [*sent(), *sent(answers, 401)]
    found = judged(requests, counted=counted(requests={"/p 200": 6, "/p 401": count}))
    assert ("requests" in wrong(found)) == (count != answers and answers > 0)


def test_a_clock_that_the_service_stops_a_little_later_is_no_fault():
    at_the_bound = [*sent(seconds=0.0495), *sent(2, 401, seconds=0.0495)]
    assert "duration_buckets" not in wrong(judged(at_the_bound, counted=filed(0, 0, 8)))


@pytest.mark.parametrize(("total_s", "right"), [(0.09, True), (0.16, True), (0.17, False)])
def test_each_answer_may_have_a_little_more_in_the_sum_than_its_client_waited(total_s, right):
    found = judged(counted=counted(durations={"/p": (8, total_s)}))  # clients waited 0.08 s
    assert ("duration" not in wrong(found)) == right


def test_a_log_that_may_have_been_cut_clears_nobody():
    secrets = judged(log_cut=True)["secrets"]
    assert secrets.outcome is Outcome.INCONCLUSIVE
    assert "its beginning may be lost" in secrets.message
    assert judged(log_cut=True, leaked=("metrics",))["secrets"].outcome is Outcome.FAIL
