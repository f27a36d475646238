"""Wrong usage: exit 2 and a message that names the file, the key, the value and what is allowed."""

import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness import __version__
from harness.errors import ExitCode

ROOT = Path(__file__).resolve().parents[3]
WHAT_DOCTOR_LOOKS_AT = (
    *("python", "packages", "engine", "gpu", "cores", "memory", "disk", "loopback", "dashboard", "files"),
    *("noise", "suite"),
)
URL = "http://127.0.0.1:9"  # no test here gets as far as asking it
SECRET = {"GATE_KEY_CALLER": "sesame-of-the-caller"}


@pytest.fixture
def refused(run_main):
    """Runs a command line that cannot be; gives what it says of it."""

    def run(*arguments, **environ):
        result = run_main(*arguments, **{**SECRET, **environ})
        assert result.returncode == ExitCode.USAGE, result.stderr
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return result.stderr

    return run


@pytest.fixture
def refused_run(refused):
    """As ``refused``, for ``harness run`` of a URL by a suite."""
    return lambda config, *options: refused(
        "run", "--config", config, "--candidate", URL, "--reference", "none", *options
    )


def test_no_gate_toml(refused, tmp_path):
    said = refused("run", "--config", tmp_path / "gate.toml", "--candidate", URL, "--reference", "none")
    assert str(tmp_path / "gate.toml") in said
    assert "--config" in said


def test_a_file_that_is_no_toml(refused_run, tiny_suite):
    config = tiny_suite("this is no TOML")
    said = refused_run(config)
    assert str(config) in said
    assert "not TOML" in said


def test_a_misspelt_key_is_answered_with_the_right_one(refused_run, tiny_suite):
    config = tiny_suite(replace={"ready_timeout_s": "ready_timout_s"})
    said = refused_run(config)
    assert f"{config}: service.ready_timout_s: unknown key (got 15)" in said
    assert "did you mean 'ready_timeout_s'?" in said


def test_a_misspelt_limit_is_not_silently_no_limit(refused_run, tiny_suite):
    said = refused_run(tiny_suite("[golden.limits.outputs.z]\natol = 1.0\n"))
    assert "golden" in said
    assert "'z'" in said


def test_a_value_out_of_range(refused_run, tiny_suite):
    said = refused_run(tiny_suite(replace={"port = 8080": "port = 80800"}))
    assert "service.port: input should be less than or equal to 65535 (got 80800)" in said


def test_a_credential_that_nobody_declared(refused_run, tiny_suite):
    said = refused_run(tiny_suite(replace={'credential = "caller"': 'credential = "boss"'}))
    assert "golden.single.credential: no such credential (got 'boss')" in said
    assert "caller" in said


def test_a_golden_folder_that_is_not_there(refused_run, tiny_suite):
    said = refused_run(tiny_suite(replace={'path = "golden"': 'path = "goldn"'}))
    assert "golden.path: no such file or folder (got 'goldn')" in said


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda lines: [*lines, '{"id": '],
            ["cases.jsonl: line 13: not JSON", "allowed: one JSON object a line"],
        ),
        (lambda lines: [*lines, lines[0]], ["cases.jsonl: line 13: id: used twice (got 'double-0')"]),
        (lambda lines: lines[:-1], ["golden.toml: cases.count: cases.jsonl has 11 cases (got 12)"]),
        (lambda _lines: [], ["cases.jsonl: has no case", "allowed: at least one case"]),
        (
            lambda lines: [lines[0].replace('"y": 0', '"y": 7'), *lines[1:]],
            [
                "golden.toml: cases.sha256: cases.jsonl has another digest",
                "(got '{recorded}')",
                "allowed: cases.jsonl as it was recorded: restore it",
            ],
        ),
        (
            lambda lines: [lines[0].replace('"y": 0', '"y": "zero"'), *lines[1:]],
            ["cases.jsonl: line 1: expected.y: ", "(got 'zero')", "allowed: int64"],
        ),
        (
            lambda lines: [lines[0].replace('"y": 0', '"z": 0'), *lines[1:]],
            ["cases.jsonl: line 1: expected: ", "(got ['z'])", "allowed: y"],
        ),
    ],
    ids=["no JSON", "used twice", "one less", "none", "changed", "another type", "another output"],
)
def test_a_bad_golden_file(refused_run, tiny_suite, damage, says):
    config = tiny_suite()
    cases = config.parent / "golden" / "cases.jsonl"
    recorded = sha256(cases)
    cases.write_text("".join(f"{line}\n" for line in damage(cases.read_text().splitlines())))
    said = refused_run(config)
    place, *rest = [each.format(recorded=recorded) for each in says]
    assert f"{cases.parent}/{place}" in said
    assert [each for each in rest if each not in said] == []
    # Pasting it would bless the change unseen.
    assert sha256(cases) not in said


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


