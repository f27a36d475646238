"""docs/fuzz.md: a failure is found, sent again, and sent alone; docs/scenarios.md: one family alone."""

import json

import pytest
from walking import Instead

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def takes_nan(my_service):
    """The service with a fault: it answers NaN with NaN."""
    service = my_service.folder / "service.py"
    text = service.read_text()
    for old, new in (
        ("parse_constant=refuse, ", ""),
        ("not -self.limit <= value <= self.limit", "value > self.limit or value < -self.limit"),
    ):
        assert old in text
        text = text.replace(old, new)
    service.write_text(text)
    config = my_service.folder / "gate.toml"
    config.write_text(config.read_text().replace("[fuzz]\n", "[fuzz]\ncases_per_operation = 5\n"))
    return my_service


@pytest.mark.usefixtures("base_image")
def test_a_failure_is_found_and_sent_again(takes_nan, served):
    takes_nan.walk(
        "docs/fuzz.md", "harness run --config gate.toml --seed 0 --only fuzz", codes=(3,), timeout_s=240
    )
    (found,) = (takes_nan.folder / "reports").glob("*/fuzz.raw/reproducers/nan.json")
    run = Instead("reports/RUN/", f"reports/{found.parents[2].name}/", "the name of the run is new each time")
    takes_nan.walk(
        "docs/fuzz.md",
        "harness run --config gate.toml --seed 0 --only fuzz --replay",
        instead=[run],
        codes=(3,),
    )
    key = Instead("=...", f"={takes_nan.environ['GATE_KEY_DEFAULT']}", "the page has no key")
    alone = takes_nan.walk("docs/fuzz.md", "export GATE_KEY_DEFAULT", "curl", instead=[key, served]).out
    assert " 200 " in alone.splitlines()[0]
    assert "NaN" in alone


def test_the_scenarios_are_asked_alone(my_service, plain_image, tag):
    tag(plain_image, "my-service:2.1.0")
    my_service.walk("docs/scenarios.md", "harness run", timeout_s=240)
    report = json.loads((my_service.folder / "reports" / "latest").read_text())
    assert (report["decision"], report["partial"]) == ("promote", True)
    assert {check["family"] for check in report["checks"]} == {"scenarios", "lifecycle"}
