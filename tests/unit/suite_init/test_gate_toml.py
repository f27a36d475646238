"""The text of the first gate.toml: valid as it is, and with each suggestion taken up."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.suite import parse_suite
from harness.suite_init.asking import Answers, Kept
from harness.suite_init.finding import Ready, ServedDocument
from harness.suite_init.gate_toml import Findings, gate_toml
from harness.suite_init.outputs import find_outputs
from harness.suite_init.speed import speed_of

PATH = Path("gate.toml")
SERVICE = '[service]\nport = 8000\nready_path = "/ready"\n'
AUTH = '\n[auth]\nkeys = ["caller"]\n\n[auth.credentials.caller.headers]\nX-API-Key = "${key.caller}"\n'
KEPT = [Kept({"x": 1.5}, {"y": 1.0, "label": "a", "id": "1"}, {"y": 1.0000001, "label": "a", "id": "2"})]


def findings(**changes):
    found = Findings(
        name="scores",
        candidate="http://127.0.0.1:8000",
        by_url=True,
        today=date(2026, 11, 22),
        declared=SERVICE,
        credential=None,
        ready=Ready("/ready", 200),
        document=ServedDocument("/openapi.json", None, {}),
        problems=[],
        path="/predict",
        golden="golden/scores",
        inputs_from="The user's body",
        answers=Answers(kept=KEPT, asked=2, times_ms=[5.0], refusals={"HTTP 422: no": 1}),
        outputs=find_outputs(KEPT),
        speed=speed_of([5.0]),
    )
    return replace(found, **changes)


VARIANTS = {
    "url": {},
    "image": {"by_url": False, "candidate": "scores:1"},
    "auth": {"declared": SERVICE + AUTH, "credential": "caller"},
    "document behind auth": {
        "declared": SERVICE + AUTH,
        "credential": "caller",
        "document": ServedDocument("/spec", "caller", {}),
    },
    "document with GETs": {
        "document": ServedDocument(
            "/openapi.json", None, {"paths": {"/health": {"get": {}}, '/"odd"\n': {"get": {}}}}
        )
    },
    "no document": {"document": None, "problems": ["GET /docs.json is no OpenAPI document"]},
    "not ready": {"ready": Ready("/", 404, usual=False)},
    "slow": {"speed": speed_of([4000.0])},
}


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=list(VARIANTS))
def test_it_is_a_suite(changes):
    found = findings(**changes)
    config = parse_suite(gate_toml(found), PATH).config
    declared = [family for family in ("contract", "golden", "latency") if getattr(config, family) is not None]
    assert [family.value for family in config.policy.required] == declared == found.required
    assert ("latency" in declared) is (changes.get("speed") is None)


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=list(VARIANTS))
def test_what_it_suggests_can_be_taken_up(changes):
    """Each commented-out line of TOML, uncommented, still makes a suite."""
    text = gate_toml(findings(**changes))
    suggested = re.compile(
        r"^# (\[[a-z.]+\]|[a-z_]+ = .*?|[a-z0-9]+ = \{.*?|  \{ .*\},|\])( {2,}#.*)?$", re.MULTILINE
    )
    assert suggested.search(text)
    taken = suggested.sub(r"\1", text)
    config = parse_suite(taken, PATH).config
    assert config.lifecycle is not None
    assert config.auth.credentials["caller"].headers == {"X-API-Key": "${key.caller}"}
    assert config.golden.concurrent is not None
    assert (config.contract is None) is (config.fuzz is None and "openapi" not in taken)
    assert config.latency is not None


def test_the_gets_of_the_document_that_take_nothing_are_suggested():
    paths = {
        "/health": {"get": {}, "post": {}},
        "/items/{id}": {"get": {}},
        "/search": {"get": {"parameters": [{"in": "query", "name": "q"}]}},
        "/shared": {"get": {}, "parameters": [{"in": "header", "name": "x"}]},
        "/predict": {"post": {}},
        "/odd": "no object",
    }
    document = ServedDocument("/openapi.json", None, {"paths": paths})
    assert document.plain_gets == ["/health"]
    assert '#   { method = "GET", path = "/health" },\n# ]' in gate_toml(findings(document=document))


def test_it_says_where_its_numbers_come_from():
    text = gate_toml(findings())
    assert "not that it was right" in text
    assert "Measured by 1 requests" in text
    assert "the largest difference of two answers to 1 cases" in text
    assert "/id: an id, a version or a time, by its name" in text
    assert "Not kept: 1 times HTTP 422: no" in text
    assert max(map(len, text.splitlines())) < 200


@pytest.mark.parametrize(
    ("answer", "atol", "rtol", "said"),
    [
        ({"y": 2.5}, 2.5e-6, 1e-5, "two answers to 1 cases were equal"),
        ({"y": 2.0}, 0.0, 0.0, "whole numbers"),
    ],
    ids=["fraction", "whole"],
)
def test_what_was_equal_has_room_for_another_machine_unless_it_is_whole(answer, atol, rtol, said):
    kept = [Kept(1, answer, answer)]
    outputs = find_outputs(kept)
    text = gate_toml(findings(answers=Answers(kept=kept, asked=1, times_ms=[5.0]), outputs=outputs))
    limits = parse_suite(text, PATH).config.golden.limits.outputs["y"]
    assert (limits.atol, limits.rtol) == (pytest.approx(atol), rtol)
    assert said in limits.source


@pytest.mark.parametrize(("status", "expected"), [(200, None), (201, 201)])
def test_another_success_is_what_a_load_expects(status, expected):
    answers = Answers(kept=KEPT, asked=1, times_ms=[5.0], status=status)
    config = parse_suite(gate_toml(findings(answers=answers)), PATH).config
    assert config.latency.expected_status == (expected or 200)
    assert ("expected_status" in gate_toml(findings(answers=answers))) is (expected is not None)


@given(st.text(), st.text())
def test_text_of_a_service_stays_a_comment_or_a_string(said, key):
    kept = [Kept(1, {key: "x", "y": None, f"{key}id": 1}, {key: "x", "y": None, f"{key}id": 1})]
    kept = kept if find_outputs(kept).settings else KEPT
    found = findings(
        answers=Answers(kept=kept, asked=2, times_ms=[5.0], refusals={said: 1}),
        outputs=find_outputs(kept),
        document=None,
        problems=[said],
        path=f"/{said}",
    )
    config = parse_suite(gate_toml(found), PATH).config
    assert config.golden.single.path == f"/{said}"
    assert config.contract is None
    assert config.fuzz is None


@pytest.mark.parametrize("median_ms", [0.05, 1.0, 9.0, 80.0, 550.0, 20_000.0])
def test_a_load_is_bearable_and_its_limits_can_be_shown(median_ms):
    speed = speed_of([median_ms])
    assert speed.rate_per_s * median_ms / 1000 <= 0.3 or not speed.within_reach
    assert speed.within_reach is (median_ms < 600)
    assert median_ms < speed.slos_ms["p50"] < speed.slos_ms["p95"] < speed.slos_ms["p99"]
    if speed.within_reach:
        parse_suite(gate_toml(findings(speed=speed)), PATH)
