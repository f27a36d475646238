"""The composite action, its shell steps run as a runner runs them."""

import json
import os
from pathlib import Path

import pytest
from actions_runner import Runner
from workflow_commands import annotations_in, commands_in

from harness.errors import ExitCode
from harness.model import Report
from harness.reports.store import RunFolder

ROOT = Path(__file__).resolve().parents[3]
ACTION = Path(".github/actions/promotion-gate")
SHA256 = "sha256:" + "5e" * 32
CANDIDATE = f"registry.test/service@{SHA256}"
# What a candidate may print into the log of its gate.
LOUD = (
    "::error::pwned",
    "##[error]pwned",
    "::set-env name=PATH::/tmp",
    "::stop-commands::x",
    "::x::",
    "::add-mask::e",
)
# Leaves what a run left elsewhere, as `harness run --config SUITE --out FOLDER` would.
GATE = """#!/bin/sh
printf '%s\\n' "$CANDIDATE" "$REFERENCE" "$DEVICE" "$@" >asked
cat loud
[ ! -d "$4" ] || ls "./$4" >found
if [ -d "{stored}" ]; then mkdir -p "./$4" && cp -a "{stored}/." "./$4"; fi
exit {code}
"""


def stored_in(folder, report):
    return RunFolder.create(folder, report.run_id).commit(report)


@pytest.fixture
def gate_decides(checkout, runner, tmp_path):
    """Puts a gate into the checkout that leaves a report and exits with a code."""
    (runner.workspace / "loud").write_text("\n".join(LOUD) + "\n")
    script = checkout / "scripts" / "gate.sh"
    script.parent.mkdir()

    def decide(report: Report | None, code: int):
        if report is not None:
            stored_in(tmp_path / "stored", report)
        script.write_text(GATE.format(stored=tmp_path / "stored", code=int(code)))
        script.chmod(0o755)

    return decide


def pushed(report):
    candidate = report.candidate.model_copy(update={"repo_digest": CANDIDATE})
    return report.model_copy(update={"candidate": candidate})


def gate(runner, **inputs):
    return runner.action(runner.root / ACTION, {"candidate": CANDIDATE, **inputs})


LEVELS = {
    "promote": ["notice", "warning"],
    "reject": ["error", "error", "error", "warning", "warning"],
    "inconclusive": ["error", "error"],
}


@pytest.mark.parametrize("decision", LEVELS)
def test_outputs_summary_annotations_and_exit_code(runner, gate_decides, samples, decision):
    report, levels, code = pushed(getattr(samples, decision)()), LEVELS[decision], ExitCode[decision.upper()]
    gate_decides(report, code)
    ran = gate(runner)
    path = f"reports/{report.run_id}.json"
    assert ran.outputs == {"decision": decision, "report-path": path, "image-digest": SHA256}
    assert ran.code == code
    assert json.loads((runner.workspace / path).read_text())["decision"] == decision
    assert ran.summary.startswith("# ")
    assert decision.upper() in ran.summary.splitlines()[0]
    annotations = annotations_in(ran.output)
    assert [one.name for one in annotations] == levels
    assert annotations[0].properties["title"] == decision
    assert {one.name for one in commands_in(ran.output)} == {"stop-commands", *levels}
    upload = {
        "name": "promotion-gate-cpu",
        "path": f"reports/{report.run_id}*",
        "if-no-files-found": "error",
    }
    assert ran.used[-1] == ("actions/upload-artifact", upload)
    matched = {file.name for file in runner.workspace.glob(upload["path"])}
    assert matched == {f"{report.run_id}{suffix}" for suffix in ("", ".json", ".html", ".md", ".junit.xml")}


