"""Rules, dashboard and runbook fit what the service exposes, the gate's checks, and each other."""

import json
import re
import tomllib
from pathlib import Path

import promql_parser as promql
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import reference_service
from harness.checks.lifecycle import target
from harness.checks.table import CHECKS
from reference_service.settings import Settings

ROOT = Path(reference_service.__file__).parents[1]
MONITORING = ROOT / "reference_service" / "monitoring"
OF_PROMETHEUS = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate"}}
OF_THE_SCRAPE = {"job", "instance"}
RUNBOOK_URL = "https://github.com/harness-gate/harness/blob/main/reference_service/monitoring/runbook.md"


def read(name):
    return (MONITORING / name).read_text(encoding="utf-8")


RULES = [rule for group in yaml.safe_load(read("alerts.yml"))["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"]: promql.parse(rule["expr"]) for rule in RULES if "record" in rule}
DASHBOARD = json.loads(read("dashboard.json"))
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"] if panel["type"] != "row"}
RUNBOOK = read("runbook.md")


def queries():
    """Every expression of rules, dashboard and runbook, with the place where it stands."""
    for rule in RULES:
        yield rule.get("alert") or rule["record"], rule["expr"]
    for title, panel in PANELS.items():
        for asked in panel["targets"]:
            yield title, asked["expr"].replace("$__rate_interval", "5m")
    for expression in re.findall(r"ask '([^']+)'", RUNBOOK):
        yield "runbook.md", expression


def nodes(expression, kind):
    """All parts of one kind of an expression."""
    found = []
    promql.walk(expression, lambda node: found.append(node) if isinstance(node, kind) else None)
    return found


def selectors(expression):
    """Every series that an expression selects, and the labels that it selects them by."""
    return [
        (chosen.name, {matcher.name for matcher in chosen.matchers.matchers})
        for chosen in nodes(expression, promql.VectorSelector)
    ]


def grouped_by(expression):
    """Every label that an expression groups by."""
    modifiers = [aggregate.modifier for aggregate in nodes(expression, promql.AggregateExpr)]
    return {label for modifier in modifiers if modifier for label in modifier.labels}


def recorded_labels(name):
    return grouped_by(RECORDED[name]) - {"le"}


@pytest.fixture(scope="module")
def exposed(shared, manifest):
    """The labels of every series that the service exposes once it was asked."""
    client = shared
    headers = {"X-API-Key": "good-key"}
    row = manifest["sample"]["input"]
    client.post("/predict", headers=headers, json={"features": row}).raise_for_status()
    for _ in range(12):
        batch = {"instances": [row] * 100}
        client.post("/predict/batch", headers=headers, json=batch).raise_for_status()
    assert client.get("/metadata").is_client_error
    series = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            series.setdefault(sample.name, set()).update(sample.labels)
    return series


def unknown(exposed):
    """Every series or label of a query that neither the service nor a rule has, with its place."""
    known = {name: labels | OF_THE_SCRAPE for name, labels in exposed.items()}
    known |= OF_PROMETHEUS | {name: recorded_labels(name) for name in RECORDED}
    for place, text in queries():
        expression = promql.parse(text)
        labels = set()
        for name, chosen_by in selectors(expression):
            if name not in known:
                yield place, name
            labels |= known.get(name, set())
            yield from ((place, label) for label in chosen_by - known.get(name, set()))
        yield from ((place, label) for label in grouped_by(expression) - labels)


def test_every_query_is_of_series_and_labels_that_the_service_exposes(exposed):
    assert list(unknown(exposed)) == []


def test_a_renamed_series_is_missed(exposed):
    renamed = {name.replace("rate_limited", "limited"): labels for name, labels in exposed.items()}
    assert {name for _, name in unknown(renamed)} >= {"rate_limited_total"}
    assert {"InferenceQuotaBreached", "Refused by quota", "runbook.md"} <= {
        place for place, _ in unknown(renamed)
    }


def test_a_renamed_label_is_missed(exposed):
    renamed = exposed | {"rate_limited_total": {"kind", "deployment_id", "model_version"}}
    assert ("InferenceQuotaBreached", "quota") in unknown(renamed)


def test_every_series_of_the_service_is_on_the_dashboard(exposed):
    shown = {name for _, text in queries() for name, _ in selectors(promql.parse(text))}
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in exposed} - stems == set()


def test_every_alert_is_complete():
    for name, rule in ALERTS.items():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"{RUNBOOK_URL}#{name.lower()}"


def test_every_alert_has_a_test():
    names = {test["name"].partition(",")[0] for test in yaml.safe_load(read("alerts_test.yml"))["tests"]}
    assert names == ALERTS.keys()


def sections(part):
    """The headings of one part of the runbook."""
    text = re.split(r"^# ", RUNBOOK, flags=re.MULTILINE)
    (chosen,) = [each for each in text if each.startswith(part)]
    return re.findall(r"^## (.+)$", chosen, re.MULTILINE)


def test_the_runbook_has_a_section_for_each_alert_and_no_other():
    assert sections("Alerts") == list(ALERTS)


def test_the_runbook_has_a_section_for_each_check_of_the_gate_and_no_other():
    assert sections("Reject reasons") == [target.CHECK_ID, *(check.id for check in CHECKS)]


def test_every_section_of_the_runbook_says_when_it_is_over():
    headings = sections("Alerts") + sections("Reject reasons")
    for heading, text in re.findall(r"^## (.+)\n((?:(?!#+ ).*\n)*)", RUNBOOK, re.MULTILINE):
        headings.remove(heading)
        assert "**Over**" in text, heading
    assert headings == []


def test_the_readme_lists_every_alert_with_its_severity():
    rows = re.findall(r"^\| (Inference[^|]+) \|.*\| (\w+) \|$", read("README.md"), re.MULTILINE)
    listed = {name: severity for names, severity in rows for name in names.split(", ")}
    assert listed == {name: rule["labels"]["severity"] for name, rule in ALERTS.items()}


def anchors(path):
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ["README.md", "runbook.md"])
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", read(page)):
        path, _, anchor = link.partition("#")
        leads_to = MONITORING / (path or page)
        assert leads_to.exists(), link
        assert not anchor or anchor in anchors(leads_to), link


@pytest.mark.parametrize("page", ["README.md", "runbook.md", "alerts.yml"])
def test_every_setting_that_is_named_exists(page):
    named = {name.lower() for name in re.findall(r"\bSERVICE_([A-Z_]+)\b", read(page))}
    assert named
    assert named - Settings.model_fields.keys() == set()


def constant(name):
    return float(re.fullmatch(r"vector\((.+)\)", str(RECORDED[name]))[1])


@pytest.mark.parametrize("quantile", ["p95", "p99"])
def test_latency_limits_are_those_of_the_gate(quantile):
    limits = tomllib.loads((ROOT / "gate.toml").read_text(encoding="utf-8"))["latency"]["limits"]
    assert constant(f"slo:latency_{quantile}:seconds") == limits[quantile]["slo_ms"] / 1000
    steps = PANELS[f"{quantile} of /predict"]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[-1]["value"] == constant(f"slo:latency_{quantile}:seconds")


def test_panels_of_the_dashboard_are_whole():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["targets"] for panel in PANELS.values())
    sources = {asked["datasource"]["uid"] for panel in PANELS.values() for asked in panel["targets"]}
    assert sources == {"${datasource}"}
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "deployment_id", "model_version"}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD)))
    assert used - {"__rate_interval", "__all"} == variables


def test_panels_of_the_dashboard_do_not_overlap():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells
