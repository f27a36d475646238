"""The shell steps of promotion-gate.yml's other jobs, with stand-ins for registry and cosign."""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from actions_expressions import Expressions
from attested_reports import a_check, a_report
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from workflow_commands import annotations_in

from harness.attestation.statement import PREDICATE_TYPE
from harness.cli.app import main
from harness.errors import ExitCode
from harness.reports.json import JsonRenderer

ROOT = Path(__file__).resolve().parents[3]
WORKFLOW = ROOT / ".github" / "workflows" / "promotion-gate.yml"
DIGEST = "sha256:" + "5e" * 32
OTHER = "sha256:" + "6f" * 32
INPUTS = {
    name: one["default"]
    for name, one in yaml.safe_load(WORKFLOW.read_text())[True]["workflow_call"]["inputs"].items()
}
DOCKER = """#!/bin/sh
printf '%s\\n' "docker $*" >>calls
[ "$3" != inspect ] || cat digest
"""
COSIGN = """#!/bin/sh
printf '%s\\n' "cosign $*" >>calls
exit "$(cat signed)"
"""


@pytest.fixture
def machine(runner, tools):
    """A registry with one image, and a cosign that finds it signed."""
    for name, text in (("docker", DOCKER), ("cosign", COSIGN)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (runner.workspace / "digest").write_text(f"{DIGEST}\n")
    (runner.workspace / "signed").write_text("0")
    (runner.workspace / "calls").touch()
    return runner


def calls(machine):
    return (machine.workspace / "calls").read_text().splitlines()


def resolve(machine, secrets=None, **inputs):
    return machine.job(WORKFLOW, "resolve", inputs=INPUTS | inputs, secrets=secrets or {})


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("registry.test/service:1.4.0", "registry.test/service"),
        ("registry.test:5000/team/service", "registry.test:5000/team/service"),
        ("service:latest", "service"),
    ],
)
def test_a_tag_is_resolved_to_the_digest_it_names_now(machine, given, name):
    ran = resolve(machine, candidate=given, reference="none", devices='["cpu", "gpu"]')
    assert ran.outputs == {
        "candidate": f"{name}@{DIGEST}",
        "reference": "none",
        "name": name,
        "digest": DIGEST,
        "devices": '["cpu", "gpu"]',
    }
    assert calls(machine) == [f"docker buildx imagetools inspect {given} --format {{{{.Manifest.Digest}}}}"]
    assert ran.steps == ["digests"]


def test_a_digest_is_kept_and_its_tag_left_out(machine):
    ran = resolve(machine, candidate=f"r.test/a:1@{OTHER}", reference=f"r.test/b@{DIGEST}")
    assert ran.outputs["candidate"] == f"r.test/a@{OTHER}"
    assert ran.outputs["reference"] == f"r.test/b@{DIGEST}"
    assert calls(machine) == []


def test_without_a_candidate_what_is_built_here_is_gated(machine):
    ran = resolve(machine)
    assert ran.code == 0
    assert ran.outputs == {"candidate": "", "reference": "", "name": "", "digest": "", "devices": '["cpu"]'}


@pytest.mark.parametrize(
    ("inputs", "about"),
    [
        ({"candidate": "--help"}, "candidate"),
        ({"candidate": "a b"}, "candidate"),
        ({"candidate": "a\n::set-env name=X::y"}, "candidate"),
        ({"candidate": f"a@{DIGEST}x"}, "candidate"),
        ({"candidate": "a@b@c"}, "candidate"),
        ({"candidate": "a:1", "reference": "$(id)"}, "reference"),
        ({"devices": "cpu"}, "devices"),
        ({"devices": '["tpu"]'}, "devices"),
        ({"devices": "[]"}, "devices"),
        ({"devices": '["cpu"]\nx=y'}, "devices"),
        ({"signer": "https://github.test/x"}, "signer"),
        ({"promote-to": "a:production"}, "signer"),
        ({"name": "a*"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "a\n"}, "name"),
    ],
)
def test_what_cannot_be_meant_is_refused(machine, inputs, about):
    ran = resolve(machine, **inputs)
    assert ran.code == 2
    (annotation,) = annotations_in(ran.output)
    assert annotation.data.startswith(about)
    assert set(ran.outputs.values()) == {""}


@pytest.mark.parametrize("answer", ["", "no such manifest", "sha256:12"])
def test_a_registry_that_tells_no_digest_ends_it(machine, answer):
    (machine.workspace / "digest").write_text(answer)
    assert resolve(machine, candidate="a:1").code == 2


def test_the_signature_is_of_the_digest_and_of_the_signer(machine):
    ran = resolve(
        machine, candidate="r.test/a:1", signer="https://github.test/o/r/.github/w.yml@refs/heads/main"
    )
    assert ran.code == 0
    assert [action for action, _ in ran.used] == ["sigstore/cosign-installer"]
    assert calls(machine)[-1] == (
        "cosign verify --certificate-identity https://github.test/o/r/.github/w.yml@refs/heads/main "
        f"--certificate-oidc-issuer https://token.actions.githubusercontent.com r.test/a@{DIGEST}"
    )