SCENARIO = """
[[scenario]]
id = "one"
title = "One"
[[scenario.steps]]
method = "GET"
path = "/ready"
expect = { status = 200 }
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "expect",
            "expct",
            [
                "scenario.one.step1.expct: unknown key (got {'status': 200})",
                "step1.expect: required key is missing",
            ],
        ),
        (
            "status = 200",
            "status = 999",
            ["scenario.one.step1.expect.status: ", "must be a status such as 401", "(got 999)"],
        ),
        (
            'path = "/ready"',
            'path = "ready"',
            ["scenario.one.step1.path: string should match pattern '^/", "(got 'ready')"],
        ),
        (
            'path = "/ready"',
            'path = "/ready"\ncredential = "nobody"',
            [
                "scenario.one.step1.credential: no such credential (got 'nobody')",
                "allowed: a name under [auth.credentials]",
                "gate.toml: caller",
            ],
        ),
        ("[[scenario]]", "[[scenarios]]", ["scenarios: unknown key (got [", "scenario: "]),
    ],
)
def test_a_bad_scenario(refused_run, tiny_suite, old, new, says):
    config = tiny_suite('[scenarios]\nauth = ["auth.toml"]\n')
    file = config.parent / "auth.toml"
    file.write_text(SCENARIO.replace(old, new))
    said = refused_run(config)
    assert "auth.toml: " in said
    assert [each for each in says if each not in said] == []


def test_a_family_that_does_not_exist(refused):
    said = refused("run", "--only", "goldn")
    assert "goldn" in said
    assert "golden" in said


def test_a_family_that_the_suite_does_not_declare(refused_run, tiny_suite):
    said = refused_run(tiny_suite(), "--only", "latency")
    assert "--only latency" in said
    assert "does not declare it" in said
    assert "golden" in said


def test_nothing_left_to_run(refused_run, tiny_suite):
    assert "no check is left to run" in refused_run(tiny_suite(), "--skip", "golden")


def test_a_url_without_a_reference(refused, tiny_suite):
    said = refused("run", "--config", tiny_suite(), "--candidate", URL)
    assert "--reference none" in said


def test_a_url_whose_secret_is_not_given(refused, tiny_suite):
    said = refused(
        *("run", "--config", tiny_suite(), "--candidate", URL, "--reference", "none"), GATE_KEY_CALLER=""
    )
    assert "GATE_KEY_CALLER" in said


def test_a_folder_of_reports_that_cannot_be_written(refused_run, tiny_suite, tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")
    assert f"--out {file / 'reports'}" in refused_run(tiny_suite(), "--out", file / "reports")


def test_an_unknown_command(refused):
    assert "gaet" in refused("gaet")


def test_an_engine_that_does_not_answer(run_main, tiny_suite):
    result = run_main(
        *("run", "--config", tiny_suite(), "--candidate", "some-image:1", "--reference", "none"),
        DOCKER_HOST="unix:///nowhere/at/all.sock",
    )
    assert result.returncode == ExitCode.INFRASTRUCTURE
    assert "no engine answers there" in result.stderr
    assert "fix:" in result.stderr


def test_python_m_harness_is_harness(run_harness):
    script = Path(sys.executable).with_name("harness")
    for arguments in (["--version"], ["run", "--only", "goldn"]):
        by_script = subprocess.run([script, *arguments], check=False, capture_output=True, text=True)
        by_module = run_harness(*arguments)
        assert by_script.returncode == by_module.returncode
        assert by_script.stdout == by_module.stdout
    assert run_harness("--version").stdout == f"harness {__version__}\n"


def test_help_of_every_command(run_main):
    for command in ([], ["run"], ["judge"], ["report"], ["doctor"], ["schema"], ["contract", "diff"]):
        result = run_main(*command, "--help")
        assert result.returncode == 0
        assert "Usage: " in result.stdout


@pytest.mark.parametrize("document", ["gate", "scenario", "report"])
def test_a_schema_is_printed_as_the_checkout_has_it(run_main, document):
    result = run_main("schema", document)
    assert result.returncode == 0
    schema = json.loads(result.stdout)
    assert schema["type"] == "object"
    committed = ROOT / "contracts" / f"{document}.schema.json"
    assert json.loads(committed.read_text()) == schema


def test_doctor_says_what_it_looked_at(run_main, tiny_suite):
    result = run_main("doctor", "--config", tiny_suite())
    assert result.returncode in {ExitCode.PROMOTE, ExitCode.INFRASTRUCTURE}
    for what in WHAT_DOCTOR_LOOKS_AT:
        assert what in result.stderr


@pytest.mark.engine
@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="this machine has an NVIDIA GPU")
def test_doctor_says_what_a_machine_without_a_gpu_lacks(run_main, tiny_suite):
    result = run_main("doctor", "--device", "gpu", "--config", tiny_suite())
    assert result.returncode == ExitCode.INFRASTRUCTURE
    assert "fail  gpu engine the engine has neither NVIDIA's runtime nor CDI devices" in result.stderr
    assert "fix: install the NVIDIA container toolkit" in result.stderr
    assert "fail  gpu driver NVML: NVML Shared Library Not Found" in result.stderr
    assert "fix: install the NVIDIA driver" in result.stderr


def test_doctor_fails_on_a_broken_suite(run_main, tiny_suite):
    result = run_main("doctor", "--config", tiny_suite(replace={"pids = 32": "pid = 32"}))
    assert result.returncode == ExitCode.USAGE
    assert "service.pid: unknown key" in result.stderr
    assert "fix: did you mean 'pids'? allowed: " in result.stderr


@pytest.fixture
def openapi(tmp_path):
    """Writes an OpenAPI document whose answer has the properties given."""

    def write(name, properties):
        schema = {
            "type": "object",
            "properties": {each: {"type": "number"} for each in properties},
            "required": properties,
        }
        answer = {"description": "OK", "content": {"application/json": {"schema": schema}}}
        document = {
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "paths": {"/predict": {"get": {"responses": {"200": answer}}}},
        }
        path = tmp_path / name
        path.write_text(json.dumps(document))
        return path

    return write


def test_contract_diff_exits_with_what_it_found(run_main, openapi, tmp_path):
    old, new = openapi("old.json", ["y", "z"]), openapi("new.json", ["y"])
    same = run_main("contract", "diff", old, old, "--json")
    assert (same.returncode, json.loads(same.stdout)) == (0, [])
    wider = run_main("contract", "diff", new, old, "--json")
    assert wider.returncode == 0
    assert "error" not in {change["severity"] for change in json.loads(wider.stdout)}
    breaking = run_main("contract", "diff", old, new, "--json")
    assert breaking.returncode == ExitCode.REJECT
    assert "error" in {change["severity"] for change in json.loads(breaking.stdout)}
    assert "'z'" in run_main("contract", "diff", old, new).stdout
    unreadable = run_main("contract", "diff", old, tmp_path / "none.json")
    assert unreadable.returncode == ExitCode.USAGE
    assert "none.json" in unreadable.stderr


def test_the_project_declares_the_script():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["harness"] == "harness.__main__:main"


def test_only_names_a_family_or_a_check(run_main):
    result = run_main("run", "--only", "golden.singel")
    assert result.returncode == 2
    assert "--only golden.singel: no such family or check" in result.stderr
    assert "did you mean 'golden.single'?" in result.stderr
