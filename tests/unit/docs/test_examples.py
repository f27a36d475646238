"""The examples are what they say they are."""

import json
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from harness.checks.golden.header import Blessing, GoldenHeader
from harness.checks.scenarios.scenario import ScenarioFile
from harness.config.section import FamilySettings, Limits
from harness.config.suite import GateConfig, parse_suite
from harness.model import Family, Outcome
from harness.selftest.catalogue import FaultSettings

LEAST = 'schema_version = 1\nname = "x"\n[service]\nport = 80\nready_path = "/ready"\n'
OWN_IMAGE = "docs/gate-your-own-image.md"
SELFTEST = "docs/selftest.md"


def is_golden_header(block):
    return "[producer]" in block.text


def is_history(block):
    return block.first_line == "[[blessings]]"


def is_gate(block):
    """In pages about other files a block shows it; elsewhere it is what is meant by TOML."""
    if block.page == "docs/scenarios.md":
        return block.first_line == "# gate.toml"
    if block.page == SELFTEST:
        return block.first_line == "[selftest]"
    return not is_golden_header(block) and not is_history(block)


def gate_files(page):
    """The parts of gate.toml on a page put together; the start of a whole one begins another."""
    texts = [LEAST]
    for block in filter(is_gate, page.blocks("toml")):
        if block.text.startswith("schema_version") or "\nschema_version" in block.text:
            texts.append("")
        texts[-1] += block.text
    return texts if texts[0] != LEAST else texts[1:]


def test_the_parts_of_a_gate_toml_make_a_whole(page):
    for text in gate_files(page):
        GateConfig.model_validate(tomllib.loads(text))


def test_every_scenario_is_valid(pages):
    blocks = [block for block in pages["docs/scenarios.md"].blocks("toml") if not is_gate(block)]
    assert blocks
    for block in blocks:
        ScenarioFile.model_validate(tomllib.loads(block.text))


def test_the_parts_of_a_fault_make_a_whole(pages):
    text = "".join(block.text for block in pages[SELFTEST].blocks("toml") if not is_gate(block))
    fault = FaultSettings.model_validate(tomllib.loads(text))
    assert set(fault.probe.tokens) == {"expired_an_hour_ago"}


def test_gate_your_own_image_makes_one_suite(pages):
    (text,) = gate_files(pages[OWN_IMAGE])
    config = parse_suite(text, Path("gate.toml")).config
    declared = {family for family in Family if config.family(family) is not None}
    assert declared == {Family.GOLDEN, Family.CONTRACT, Family.FUZZ, Family.LATENCY}


def test_the_golden_set_of_gate_your_own_image_is_one(pages):
    (header,) = filter(is_golden_header, pages[OWN_IMAGE].blocks("toml"))
    read = GoldenHeader.model_validate(tomllib.loads(header.text.replace('"..."', f'"{"0" * 64}"')))
    cases = "".join(block.text for block in pages[OWN_IMAGE].blocks("json")).splitlines()
    assert len(cases) == read.cases.count
    assert set(json.loads(cases[0])) == {"id", "input", "expected"}


def test_the_blessing_of_golden_is_one(pages):
    (history,) = filter(is_history, pages["docs/golden.md"].blocks("toml"))
    (blessing,) = tomllib.loads(history.text)["blessings"]
    Blessing.model_validate(blessing)


class HealthLimits(Limits):
    health_ms: float = 100.0


class HealthSettings(FamilySettings):
    health_path: str | None = "/health"
    limits: HealthLimits = HealthLimits()


@pytest.fixture
def settings_to_write(monkeypatch):
    """The settings that the page leaves to its reader."""
    module = ModuleType("harness.checks.lifecycle.settings")
    module.LifecycleSettings = HealthSettings
    module.LifecycleLimits = HealthLimits
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.usefixtures("settings_to_write")
def test_the_check_of_write_a_check_judges(pages):
    (block,) = pages["docs/write-a-check.md"].blocks("python")
    module = ModuleType("harness.checks.lifecycle.health")
    exec(compile(block.text, block.page, "exec"), module.__dict__)
    check = module.Health()
    for answered_ms, outcome in (
        ((3.0, 99.0), Outcome.PASS),
        ((3.0, 101.0), Outcome.FAIL),
        ((), Outcome.FAIL),
    ):
        evidence = module.HealthEvidence(expected=2, executed=len(answered_ms), answered_ms=answered_ms)
        (finding,) = check.judge(evidence, HealthLimits())
        assert (finding.id, finding.outcome) == ("lifecycle.health.slowest", outcome)


def test_python_compiles(page):
    for block in page.blocks("python"):
        compile(block.text, page.name, "exec")


def test_json_is_json(page):
    for block in page.blocks("json"):
        for line in filter(None, block.text.splitlines()):
            json.loads(line)
