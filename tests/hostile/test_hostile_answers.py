"""Candidates that answer what no client wants: rejected in bounded time and memory, and that is all."""

import pytest
from hostile_cases import DOCUMENTS, METRICS, UNKNOWN, UNREADY, WAYS

pytestmark = pytest.mark.engine

QUICK = ("--only", "contract", "--only", "golden")
SHORT = {"gzip_bomb", "redirects_elsewhere"}
"""Of size and of where it leads one each; the others take minutes together."""
TELEMETRY = """
[telemetry]
path = "/metrics"
cases = 2
inferences = "scores_total"
settle_s = 0.2
"""

ONE_OF_EACH = [way if way in SHORT else pytest.param(way, marks=pytest.mark.slow) for way in WAYS]


def outcomes(seen):
    return {check["id"]: check["outcome"] for check in seen.report["checks"]}


@pytest.mark.slow
def test_the_same_service_that_does_no_harm_is_promoted(gated, hostile_image, suite):
    """Or a reject would show nothing."""
    gated(hostile_image("sound"), suite(), *QUICK, declared="promote", case="sound")


@pytest.mark.parametrize("way", ONE_OF_EACH)
def test_answers(gated, hostile_image, suite, canary, way):
    seen = gated(hostile_image(way), suite(CANARY=canary.url), *QUICK, declared="reject", case=way)
    assert outcomes(seen)["golden.single"] == "fail"
    assert seen.finding("contract.openapi.served")["outcome"] == "fail"
    assert seen.finding("lifecycle.target.ready")["outcome"] == "pass"
    assert "error" not in outcomes(seen).values()
    assert canary.connections() == 0


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_answers_to_every_family(gated, hostile_image, suite, canary, way):
    config = suite(TELEMETRY, CANARY=canary.url)
    seen = gated(
        hostile_image(way),
        config,
        declared="reject",
        case=f"{way}, all families",
        most_s=400,
    )
    assert {"fuzz.schema", "fuzz.raw", "scenarios.auth", "latency.paired"} <= outcomes(seen).keys()
    assert "pass" not in {outcome for check, outcome in outcomes(seen).items() if check.startswith("fuzz")}
    assert canary.connections() == 0


@pytest.mark.slow
@pytest.mark.parametrize("way", UNREADY)
def test_answers_to_the_question_whether_it_is_ready(gated, hostile_image, suite, canary, way):
    seen = gated(
        hostile_image(way, "ready"),
        suite(CANARY=canary.url),
        *("--only", "golden"),
        declared="reject",
        case=f"{way}, at readiness",
    )
    assert "not ready within 6 s" in seen.finding("lifecycle.target.ready")["message"]
    assert outcomes(seen)["golden.single"] == "skip"
    assert canary.connections() == 0


@pytest.mark.slow
@pytest.mark.parametrize("way", UNKNOWN)
def test_answers_to_the_question_which_model_it_serves(gated, hostile_image, suite, canary, way):
    seen = gated(
        hostile_image(way, "metadata"),
        suite(CANARY=canary.url),
        *("--only", "golden"),
        declared="reject",
        case=f"{way}, at the metadata",
    )
    assert "GET /model" in seen.finding("lifecycle.target.ready")["message"]
    assert canary.connections() == 0


@pytest.mark.slow
@pytest.mark.parametrize("way", DOCUMENTS)
def test_openapi_documents(gated, hostile_image, suite, canary, way):
    config = suite(CANARY=canary.url)
    seen = gated(hostile_image(way), config, "--only", "contract", declared="reject", case=way)
    failed = [
        finding["message"]
        for check in seen.report["checks"]
        for finding in check["findings"]
        if check["id"] == "contract.openapi" and finding["outcome"] == "fail"
    ]
    assert any(DOCUMENTS[way] in message for message in failed)
    assert all(len(message) < 1100 for message in failed)
    assert seen.path.stat().st_size < 4_000_000
    assert canary.connections() == 0


@pytest.mark.slow
@pytest.mark.parametrize("way", METRICS)
def test_metrics(gated, hostile_image, suite, way):
    seen = gated(hostile_image(way), suite(TELEMETRY), "--only", "telemetry", declared="reject", case=way)
    finding, told = METRICS[way]
    assert told in seen.finding(finding)["message"]
    assert outcomes(seen)["telemetry.metrics"] == "fail"
