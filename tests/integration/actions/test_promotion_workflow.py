"""The shell steps of promotion-gate.yml's other jobs, with stand-ins for registry and cosign."""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from actions_expressions import Expressions
from attested_reports import a_report
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from workflow_commands import annotations_in

from harness.attestation.statement import PREDICATE_TYPE
from harness.cli.app import main
from harness.errors import ExitCode
from harness.model import Scope
from harness.reports.json import JsonRenderer
from harness.reports.store import RunFolder, load_report

ROOT = Path(__file__).resolve().parents[3]
WORKFLOW = ROOT / ".github" / "workflows" / "promotion-gate.yml"
DIGEST = "sha256:" + "5e" * 32
OTHER = "sha256:" + "6f" * 32
INPUTS = {
    name: one.get("default", "")
    for name, one in yaml.safe_load(WORKFLOW.read_text())[True]["workflow_call"]["inputs"].items()
}
DOCKER = """#!/bin/sh
printf '%s\\n' "docker $*" >>calls
[ "$3" != inspect ] || case " $* " in *" --raw "*) cat manifest ;; *) cat digest ;; esac
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
    (runner.workspace / "manifest").write_text('{"config": {}}')
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
    assert calls(machine) == [
        f"docker buildx imagetools inspect {given} --format {{{{.Manifest.Digest}}}}",
        f"docker buildx imagetools inspect --raw {name}@{DIGEST}",
    ]
    assert ran.steps == ["digests"]


def test_a_digest_is_kept_and_its_tag_left_out(machine):
    ran = resolve(machine, candidate=f"r.test/a:1@{OTHER}", reference=f"r.test/b@{DIGEST}")
    assert ran.outputs["candidate"] == f"r.test/a@{OTHER}"
    assert ran.outputs["reference"] == f"r.test/b@{DIGEST}"
    assert calls(machine) == [f"docker buildx imagetools inspect --raw r.test/a@{OTHER}"]


def index(*platforms):
    return json.dumps({"manifests": [{"platform": {"os": os, "architecture": on}} for os, on in platforms]})


AMD64, ARM64, ATTESTED = ("linux", "amd64"), ("linux", "arm64"), ("unknown", "unknown")


def test_an_index_of_one_platform_and_its_provenance_is_that_platform(machine):
    (machine.workspace / "manifest").write_text(index(AMD64, ATTESTED))
    assert resolve(machine, candidate="r.test/a:1").code == 0


@pytest.mark.parametrize(
    "manifest",
    [index(AMD64, ARM64), index(AMD64, AMD64, ATTESTED), '{"manifests": [{}]}', "[]", "", '{"manifests": 1}'],
)
def test_what_the_gate_would_run_only_a_part_of_is_refused(machine, manifest):
    (machine.workspace / "manifest").write_text(manifest)
    ran = resolve(machine, candidate="r.test/a:1")
    assert ran.code == 2
    (annotation,) = annotations_in(ran.output)
    assert "several platforms" in annotation.data
    assert set(ran.outputs.values()) == {""}


def test_several_platforms_are_taken_where_the_caller_says_so(machine):
    (machine.workspace / "manifest").write_text(index(AMD64, ARM64))
    ran = resolve(machine, candidate="r.test/a:1", **{"multi-platform": True})
    assert (ran.code, ran.outputs["digest"]) == (0, DIGEST)


def test_what_is_built_here_is_gated_where_the_caller_says_so(machine):
    ran = resolve(machine, candidate="build")
    assert ran.code == 0
    assert ran.outputs == {"candidate": "", "reference": "", "name": "", "digest": "", "devices": '["cpu"]'}


@pytest.mark.parametrize(
    ("inputs", "about"),
    [
        ({}, "candidate"),
        ({"candidate": " "}, "candidate"),
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
        ({"candidate": "build", "signer": "https://github.test/x"}, "signer"),
        ({"candidate": "build", "promote-to": "a:production"}, "signer"),
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
def attest(machine, run_harness, tiny_suite):
    """Runs the job on the report of a promoted image, and its evidence, where it downloads them."""
    verdict = machine.workspace / "verdict"
    gated = run_harness("run", "--config", tiny_suite(), "--reference", "none", "--out", verdict)
    assert gated.returncode == ExitCode.PROMOTE, gated.stderr
    (path,) = verdict.glob("*.json")
    of_an_image = {"scope": Scope.CONTAINER, "candidate": a_report().candidate}
    path.write_text(JsonRenderer().render(load_report(path).model_copy(update=of_an_image)))
    outputs = {"candidate": f"r.test/a@{DIGEST}", "name": "r.test/a", "digest": DIGEST}

    def run(secrets, **inputs):
        return machine.job(
            WORKFLOW,
            "attest",
            inputs=INPUTS | inputs,
            matrix={"device": "cpu"},
            needs={"resolve": {"outputs": outputs}},
            secrets=secrets,
            github={
                "server_url": "https://github.test",
                "repository": "o/r",
                "run_id": "7",
                "run_attempt": "2",
            },
        )

    return run


def test_github_signs_the_predicate_of_the_report(attest):
    ran = attest({})
    assert ran.code == 0, ran.output
    (signed,) = [given for action, given in ran.used if action == "actions/attest"]
    predicate = json.loads(Path(signed.pop("predicate-path")).read_text())
    assert signed == {"subject-name": "r.test/a", "subject-digest": DIGEST, "predicate-type": PREDICATE_TYPE}
    assert predicate["result"] == "PASSED"
    assert predicate["url"] == "https://github.test/o/r/actions/runs/7/attempts/2"
    assert "attestation for the deploy job" not in ran.steps


def test_evidence_that_is_not_the_one_of_the_report_is_not_attested(machine, attest):
    (path,) = (machine.workspace / "verdict").glob("*.json")
    evidence = path.with_suffix("") / "golden.single" / "evidence.json"
    evidence.write_text(evidence.read_text() + " ")
    ran = attest({}, attest=True)
    assert ran.code != 0
    assert "changed since the run" in ran.output
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
    github = {"run_attempt": "2"}
    ran = machine.job(WORKFLOW, "verdict", needs=needs, inputs=INPUTS | {"candidate": "build"}, github=github)
    assert ran.code == 1
    assert [one.data for one in annotations_in(ran.output)] == [
        'gate: "skipped", not success',
        "cpu: 0 verdicts, not one",
    ]
    assert [given for _, given in ran.used] == [
        {"pattern": "promotion-gate-{cpu,gpu}", "path": "verdicts", "merge-multiple": "true"},
        {"pattern": "promotion-gate-{cpu,gpu}-rejected-[0-9]*", "path": "rejected", "merge-multiple": "true"},
    ]
    assert ran.summary == "Attempt 2 of this run.\n"


@pytest.mark.parametrize(("candidate", "resolved"), [("build", ""), ("r.test/a:1", f"r.test/a@{DIGEST}")])
@pytest.mark.parametrize(("job", "step"), [("gate", "gate"), ("verdict", "verdict")])
def test_an_output_that_got_lost_is_not_the_suites_own(job, step, candidate, resolved):
    """GitHub leaves an output empty that has a secret in it."""
    (given,) = [one["with"]["candidate"] for one in jobs()[job]["steps"] if one["name"] == step]

    def filled(output):
        needs = {"resolve": {"outputs": {"candidate": output}}}
        return Expressions({"inputs": {"candidate": candidate}, "needs": needs}).text(given)

    assert filled(resolved) == (resolved or "build")
    assert filled("") == ("" if resolved else "build")


def artifacts(name, device="cpu"):
    """What a call with this name uploads and downloads: the values of its steps, by job, step and key."""
    contexts = {
        "inputs": INPUTS | {"name": name},
        "matrix": {"device": device},
        "github": {"run_attempt": "1"},
    }
    expressions = Expressions(contexts)
    return {
        (job, step["name"], key): expressions.text(step["with"][key])
        for job, content in jobs().items()
        for step in content["steps"]
        for key in ("name", "pattern", "artifact")
        if key in step.get("with", {}) and step["name"] != "earlier reports"
    }


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a", "a-b"), ("a", "a-cpu"), ("a-attestation", "a")])
def test_two_calls_in_one_run_share_no_artifact(one, other):
    ours, theirs = artifacts(one), artifacts(other)
    assert set(ours) == {
        ("gate", "gate", "artifact"),
        ("gate", "rejected", "name"),
        ("verdict", "reports", "pattern"),
        ("verdict", "rejected", "pattern"),
        ("attest", "report", "name"),
        ("attest", "attestation for the deploy job", "name"),
    }
    assert ours["gate", "gate", "artifact"] == f"{one}-cpu"
    assert ours["gate", "rejected", "name"] == f"{one}-cpu-rejected-1"
    assert ours["verdict", "reports", "pattern"] == f"{one}-{{cpu,gpu}}"
    assert ours["verdict", "rejected", "pattern"] == f"{one}-{{cpu,gpu}}-rejected-[0-9]*"
    assert not set(ours.values()) & set(theirs.values())
    assert theirs["gate", "gate", "artifact"] not in {f"{one}-cpu", f"{one}-gpu"}


def gated(machine, **inputs):
    """The job of one device, with a harness that is not there: what it used until then."""
    needs = {"resolve": {"outputs": {"candidate": f"r.test/a@{DIGEST}", "reference": "none"}}}
    return machine.job(
        WORKFLOW,
        "gate",
        inputs=INPUTS | {"candidate": "r.test/a:1"} | inputs,
        matrix={"device": "cpu"},
        needs=needs,
        secrets={},
        github={"run_attempt": "3"},
    )


@pytest.mark.parametrize(("decision", "code"), [("promote", 0), ("reject", 3), ("inconclusive", 4)])
def test_a_reject_is_left_for_the_attempts_after_it(machine, checkout, samples, decision, code):
    """Under a name of its own: a later attempt replaces the artifact of the reports."""
    report = getattr(samples, decision)()
    RunFolder.create(machine.temp / "stored", report.run_id).commit(report)
    executable = checkout / "scripts" / "gate.sh"
    executable.parent.mkdir()
    executable.write_text(f"#!/bin/sh\nmkdir reports && cp -a {machine.temp}/stored/. reports; exit {code}\n")
    executable.chmod(0o755)
    ran = gated(machine)
    assert ran.code == code
    rejected = {
        "name": "promotion-gate-cpu-rejected-3",
        "path": f"reports/{report.run_id}.json",
        "if-no-files-found": "error",
    }
    assert (("actions/upload-artifact", rejected) in ran.used) is (decision == "reject")


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
