"""Tables that list what the code has list all of it, and nothing else."""

import json
import re

import pytest

from harness.checks.artifact.settings import ArtifactLimits, ArtifactSettings, OnnxSettings
from harness.checks.contract.settings import ProvokeSettings, ResponsesSettings, TensorSettings
from harness.checks.drift.settings import DriftLimits, DriftSettings
from harness.checks.fuzz.corpus import CORPUS
from harness.checks.fuzz.settings import SchemaCheck
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.settings import GoldenSettings
from harness.checks.image.settings import ImageLimits, ImageSettings
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.loads import BurstSettings, CapacitySettings, SloSettings
from harness.checks.latency.loads import SoakSettings as LatencySoakSettings
from harness.checks.latency.settings import LatencySettings, MetricsSettings
from harness.checks.latency.usage_settings import CpuLimits, MemoryLimits
from harness.checks.lifecycle.settings import (
    DrainSettings,
    LifecycleLimits,
    LifecycleSettings,
    RefusalSettings,
    RestartSettings,
    SoakSettings,
    StartupSettings,
)
from harness.checks.scenarios.rate_policy import RatePolicy
from harness.checks.scenarios.scenario import Count, Expect, Forge, Quota, Rule, Scenario, Step, TlsOffer
from harness.checks.telemetry.settings import TelemetryLimits, TelemetrySettings
from harness.openapi import RULES, Severity
from harness.selftest.catalogue import BenignSettings, FaultSettings
from harness.selftest.model import Result
from harness.selftest.probing import Given
from harness.selftest.tables import UNTRIED, result_words

CATALOGUE = {"fault": FaultSettings, "benign": BenignSettings}
NAME = re.compile(r"`([a-z0-9][a-z0-9_.-]*)`")


def rows_by_name(page):
    """Table rows whose first cell is one name in code, by that name."""
    rows = [(NAME.fullmatch(row[0]), row[1:]) for row in page.table_rows()]
    named = [(match.group(1), cells) for match, cells in rows if match]
    assert len({name for name, _ in named}) == len(named), "a name stands in two rows"
    return dict(named)


def test_every_contract_rule_stands_with_its_severity_and_no_other_does(pages):
    rows = {name: cells for name, cells in rows_by_name(pages["docs/contract.md"]).items() if len(cells) == 2}
    shown = {name: cells[0] for name, cells in rows.items() if cells[0] in set(Severity)}
    assert shown == {rule: str(severity) for rule, severity in RULES.items()}
    assert all(meaning for _, meaning in rows.values())


def test_every_key_of_what_is_asked_of_a_contract_is_explained(pages):
    rows = {
        name
        for name, cells in rows_by_name(pages["docs/contract.md"]).items()
        if cells[0] not in set(Severity)
    }
    asked = (ResponsesSettings, ProvokeSettings, TensorSettings)
    assert {name for model in asked for name in model.model_fields} <= rows


def test_every_raw_case_stands_with_its_expectation_and_no_other_does(pages):
    rows = {name: cells for name, cells in rows_by_name(pages["docs/fuzz.md"]).items() if len(cells) == 2}
    words = {"refused_or_closed": "refused or closed"}
    expected = {
        case.name: ", or ".join([words.get(case.expect, case.expect), *map(str, sorted(case.statuses))])
        for case in CORPUS
    }
    del rows["fuzz.schema"], rows["fuzz.raw"]
    assert {name: cells[1] for name, cells in rows.items()} == expected
    assert all(cells[0] for cells in rows.values())


def test_every_check_of_generated_answers_is_explained(pages):
    rows = {name for name, cells in rows_by_name(pages["docs/fuzz.md"]).items() if len(cells) == 1}
    assert rows == set(SchemaCheck.__args__)


@pytest.mark.parametrize("model", [Scenario, Step, TlsOffer, Expect, Rule, Count, Forge, Quota, RatePolicy])
def test_every_key_of_a_scenario_file_is_explained(pages, model):
    text = pages["docs/scenarios.md"].text
    missing = [name for name in model.model_fields if f"`{name}`" not in text]
    assert not missing


def test_every_key_of_an_entry_of_a_catalogue_is_explained(pages):
    rows = rows_by_name(pages["docs/selftest.md"])
    keys = {name: {of for of, model in CATALOGUE.items() if name in model.model_fields} for name in rows}
    for model in CATALOGUE.values():
        assert set(model.model_fields) <= set(rows)
    shown = {name: cells[0] for name, cells in rows.items() if keys[name]}
    assert shown == {name: "both" if len(of) == 2 else next(iter(of)) for name, of in keys.items() if of}


def test_every_result_of_a_trial_is_explained(pages):
    explained = [cells[0] for cells in pages["docs/selftest.md"].table_rows() if len(cells) == 2]
    for result in Result:
        assert explained.count(result_words(result)) == 1
    assert UNTRIED in explained


def test_all_that_a_probe_gets_is_explained(pages):
    text = pages["docs/selftest.md"].text
    assert [name for name in Given.__dataclass_fields__ if f"`{name}`" not in text] == []


def test_every_key_of_image_is_explained_with_its_default(pages):
    rows = {row[0]: row[1] for row in pages["docs/gate-toml.md"].table_rows() if len(row) == 3}
    settings = {f"`{name}`": field.default for name, field in ImageSettings.model_fields.items()}
    del settings["`limits`"]
    limits = {f"`limits.{name}`": field.default for name, field in ImageLimits.model_fields.items()}
    for key, default in (settings | limits).items():
        shown = "none" if default is None else f"`{json.dumps(default)}`"
        assert rows[key] == shown


