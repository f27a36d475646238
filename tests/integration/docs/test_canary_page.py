"""docs/canary.md: two services, the gate on both, and nothing left of it."""

import json

import pytest
from local_processes import free_port
from walking import Instead

pytestmark = pytest.mark.slow


# Half an hour of the suite in the time of a test.
SHORT = {"rate_per_s = 10": 50, "budget_s = 1800": 12, "block_s = 10": 1, "warmup_requests = 300": 50}


def shorten(config):
    text = config.read_text()
    for line, value in SHORT.items():
        assert f"\n{line}\n" in text
        text = text.replace(line, f"{line.partition(' ')[0]} = {value}")
    config.write_text(text)


def test_a_canary_is_held_against_its_baseline_and_nothing_is_left(checkout):
    shorten(checkout.folder / "gate.canary.toml")
    temporary = checkout.folder.parent / "tmp"
    temporary.mkdir()
    checkout.environ["TMPDIR"] = str(temporary)
    before = set(checkout.folder.iterdir())
    baseline, canary = free_port(), free_port()
    checkout.walk(
        "docs/canary.md",
        "folder=",
        "export GATE_KEY_DEFAULT",
        "digest=",
        "printf",
        "export SERVICE_HOST",
        "export SERVICE_ARTIFACT",
        "SERVICE_PORT=18081",
        "SERVICE_PORT=18082",
        "harness run --config gate.canary.toml",
        "sed",
        "harness run --config gate.canary-short.toml",
        "kill",
        "rm",
        instead=[
            Instead("https://baseline.internal.example", f"http://127.0.0.1:{baseline}", "it is no host"),
            Instead("https://canary.internal.example", f"http://127.0.0.1:{canary}", "it is no host"),
            Instead("18081", str(baseline), "the port may be taken"),
            Instead("18082", str(canary), "the port may be taken"),
            Instead("budget_s = 60", "budget_s = 12", "a minute shows no more"),
        ],
        before="set +e",  # a verdict other than promote ends no terminal
    )
    reports = [json.loads(path.read_text()) for path in (checkout.folder / "reports").glob("*.json")]
    assert [report["scope"] for report in reports] == ["url", "url"]
    assert {report["decision"] for report in reports} <= {"promote", "inconclusive"}
    assert set(checkout.folder.iterdir()) - before == {checkout.folder / "reports"}
    assert list(temporary.iterdir()) == []
