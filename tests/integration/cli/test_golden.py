"""``harness golden``: record, verify, bless and calibrate a service that runs; each command's --help."""

import contextlib
import gzip
import json
import os
import pty
import subprocess
import sys
import tomllib

import pytest

from harness.errors import ExitCode

KEY = {"GATE_KEY_CALLER": "sesame-of-the-caller"}
COMMANDS = ("record", "verify", "bless", "import", "calibrate")


@pytest.fixture
def golden(run_main):
    """Runs a golden command with its JSON; gives its exit code, its document and what it said."""

    def run(*arguments):
        result = run_main("golden", *arguments, "--json", **KEY)
        assert "Traceback" not in result.stderr
        return result.returncode, json.loads(result.stdout or "null"), result.stderr

    return run


@pytest.fixture
def inputs(tmp_path):
    file = tmp_path / "inputs.jsonl"
    file.write_text("".join(json.dumps({"id": f"n-{n}", "input": n}) + "\n" for n in range(5)))
    return file


def test_what_is_recorded_is_verified(golden, tiny_suite, tiny_url, inputs, tmp_path):
    config = tiny_suite(replace={'path = "golden"\n': 'path = "../recorded"\n'})
    folder = tmp_path / "recorded"
    code, header, _ = golden(
        "record", "--inputs", inputs, "--candidate", tiny_url, "--config", config, "--out", folder
    )
    assert code == 0
    written = tomllib.loads((folder / "golden.toml").read_text())
    assert written["producer"]["kind"] == "service"
    assert written["producer"]["url"] == tiny_url
    assert written["producer"]["environment"].startswith("Linux")
    assert written["dataset"]["name"] == "inputs.jsonl"
    assert written["cases"]["sha256"] == header["cases"]["sha256"]
    lines = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines()]
    assert lines[3] == {"id": "n-3", "input": 3, "expected": {"y": 6}}
    code, document, said = golden("verify", "--candidate", tiny_url, "--config", config)
    assert code == 0
    assert "using the service\n" in said
    assert f"5 cases by {tiny_url} (service, version not told), {written['producer']['date']}\n" in said
    assert document["verification"]["executed"] == 5
    assert {each["outcome"] for each in document["verification"]["findings"]} == {"pass"}


def test_a_set_is_not_replaced_unless_told(golden, run_main, tiny_suite, tiny_url, inputs):
    config = tiny_suite()
    folder = config.parent / "golden"
    before = (folder / "golden.toml").read_text()
    asked = ("record", "--inputs", inputs, "--candidate", tiny_url, "--config", config)
    refused = run_main("golden", *asked, **KEY)
    assert refused.returncode == ExitCode.USAGE
    assert "holds a golden set" in refused.stderr
    assert "--force" in refused.stderr
    assert (folder / "golden.toml").read_text() == before
    code, header, _ = golden(*asked, "--force", "--compress")
    assert (code, header["cases"]["file"]) == (0, "cases.jsonl.gz")
    assert sorted(path.name for path in folder.iterdir()) == ["cases.jsonl.gz", "golden.toml"]
    assert len(gzip.decompress((folder / "cases.jsonl.gz").read_bytes()).splitlines()) == 5
    assert golden("verify", "--offline", "--config", config)[0] == 0


def test_nothing_is_recorded_of_a_service_that_does_not_answer_all(golden, tiny_suite, serve_tiny, tmp_path):
    config = tiny_suite(replace={'pointer = "/y"': 'pointer = "/z"'})
    (tmp_path / "inputs.jsonl").write_text('{"id": "one", "input": 1}\n')
    asked = ("--inputs", tmp_path / "inputs.jsonl", "--config", config, "--out", tmp_path / "out")
    code, document, said = golden("record", *asked, "--candidate", serve_tiny())
    assert (code, document) == (ExitCode.REJECT, None)
    assert "one: y: nothing at" in said
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".out", "out"))] == []


def test_another_answer_is_not_verified(golden, tiny_suite, faulty_url):
    code, document, said = golden("verify", "--candidate", faulty_url, "--config", tiny_suite())
    assert code == ExitCode.REJECT
    assert document["verification"]["outcome"] == "fail"
    assert "golden.single.y: 11 of 12 cases are off" in said


def test_a_change_is_blessed_with_its_reason(golden, tiny_suite, faulty_url, tiny_url):
    config = tiny_suite()
    folder = config.parent / "golden"
    before = tomllib.loads((folder / "golden.toml").read_text())
    asked = ("bless", "--candidate", faulty_url, "--config", config, "--reason", "it triples from now on")
    code, document, said = golden(*asked)
    assert code == 0
    assert (document["asked"], document["changed"]) == (12, 11)
    assert document["outputs"]["y"]["beyond_tolerance"] == 11
    worst = document["outputs"]["y"]["worst"]
    assert len(worst) == 5
    assert (worst[0]["before"] * 3, worst[0]["after"]) == (worst[0]["after"] * 2, worst[0]["after"])
    assert "11 cases change, 11 beyond the tolerance" in said
    after = tomllib.loads((folder / "golden.toml").read_text())
    (blessing,) = after["blessings"]
    assert blessing["reason"] == "it triples from now on"
    assert blessing["before"] == before["cases"]["sha256"] != after["cases"]["sha256"]
    assert blessing["producer"] == "by hand 1"
    assert blessing["url"] == faulty_url
    assert {"date", "environment", "changed"} <= blessing.keys()
    assert after["dataset"] == before["dataset"]
    assert golden("verify", "--candidate", faulty_url, "--config", config)[0] == 0
    assert golden("verify", "--candidate", tiny_url, "--config", config)[0] == ExitCode.REJECT
    golden("bless", "--candidate", tiny_url, "--config", config, "--reason", "back to double")
    reasons = [each["reason"] for each in tomllib.loads((folder / "golden.toml").read_text())["blessings"]]
    assert reasons == ["it triples from now on", "back to double"]


