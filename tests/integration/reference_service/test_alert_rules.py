"""The alert rules before Prometheus's own tool: what each fires on, and what not."""

import pytest

pytestmark = pytest.mark.engine

SPOILT = {
    "InferenceLatencyP95High": ("expr: vector(0.05)\n", "expr: vector(0.06)\n"),
    "InferenceErrorBudgetBurnFast": ("and deployment:http_requests:error_ratio_rate5m", "or vector(0)"),
    "InferenceFeatureDrift": ("expr: vector(1000)\n", "expr: vector(999)\n"),
    "InferenceServiceAbsent": ("absent(up", "absent(down"),
}
"""A rule, and a change of it that its test has to notice."""


@pytest.fixture(scope="module")
def promtool(engine, prometheus_image):
    """Runs promtool on the files of a folder; gives its exit code and what it says."""

    def run(folder, *arguments):
        container = engine.containers.create(
            prometheus_image,
            arguments,
            entrypoint=["promtool"],
            working_dir="/rules",
            volumes={str(folder): {"bind": "/rules", "mode": "ro"}},
            network_mode="none",
        )
        try:
            container.start()
            return container.wait(timeout=120)["StatusCode"], container.logs().decode()
        finally:
            container.remove(force=True)

    return run


@pytest.fixture
def changed(tmp_path, monitoring):
    """Copies the rules and their tests, with texts of the rules replaced."""

    def change(*replacements):
        tmp_path.chmod(0o755)
        rules = (monitoring / "alerts.yml").read_text()
        for old, new in replacements:
            assert old in rules
            rules = rules.replace(old, new)
        (tmp_path / "alerts.yml").write_text(rules)
        (tmp_path / "alerts_test.yml").write_text((monitoring / "alerts_test.yml").read_text())
        return tmp_path

    return change


def test_rules_are_accepted_and_fire_exactly_as_their_tests_say(promtool, monitoring):
    code, said = promtool(monitoring, "check", "rules", "alerts.yml")
    assert code == 0, said
    code, said = promtool(monitoring, "test", "rules", "alerts_test.yml")
    assert code == 0, said


def test_spoilt_rules_fail_their_tests(promtool, changed):
    code, said = promtool(changed(*SPOILT.values()), "test", "rules", "alerts_test.yml")
    assert code != 0
    assert [alert for alert in SPOILT if alert not in said] == []


def test_a_rule_that_is_no_promql_is_refused(promtool, changed):
    code, said = promtool(changed(("scalar(slo:requests:min)", "scalar(")), "check", "rules", "alerts.yml")
    assert code != 0, said