def test_an_image_that_somebody_else_signed_ends_it(machine):
    (machine.workspace / "signed").write_text("1")
    assert resolve(machine, candidate="r.test/a:1", signer="somebody").code == 1


def test_it_logs_in_where_there_is_a_user(machine):
    secrets = {"REGISTRY_USERNAME": "robot", "REGISTRY_PASSWORD": "p"}
    ran = resolve(machine, secrets, candidate="r.test/a:1", registry="r.test")
    assert ran.used == [("docker/login-action", {"registry": "r.test", "username": "robot", "password": "p"})]


def promote(machine, **inputs):
    needs = {"resolve": {"outputs": {"candidate": f"r.test/a@{DIGEST}", "digest": DIGEST}}}
    return machine.job(WORKFLOW, "promote", inputs=INPUTS | inputs, needs=needs, secrets={})


def test_the_digest_is_promoted_and_looked_up_again(machine):
    ran = promote(machine, **{"promote-to": "r.test/a:production"})
    assert ran.code == 0
    created, inspected = calls(machine)
    assert created == (
        f"docker buildx imagetools create --prefer-index=false --tag r.test/a:production r.test/a@{DIGEST}"
    )
    assert inspected.startswith("docker buildx imagetools inspect r.test/a:production ")
    assert ran.summary == f"Promoted `r.test/a@{DIGEST}` as `r.test/a:production`.\n"


def test_a_tag_that_names_other_bytes_is_no_promotion(machine):
    (machine.workspace / "digest").write_text(OTHER)
    ran = promote(machine, **{"promote-to": "r.test/a:production"})
    assert (ran.code, ran.summary) == (1, "")
    assert "other bytes" in annotations_in(ran.output)[0].data


@pytest.fixture
def attest(machine):
    """Runs the job on the report of a promoted image, where it downloads it."""
    report = a_report()
    (machine.workspace / "verdict").mkdir()
    (machine.workspace / "verdict" / f"{report.run_id}.json").write_text(JsonRenderer().render(report))
    outputs = {"candidate": f"r.test/a@{DIGEST}", "name": "r.test/a", "digest": DIGEST}

    def run(secrets, **inputs):
        return machine.job(
            WORKFLOW,
            "attest",
            inputs=INPUTS | inputs,
            matrix={"device": "cpu"},
            needs={"resolve": {"outputs": outputs}},
            secrets=secrets,
            github={"server_url": "https://github.test", "repository": "o/r", "run_id": "7"},
        )

    return run


def test_github_signs_the_predicate_of_the_report(attest):
    ran = attest({})
    assert ran.code == 0, ran.output
    (signed,) = [given for action, given in ran.used if action == "actions/attest"]
    predicate = json.loads(Path(signed.pop("predicate-path")).read_text())
    assert signed == {"subject-name": "r.test/a", "subject-digest": DIGEST, "predicate-type": PREDICATE_TYPE}
    assert (predicate["result"], predicate["url"]) == ("PASSED", "https://github.test/o/r/actions/runs/7")
    assert "attestation for the deploy job" not in ran.steps


def test_evidence_that_is_not_the_one_of_the_report_is_not_attested(machine, attest):
    (path,) = (machine.workspace / "verdict").glob("*.json")
    report = a_report(a_check(evidence_files={"golden.single/evidence.json": "00" * 32}))
    path.write_text(JsonRenderer().render(report))
    ran = attest({}, attest=True)
    assert ran.code != 0
    assert "golden.single: evidence is missing" in ran.output
    assert "actions/attest" not in [action for action, _ in ran.used]


def test_a_key_signs_what_the_deploy_job_verifies(machine, attest, key_pair, monkeypatch):
    private, public = key_pair
    ran = attest({"ATTESTATION_KEY": private}, attest=False)
    assert ran.code == 0, ran.output
    assert "actions/attest" not in [action for action, _ in ran.used]
    upload = ran.used[-1][1]
    assert upload["name"] == "promotion-gate-cpu-attestation"
    assert private.splitlines()[1] not in ran.output
    assert not list(machine.temp.rglob("key.pem"))
    verify = ["harness", "verify-attestation", upload["path"], "--key", str(public)]
    for digest, code in ((DIGEST, ExitCode.PROMOTE), (OTHER, ExitCode.REJECT)):
        monkeypatch.setattr(sys, "argv", [*verify, "--image", f"r.test/a@{digest}"])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == code


