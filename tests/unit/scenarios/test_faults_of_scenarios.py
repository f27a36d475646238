"""Faults that scenarios find name scenarios, credentials and variants that there are."""

import tomllib
from pathlib import Path

import pytest

from harness.selftest.outcome import is_any_of

ROOT = Path(__file__).resolve().parents[3]
FAULTS = sorted((ROOT / "scenarios" / "selftest" / "faults").glob("scenarios_*"))
SUITE = tomllib.loads((ROOT / "gate.toml").read_text())
FINDINGS = {
    f"scenarios.{check}": [
        *(
            f"scenarios.{check}.{scenario['id']}"
            for file in SUITE["scenarios"][check]
            for scenario in tomllib.loads((ROOT / file).read_text())["scenario"]
        ),
        f"scenarios.{check}.secrets",
    ]
    for check in ("auth", "rate")
}


@pytest.fixture(params=FAULTS, ids=lambda folder: folder.name)
def fault(request):
    return request.param, tomllib.loads((request.param / "fault.toml").read_text())


def test_it_has_a_probe(fault):
    folder, _ = fault
    assert (folder / "probe.py").is_file()


def test_it_is_caught_by_scenarios_that_there_are(fault):
    _, declared = fault
    assert declared["caught_by"].keys() & FINDINGS.keys()
    for check, ids in declared["caught_by"].items():
        assert check not in FINDINGS or set(ids) <= set(FINDINGS[check])


def test_what_may_also_fail_are_scenarios_that_there_are(fault):
    _, declared = fault
    known = [id_ for ids in FINDINGS.values() for id_ in ids]
    for each in declared.get("may_also_fail", ()):
        assert any(is_any_of(id_, (each,)) for id_ in known), each


def test_its_probe_asks_for_what_the_suite_declares(fault):
    _, declared = fault
    asked = declared.get("probe", {})
    assert asked.get("variant") in {None, *SUITE["service"]["variants"]}
    for token in asked.get("tokens", {}).values():
        assert "token" in SUITE["auth"]["credentials"][token["credential"]]