def test_without_a_difference_nothing_is_written(golden, tiny_suite, tiny_url):
    config = tiny_suite()
    before = (config.parent / "golden" / "golden.toml").read_bytes()
    code, document, _ = golden("bless", "--candidate", tiny_url, "--config", config, "--reason", "none")
    assert (code, document["changed"]) == (0, 0)
    assert (config.parent / "golden" / "golden.toml").read_bytes() == before


@pytest.mark.parametrize("reason", [[], ["--reason", "  "]], ids=["none", "blank"])
def test_a_change_needs_a_reason(run_main, tiny_suite, faulty_url, reason):
    config = tiny_suite()
    before = (config.parent / "golden" / "cases.jsonl").read_bytes()
    result = run_main("golden", "bless", "--candidate", faulty_url, "--config", config, *reason, **KEY)
    assert result.returncode == ExitCode.USAGE
    assert "reason" in result.stderr
    assert (config.parent / "golden" / "cases.jsonl").read_bytes() == before


def test_on_a_terminal_the_reason_is_asked_for_once_the_difference_is_seen(tiny_suite, faulty_url):
    config = tiny_suite()
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "harness",
        "golden",
        "bless",
        "--candidate",
        faulty_url,
        "--config",
        config,
    ]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **KEY}
    ) as process:
        os.close(theirs)
        said = b""
        while b"why may they be others?" not in said:
            said += os.read(ours, 4096)
        os.write(ours, b"it triples\n")
        with contextlib.suppress(OSError):  # how a terminal ends
            while os.read(ours, 4096):
                pass
    os.close(ours)
    assert process.returncode == 0
    assert b"11 cases change" in said
    (blessing,) = tomllib.loads((config.parent / "golden" / "golden.toml").read_text())["blessings"]
    assert blessing["reason"] == "it triples"


def test_a_file_of_cases_is_recorded_in_its_own_place(golden, tiny_suite, faulty_url):
    config = tiny_suite()
    cases = config.parent / "golden" / "cases.jsonl"
    code, header, _ = golden(
        "record", "--inputs", cases, "--candidate", faulty_url, "--config", config, "--force"
    )
    assert (code, header["cases"]["count"]) == (0, 12)
    assert json.loads(cases.read_text().splitlines()[2])["expected"] == {"y": 6}


def test_calibrating_measures_and_proposes(golden, run_main, tiny_suite, serve_tiny):
    config = tiny_suite(replace={'dtype = "int64"': 'dtype = "float32"'})
    url = serve_tiny(FACTOR="3")
    asked = ("calibrate", "--candidate", url, "--config", config, "--runs", "2", "--margin", "2")
    code, document, said = golden(*asked)
    assert code == 0
    (measured,) = document["configurations"]
    assert (measured["device"], measured["variant"], measured["batch"]) == ("cpu", None, 1)
    assert measured["outputs"]["y"]["elements"] == 24
    assert measured["outputs"]["y"]["max"] == 11
    assert document["proposal"]["y"]["rtol"] > 0
    assert "max" in said
    toml = tomllib.loads(run_main("golden", *asked, **KEY).stdout)
    limit = toml["golden"]["limits"]["outputs"]["y"]
    assert limit["rtol"] == document["proposal"]["y"]["rtol"]
    assert "2 runs of 12 cases" in limit["source"]
    config.write_text(config.read_text() + run_main("golden", *asked, **KEY).stdout)
    assert golden("verify", "--candidate", url, "--config", config)[0] == 0


def test_calibrating_wrong_integers_proposes_nothing_and_is_no_success(run_main, tiny_suite, serve_tiny):
    url = serve_tiny(FACTOR="3")
    asked = ("golden", "calibrate", "--candidate", url, "--config", tiny_suite(), "--runs", "1")
    result = run_main(*asked, **KEY)
    assert result.returncode == ExitCode.REJECT
    assert result.stdout == ""
    assert "no tolerance mends y" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["calibrate", "--batch", "8"], "declares no [golden.batch]"),
        (["calibrate", "--variant", "threads"], "service.variants: no such variant (got 'threads')"),
        (["record", "--inputs", "nothing.jsonl", "--out", "new"], "nothing.jsonl: cannot be read"),
        (["verify", "--candidate", "http://a@b"], "user name or password"),
    ],
)
def test_mistakes_are_named_before_anything_is_started(run_main, tiny_suite, arguments, said):
    result = run_main("golden", *arguments, "--config", tiny_suite(), **KEY)
    assert result.returncode == ExitCode.USAGE
    assert said in result.stderr
    assert "starting" not in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(run_main, command):
    result = run_main("golden", command, "--help")
    assert result.returncode == 0
    assert f"Example: harness golden {command} " in " ".join(result.stdout.split())