@pytest.fixture
def key_pair(tmp_path):
    """PEM of a private key, and a file with the public one."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def jobs():
    return yaml.safe_load(WORKFLOW.read_text())["jobs"]


def test_nothing_is_attested_or_promoted_without_the_verdict():
    """A job whose condition names no status runs only where all it needs succeeded."""
    needs = {name: set(job.get("needs", [])) for name, job in jobs().items()}
    assert needs == {
        "resolve": set(),
        "gate": {"resolve"},
        "verdict": {"resolve", "gate"},
        "attest": {"resolve", "verdict"},
        "promote": {"resolve", "verdict", "attest"},
    }
    conditions = {name: job["if"] for name, job in jobs().items() if "if" in job}
    assert conditions == {
        "verdict": "always()",
        "attest": "needs.resolve.outputs.candidate != ''",
        "promote": "inputs.promote-to != ''",
    }


def test_the_verdict_is_told_of_every_job_before(machine):
    outputs = {"candidate": "", "devices": '["cpu"]'}
    needs = {"resolve": {"result": "success", "outputs": outputs}, "gate": {"result": "skipped"}}
    ran = machine.job(WORKFLOW, "verdict", needs=needs, inputs=INPUTS)
    assert ran.code == 1
    assert [one.data for one in annotations_in(ran.output)] == [
        'gate: "skipped", not success',
        "cpu: 0 verdicts, not one",
    ]
    assert ran.used[0][1] == {
        "pattern": "promotion-gate-{cpu,gpu}",
        "path": "verdicts",
        "merge-multiple": "true",
    }


def artifacts(name, device="cpu"):
    """What a call with this name uploads and downloads: the values of its steps, by job and key."""
    expressions = Expressions({"inputs": INPUTS | {"name": name}, "matrix": {"device": device}})
    return {
        (job, key): expressions.text(step["with"][key])
        for job, content in jobs().items()
        for step in content["steps"]
        for key in ("name", "pattern", "artifact")
        if key in step.get("with", {}) and step["name"] != "earlier reports"
    }


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a", "a-b"), ("a", "a-cpu"), ("a-attestation", "a")])
def test_two_calls_in_one_run_share_no_artifact(one, other):
    ours, theirs = artifacts(one), artifacts(other)
    assert set(ours) == {("gate", "artifact"), ("verdict", "pattern"), ("attest", "name")}
    assert ours["gate", "artifact"] == f"{one}-cpu"
    assert ours["verdict", "pattern"] == f"{one}-{{cpu,gpu}}"
    assert not set(ours.values()) & set(theirs.values())
    assert theirs["gate", "artifact"] not in {f"{one}-cpu", f"{one}-gpu"}


def gated(machine, **inputs):
    """The job of one device, with a harness that is not there: what it used until then."""
    needs = {"resolve": {"outputs": {"candidate": f"r.test/a@{DIGEST}", "reference": "none"}}}
    return machine.job(
        WORKFLOW, "gate", inputs=INPUTS | inputs, matrix={"device": "cpu"}, needs=needs, secrets={}
    )


def test_earlier_reports_come_from_the_artifact_that_the_caller_names(machine, checkout):
    earlier = str(machine.temp / "earlier")
    (checkout / "scripts").mkdir()
    gate = checkout / "scripts" / "gate.sh"
    gate.write_text("#!/bin/sh\nls reports >found\nexit 5\n")
    gate.chmod(0o755)
    Path(earlier).mkdir()
    (Path(earlier) / "20261120T091407Z-4f2a9c81d0be-1b2c3d.json").write_text("{}")
    ran = gated(machine, earlier="kept")
    assert ("actions/download-artifact", {"name": "kept", "path": earlier}) in ran.used
    assert (machine.workspace / "found").read_text() == "20261120T091407Z-4f2a9c81d0be-1b2c3d.json\n"
    assert ran.code == 5
    without = gated(machine)
    assert "actions/download-artifact" not in [action for action, _ in without.used]


def test_the_verdict_fails_where_nothing_was_resolved(machine):
    ran = machine.job(
        WORKFLOW,
        "verdict",
        inputs=INPUTS,
        needs={"resolve": {"result": "failure"}, "gate": {"result": "skipped"}},
    )
    assert ran.code == 1


def test_only_the_gate_runs_on_runners_of_our_own():
    hosted = {name for name, job in jobs().items() if job["runs-on"] == "ubuntu-24.04"}
    assert set(jobs()) - hosted == {"gate"}


@pytest.mark.parametrize(
    ("device", "labels"), [("cpu", "ubuntu-24.04"), ("gpu", ["self-hosted", "linux", "gpu"])]
)
def test_each_device_has_its_runner_and_its_digest_one_gate_at_a_time(device, labels):
    needs = {"resolve": {"outputs": {"devices": '["cpu", "gpu"]', "digest": DIGEST}}}
    expressions = Expressions({"inputs": INPUTS, "matrix": {"device": device}, "needs": needs})
    gate = jobs()["gate"]
    only = r"\$\{\{(.*)\}\}"
    assert expressions.value(re.fullmatch(only, gate["strategy"]["matrix"]["device"])[1]) == ["cpu", "gpu"]
    assert expressions.value(re.fullmatch(only, gate["runs-on"])[1]) == labels
    group = expressions.text(gate["concurrency"]["group"])
    assert group == f"promotion-gate-gate.toml-{device}-{DIGEST}"
    # Any other request waits; by default GitHub would cancel the second that does.
    for concurrency in (gate["concurrency"], yaml.safe_load(WORKFLOW.read_text())["concurrency"]):
        assert concurrency["cancel-in-progress"] is False
        assert concurrency["queue"] == "max"