def test_inputs_reach_the_gate_whatever_they_hold(runner, gate_decides, samples):
    gate_decides(samples.promote(), ExitCode.PROMOTE)
    odd = {"candidate": "a b'; $(touch pwned) \"", "reference": "`touch pwned`", "suite": "--seed"}
    ran = gate(runner, **odd, out="o p", device="gpu", artifact="mine")
    asked = (runner.workspace / "asked").read_text().split("\n")
    assert asked == [odd["candidate"], odd["reference"], "gpu", "--config", "--seed", "--out", "o p", ""]
    assert ran.code == 0
    assert ran.outputs["report-path"].startswith("o p/")
    assert ran.used[-1][1]["name"] == "mine"
    assert not list(runner.workspace.rglob("pwned"))


def test_an_image_that_was_never_pushed_has_no_digest(runner, gate_decides, samples):
    gate_decides(samples.promote(), ExitCode.PROMOTE)
    assert gate(runner).outputs["image-digest"] == ""


def test_hostile_text_is_in_no_output_and_no_command(runner, gate_decides, samples):
    hostile = samples.hostile().model_copy(update={"run_id": samples.RUN_ID})
    gate_decides(hostile, ExitCode.REJECT)
    ran = gate(runner)
    assert ran.outputs == {
        "decision": "reject",
        "report-path": f"reports/{samples.RUN_ID}.json",
        "image-digest": "",
    }
    names = [one.name for one in commands_in(ran.output)]
    assert names[0] == "stop-commands"
    assert set(names[1:]) == {"error", "warning"}
    assert len(names[1:]) <= 10
    assert "<script" not in ran.summary.split("```")[0]


@pytest.mark.parametrize(
    ("code", "why"), [(2, "usage or configuration"), (5, "infrastructure"), (1, "a crash of the harness")]
)
def test_a_gate_that_breaks_down_tells_no_verdict_of_an_earlier_one(runner, gate_decides, samples, code, why):
    stored_in(runner.workspace / "reports", samples.promote())
    gate_decides(None, code)
    ran = gate(runner)
    assert ran.code == code
    assert ran.outputs == {"decision": "", "report-path": "", "image-digest": ""}
    assert ran.summary.startswith(f"# No verdict: the gate ended with exit code {code} ({why}")
    (annotation,) = annotations_in(ran.output)
    assert (annotation.name, annotation.properties["title"]) == ("error", "no verdict")
    assert not [action for action, _ in ran.used if action == "actions/upload-artifact"]


def test_a_second_run_uploads_its_own_report_only(runner, gate_decides, samples):
    stored_in(runner.workspace / "reports", samples.reject())
    later = samples.promote().model_copy(update={"run_id": "20261122T000000Z-4f2a9c81d0be-aaaaaa"})
    gate_decides(later, ExitCode.PROMOTE)
    ran = gate(runner)
    assert ran.outputs["decision"] == "promote"
    names = [file.name for file in runner.workspace.glob(ran.used[-1][1]["path"])]
    assert all(name.startswith(later.run_id) for name in names)


def test_earlier_reports_lie_beside_the_new_one_and_out_of_the_artifact(runner, gate_decides, samples):
    earlier = runner.temp / "earlier"
    promoted = stored_in(earlier, samples.promote())
    (earlier / "no report; $(touch pwned)\n::error::x.json").write_text("{}")
    (earlier / "folder.json").mkdir()
    (earlier / "-n.json").symlink_to("/etc/passwd")
    later = samples.reject().model_copy(update={"run_id": "20261122T000000Z-4f2a9c81d0be-aaaaaa"})
    gate_decides(later, ExitCode.REJECT)
    ran = gate(runner, earlier=str(earlier), out="o p")
    assert ran.code == ExitCode.REJECT, ran.output
    found = (runner.workspace / "found").read_text().splitlines()
    assert found == [promoted.name]
    assert [one.data for one in annotations_in(ran.output) if one.data == "x"] == []
    assert not list(runner.workspace.rglob("pwned"))
    names = {path.name for path in runner.workspace.glob(ran.used[-1][1]["path"])}
    assert names
    assert all(name.startswith(later.run_id) for name in names)