@pytest.mark.parametrize(
    ("name", "section", "allowed"),
    [
        ("docs/golden.md", GoldenSettings, GoldenLimits),
        ("docs/lifecycle.md", LifecycleSettings, LifecycleLimits),
        ("docs/telemetry.md", TelemetrySettings, TelemetryLimits),
        ("docs/drift.md", DriftSettings, DriftLimits),
    ],
)
def test_every_key_of_a_family_is_explained_with_its_default(pages, name, section, allowed):
    rows = {row[0]: row[1] for row in pages[name].table_rows() if len(row) == 3}
    settings = {f"`{key}`": field for key, field in section.model_fields.items()}
    del settings["`limits`"]
    limits = {f"`limits.{key}`": field for key, field in allowed.model_fields.items()}
    for key, field in (settings | limits).items():
        shown = "none" if field.default is None else f"`{field.default}`"
        assert rows[key] == ("required" if field.is_required() else shown)


def test_every_key_of_artifact_is_explained_with_its_default(pages):
    rows = {row[0]: row[1] for row in pages["docs/artifact.md"].table_rows() if len(row) == 3}
    models = {"": ArtifactSettings, "onnx.": OnnxSettings, "limits.": ArtifactLimits}
    fields = {
        f"`{prefix}{key}`": field
        for prefix, model in models.items()
        for key, field in model.model_fields.items()
        if key not in {"limits", "opsets"}
    }
    for key, field in fields.items():
        shown = "none" if field.default is None else f"`{field.default}`"
        assert rows[key] == ("required" if field.is_required() else shown)
    assert "`limits.opsets`" in rows


@pytest.mark.parametrize(
    ("key", "section"),
    [
        ("startup", StartupSettings),
        ("refusals", RefusalSettings),
        ("restart", RestartSettings),
        ("drain", DrainSettings),
        ("soak", SoakSettings),
    ],
)
def test_every_key_of_a_part_of_the_lifecycle_is_explained_with_its_default(pages, key, section):
    rows = {row[0]: row[1] for row in pages["docs/lifecycle.md"].table_rows() if len(row) == 3}
    explained = {name.strip("`"): shown for name, shown in rows.items() if name.startswith(f"`{key}.")}
    assert explained == {
        f"{key}.{name}": "required"
        if field.is_required()
        else ("none" if field.default is None else f"`{field.default}`")
        for name, field in section.model_fields.items()
    }


def test_every_key_of_the_snapshots_of_metrics_is_explained_with_its_default(pages):
    rows = {row[0].strip("`"): row[1] for row in pages["docs/canary.md"].table_rows() if len(row) == 3}
    shown = {name: value for name, value in rows.items() if name.startswith("metrics.")}
    assert shown == {
        f"metrics.{name}": "required"
        if field.is_required()
        else ("none" if field.default is None else f"`{field.default}`")
        for name, field in MetricsSettings.model_fields.items()
    }


def test_every_key_of_latency_is_explained_with_its_default(pages):
    rows = {row[0]: row[1] for row in pages["docs/latency.md"].table_rows() if len(row) == 3}
    settings = {f"`{name}`": field.default for name, field in LatencySettings.model_fields.items()}
    limits = {f"`limits.{name}`": field.default for name, field in LatencyLimits.model_fields.items()}
    del settings["`limits`"], settings["`request`"], settings["`metrics`"], limits["`limits.burst`"]
    usage = {"`limits.cpu`": f"margin {CpuLimits().margin:.2f}, no `max_ms`", "`limits.memory`": "none"}
    assert {name: rows.get(name) for name in usage} == usage
    assert set(MemoryLimits().model_dump().values()) == {None}
    limits = {name: default for name, default in limits.items() if name not in usage}
    del limits["`limits.soak`"], limits["`limits.capacity`"]
    quantiles = {f"`limits.{name}`" for name in LatencyLimits().by_name}
    plain = {name: default for name, default in (settings | limits).items() if name not in quantiles}
    shown = {name: rows.get(name, "").strip("`") for name in plain}
    assert shown == {
        name: f"{default:g}" if isinstance(default, float | int) else str(default or "none")
        for name, default in plain.items()
    }
    margins = ", ".join(f"{declared.margin:.2f}" for _, declared in LatencyLimits().by_name.values())
    assert rows["`limits.p50`, `p95`, `p99`"] == f"margin {margins}, no `slo_ms`"
    within = LatencyLimits().burst
    assert within.p50.margin == within.p95.margin
    assert rows["`limits.burst`"] == f"margin {within.p50.margin:.2f} for p50 and p95, no `slo_ms`"
    assert rows["`limits.capacity`"] == f"`margin` {LatencyLimits().capacity.margin:g}, no `min_per_s`"
    grown = LatencyLimits().soak
    assert rows["`limits.soak`"] == (
        f"`max_slowdown` {grown.max_slowdown:g}, `max_growth_kib` {grown.max_growth_kib:g}"
    )


@pytest.mark.parametrize(
    ("section", "model"),
    [
        ("burst", BurstSettings),
        ("capacity", CapacitySettings),
        ("slo", SloSettings),
        ("soak", LatencySoakSettings),
    ],
)
def test_every_key_of_what_latency_asks_by_choice_is_explained_with_its_default(pages, section, model):
    text = pages["docs/latency.md"].text.replace("\n", " ")
    for name, field in model.model_fields.items():
        shown = "is required" if field.is_required() else f"{field.default:g}"
        assert f"`{section}.{name}` {shown}" in text
