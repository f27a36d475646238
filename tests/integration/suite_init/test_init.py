"""``harness init`` of services that run, and whether the suite it makes gates them."""

import json
import tomllib
from pathlib import Path

import pytest

from harness.config.suite import load_suite
from harness.errors import ExitCode

KEY = "sesame-of-the-caller"
HEADER = "X-API-Key: ${key.caller}"


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def gated(harness, url, *families, folder="suite"):
    """The doctor finds nothing wrong with the suite, and the gate promotes the service it was made from."""
    doctor = harness("doctor", "--config", f"{folder}/gate.toml")
    assert "ok    suite" in doctor.stderr, doctor.stderr
    only = [word for family in families for word in ("--only", family)]
    run = harness("run", "--config", f"{folder}/gate.toml", "--candidate", url, "--reference", "none", *only)
    assert run.returncode == 0, run.stderr
    assert "PROMOTE" in run.stderr


def written_nowhere(folder, secret=KEY):
    for path in Path(folder).rglob("*"):
        assert not path.is_file() or secret not in path.read_text(encoding="utf-8")


def test_a_service_with_a_document_at_a_path_of_its_own(harness, plain_url):
    made = harness(
        "init", "--candidate", plain_url, "--dir", "suite", "--endpoint", "/v2/score",
        "--header", "X-Token: ${key.caller}",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert made.stdout == ""
    assert files("suite") == [
        "contracts/openapi.json", "gate.toml", "golden/suite/cases.jsonl", "golden/suite/golden.toml",
    ]  # fmt: skip
    written_nowhere("suite")
    config = load_suite(Path("suite/gate.toml")).config
    assert (config.service.ready_path, config.contract.served) == ("/livez", "/spec.json")
    assert config.golden.outputs["score"].dtype == "float64"
    assert config.golden.outputs["class"].dtype == "int64"
    assert config.latency.rate_per_s > 0
    first, *others = map(json.loads, Path("suite/golden/suite/cases.jsonl").read_text().splitlines())
    assert first["input"] == [0.5, -1.25, 0, 3]
    assert len(others) == 19
    header = tomllib.loads(Path("suite/golden/suite/golden.toml").read_text())
    assert header["producer"]["kind"] == "service"
    assert header["producer"]["url"] == plain_url
    assert "varied by up to 10%" in header["dataset"]["name"]
    text = Path("suite/gate.toml").read_text()
    assert "not that it was right" in text
    gated(harness, plain_url, "golden", "contract")


def test_the_reference_service(harness, reference_url):
    made = harness(
        "init", "--candidate", reference_url, "--dir", "suite", "--endpoint", "POST /predict",
        "--header", HEADER, "--cases", "5", "--name", "cancer",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    config = load_suite(Path("suite/gate.toml")).config
    assert (config.name, config.service.ready_path) == ("cancer", "/ready")
    assert config.golden.outputs["probabilities"].keys == ("benign", "malignant")
    assert config.golden.outputs["label"].dtype == "string"
    assert "/request_id" in Path("suite/gate.toml").read_text()
    gated(harness, reference_url, "golden", "contract")


def test_a_service_that_says_nothing_of_itself(harness, bare_url):
    Path("body.json").write_text('{"values": [1.5, 2.5, -3.5]}')
    asked = ("init", "--candidate", bare_url, "--dir", "suite", "--endpoint", "/score")
    refused = harness(*asked)
    assert refused.returncode == ExitCode.USAGE
    assert "--request body.json" in refused.stderr
    assert not Path("suite").exists()
    made = harness(*asked, "--request", "body.json")
    assert made.returncode == 0, made.stderr
    assert "no OpenAPI document was found" in made.stderr
    config = load_suite(Path("suite/gate.toml")).config
    assert set(config.golden.outputs) == {"mean", "sign"}
    assert 0 < config.golden.limits.outputs["mean"].atol + config.golden.limits.outputs["mean"].rtol < 2e-5
    assert config.contract is None
    assert (config.service.ready_path, config.service.ready_status) == ("/", 501)
    gated(harness, bare_url, "golden")
    before = Path("suite/gate.toml").read_text()
    again = harness(*asked, "--request", "body.json")
    assert again.returncode == ExitCode.USAGE
    assert "holds gate.toml" in again.stderr
    assert "--force" in again.stderr
    assert Path("suite/gate.toml").read_text() == before
    assert harness(*asked, "--request", "body.json", "--force", "--cases", "3").returncode == 0
    assert len(Path("suite/golden/suite/cases.jsonl").read_text().splitlines()) == 3


def test_what_it_cannot_know_it_asks_for(harness, plain_url):
    several = harness("init", "--candidate", plain_url, "--header", "X-Token: ${key.caller}")
    assert several.returncode == ExitCode.USAGE
    assert "POST /v2/score, POST /v2/score-many" in several.stderr
    assert "--endpoint" in several.stderr
    refused = harness("init", "--candidate", plain_url, "--endpoint", "/v2/score")
    assert refused.returncode == ExitCode.REJECT
    assert "HTTP 401" in refused.stderr
    assert "--header" in refused.stderr
    assert files(".") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--header", "X-API-Key: a-secret-on-the-command-line"], "holds no ${key.NAME}"),
        (["--header", "nonsense"], "--header takes 'NAME: VALUE'"),
        (["--env", "nonsense"], "--env takes NAME=VALUE"),
        (["--name", "A b"], "--name A b: no name"),
        (["--request", "nowhere.json"], "nowhere.json: cannot be read"),
        (["--service", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["--dir", "file"], "file is no folder"),
        (["--request", "file"], "file: not JSON"),
        (["--service", "other.toml"], "other.toml: policy: not for this file"),
        (["--service", "wrong.toml"], "wrong.toml: service.prot: unknown key"),
        (["--header", "X-API-Key: ${key.other}"], "GATE_KEY_OTHER is not set"),
        (["--openapi", "/nowhere.json"], "GET /nowhere.json: "),
        (["--endpoint", "score"], "not the path of a POST"),
        (["--candidate", "http://user:password@127.0.0.1:9"], "has a user name or password"),
    ],
)
def test_wrong_usage(harness, bare_url, options, said):
    Path("file").write_text("no JSON\n")
    Path("other.toml").write_text('[policy]\nrequired = ["golden"]\n')
    Path("wrong.toml").write_text("[service]\nprot = 1\n")
    refused = harness("init", "--candidate", bare_url, *options)
    assert refused.returncode == ExitCode.USAGE, refused.stderr
    assert said in refused.stderr
    assert "a-secret" not in refused.stderr
    assert files(".") == ["file", "other.toml", "wrong.toml"]


def test_what_a_service_wrote_is_one_comment(harness, bare_url):
    Path("body.json").write_text('{"values": [1.5]}')
    made = harness("init", "--candidate", bare_url, "--endpoint", "/score", "--request", "body.json")
    assert made.returncode == 0
    text = Path("gate.toml").read_text()
    assert "/trace" in text
    assert "\x1b" not in text
    tomllib.loads(text)