def test_an_earlier_report_replaces_none_that_lies_there(runner, gate_decides, samples):
    report = samples.promote()
    here = stored_in(runner.workspace / "reports", report)
    there = stored_in(runner.temp / "earlier", report)
    there.write_text("{}")
    gate_decides(None, ExitCode.INFRASTRUCTURE)
    before = here.read_bytes()
    assert gate(runner, earlier=str(there.parent)).code == ExitCode.INFRASTRUCTURE
    assert here.read_bytes() == before


def test_earlier_reports_that_are_nowhere_end_it_before_the_gate(runner, gate_decides, samples):
    gate_decides(samples.promote(), ExitCode.PROMOTE)
    ran = gate(runner, earlier="nowhere")
    assert ran.code == ExitCode.USAGE
    (annotation,) = annotations_in(ran.output)
    assert annotation.properties["title"] == "earlier reports"
    assert not (runner.workspace / "asked").exists()
    assert ran.outputs["decision"] == ""


def test_no_candidate_is_refused_before_the_gate(runner, gate_decides, samples):
    """An output of a job that was skipped is empty."""
    gate_decides(samples.promote(), ExitCode.PROMOTE)
    ran = gate(runner, candidate="")
    assert ran.code == ExitCode.USAGE
    assert annotations_in(ran.output)[0].data.startswith("candidate: ")
    assert not (runner.workspace / "asked").exists()
    assert ran.outputs["decision"] == ""


def test_the_suites_own_service_is_built_where_that_is_said(runner, gate_decides, samples):
    gate_decides(samples.promote(), ExitCode.PROMOTE)
    assert gate(runner, candidate="build").code == 0
    assert (runner.workspace / "asked").read_text().splitlines()[0] == ""


@pytest.fixture
def real_runner(tmp_path, tools):
    return Runner(tmp_path / "runner", ROOT, tools, DOCKER_HOST=os.environ["DOCKER_HOST"])


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("decision", ["promote", "reject"])
def test_a_real_gate(real_runner, tiny_variant, tiny_suite, decision):
    """Nothing stands in but for `make venv`: scripts/gate.sh, containers, report."""
    runner = real_runner
    tiny_suite(folder=runner.workspace)
    image = tiny_variant(f"ENV FACTOR={'2' if decision == 'promote' else '3'}")
    ran = gate(runner, candidate=image, reference="none")
    assert ran.outputs["decision"] == decision, ran.output
    assert ran.code == ExitCode[decision.upper()]
    report = json.loads((runner.workspace / ran.outputs["report-path"]).read_text())
    assert (report["scope"], report["partial"]) == ("container", False)
    assert report["policy"]["path"] == "gate.toml"
    assert decision.upper() in ran.summary.splitlines()[0]
    assert annotations_in(ran.output)[0].properties["title"] == decision


@pytest.mark.engine
@pytest.mark.slow
def test_a_gate_that_is_given_earlier_reports_tells_what_was_loosened(real_runner, tiny_variant, tiny_suite):
    runner = real_runner
    config = tiny_suite("[golden.limits.outputs.y]\natol = 1\nsource = 'by hand'\n", folder=runner.workspace)
    inputs = {"candidate": tiny_variant("ENV FACTOR=2"), "reference": "none"}
    first = gate(runner, **inputs)
    assert first.outputs["decision"] == "promote", first.output
    (runner.workspace / "reports").rename(runner.temp / "earlier")
    config.write_text(config.read_text().replace("atol = 1", "atol = 2"))
    ran = gate(runner, **inputs, earlier=str(runner.temp / "earlier"))
    report = json.loads((runner.workspace / ran.outputs["report-path"]).read_text())
    (change,) = report["since_last_promote"]["changes"]
    assert change["direction"] == "loosened"
    assert change["key"] in ran.summary
    assert (change["old"], change["new"]) == (1, 2)
