"""Every command of README and the pages is run as it stands there, or named here with the reason why not."""

import ast
from dataclasses import dataclass

import pytest
from pages import ROOT, Block, Page, command, read_page, read_pages

WALKTHROUGHS = ROOT / "tests" / "integration" / "docs"
WALK = frozenset({"walk", "start"})
NEEDS_A_GPU = "needs a GPU"
IS_THE_TEST_RUN = "is the test run itself"
NEEDS_GITHUB = "asks GitHub"
REASONS = frozenset({NEEDS_A_GPU, NEEDS_GITHUB, IS_THE_TEST_RUN})
README = "tests/integration/reference_service/test_readme.py"
FINGERPRINTS = "tests/unit/docs/test_fingerprint_commands.py"
KILL_MATRIX = "tests/unit/benchmarks/test_kill_matrix.py"
SERVICE = "reference_service/README.md"
SELFTEST = "tests/integration/selftest/test_selftest.py::test_a_kill_a_survivor_and_a_benign_change"


@dataclass(frozen=True)
class Elsewhere:
    """A test that runs the same, and the piece of its source that does."""

    where: str
    by: str

    def runs(self) -> bool:
        path, _, name = self.where.partition("::")
        source = (ROOT / path).read_text(encoding="utf-8")
        tests = [test for test in ast.parse(source).body if isinstance(test, ast.FunctionDef)]
        return any(self.by in ast.get_source_segment(source, test) for test in tests if test.name == name)


RUN = Elsewhere(f"{README}::test_a_key_is_made_and_the_sample_is_answered", 'blocks("Run")')
# Commands that no walkthrough runs: the test that runs the same elsewhere, or why none can.
NOT_HERE = {
    ("README.md", "make test"): IS_THE_TEST_RUN,
    ("docs/golden.md", "python benchmarks/onnx_backend/run.py"): Elsewhere(
        "tests/integration/golden/test_onnx_backend.py::test_every_one_that_can_be_is_verified",
        "backend.run(",
    ),
    ("docs/verdict-quality.md", ".venv/bin/python -m benchmarks.verdict_quality"): Elsewhere(
        "tests/integration/benchmarks/test_verdict_quality.py::test_runs_are_made_once_and_told", "*COMMAND"
    ),
    ("docs/verdict-quality.md", "harness selftest --jobs 2"): Elsewhere(SELFTEST, 'selftest("--jobs", "2"'),
    ("docs/verdict-quality.md", ".venv/bin/python -m benchmarks.kill_matrix"): Elsewhere(
        f"{KILL_MATRIX}::test_the_command_publishes_the_latest_of_what_there_is_now", "main(published"
    ),
    ("docs/selftest.md", "harness selftest --jobs 2"): Elsewhere(SELFTEST, 'selftest("--jobs", "2"'),
    ("docs/selftest.md", "harness selftest --only golden"): Elsewhere(
        SELFTEST, 'selftest("--only", "golden")'
    ),
    ("docs/selftest.md", "harness selftest --report"): Elsewhere(SELFTEST, '"--report")'),
    ("docs/gate-your-own-image.md", "harness selftest --proxy --config"): Elsewhere(
        "tests/integration/docs/test_selftest_proxy_page.py::test_a_suite_without_a_catalogue",
        '"harness selftest --proxy --candidate my-service:2.1.0"',
    ),
    ("docs/attestation.md", "gh attestation verify"): NEEDS_GITHUB,
    ("docs/security.md", ".venv/bin/python scripts/hostile_table.py"): IS_THE_TEST_RUN,
    ("docs/security.md", ".venv/bin/python scripts/own_faults_table.py"): IS_THE_TEST_RUN,
    ("docs/run-on-gpu.md", "python3.11 -m venv"): NEEDS_A_GPU,
    ("docs/run-on-gpu.md", "/tmp/gpu-venv/bin/pip"): NEEDS_A_GPU,
    ("docs/run-on-gpu.md", "PYTHONPATH=. /tmp/gpu-venv"): NEEDS_A_GPU,
    (SERVICE, "export SERVICE_API_KEYS_FILE"): RUN,
    (SERVICE, ".venv/bin/python -m reference_service"): RUN,
    (SERVICE, "curl -fsS --retry"): RUN,
    (SERVICE, "jq '{features"): RUN,
    (SERVICE, "jq '{instance"): RUN,
    (SERVICE, "sha256sum keys.json"): Elsewhere(f"{FINGERPRINTS}::test_of_a_file", "COMMANDS[0]"),
    (SERVICE, "jq -cjS"): Elsewhere(f"{FINGERPRINTS}::test_of_a_key_set", "COMMANDS[1]"),
    (SERVICE, "openssl x509"): Elsewhere(f"{FINGERPRINTS}::test_of_a_certificate", "COMMANDS[2]"),
}


def walked():
    """Page and beginning of each command that a test of the walkthroughs runs."""
    for path in sorted(WALKTHROUGHS.glob("test_*.py")):
        for test in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                yield from walked_by(test)


def walked_by(test):
    for call in ast.walk(test):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in WALK:
            page, *beginnings = (argument.value for argument in call.args)  # literals, so that they are seen
            yield from ((page, beginning) for beginning in beginnings)


def documented():
    return {**read_pages(), SERVICE: read_page(SERVICE)}


def test_every_command_is_run():
    claimed = {(page, command(page, beginning)) for page, beginning in [*walked(), *NOT_HERE]}
    missing = [
        f"{page.name}: {each}"
        for page in documented().values()
        for each in page.commands()
        if (page.name, each) not in claimed
    ]
    assert missing == [], "walk them in tests/integration/docs, or say in NOT_HERE where they are run"


def test_a_command_that_is_walked_stands_in_no_table():
    walked_commands = {(page, command(page, beginning)) for page, beginning in walked()}
    assert [key for key in NOT_HERE if (key[0], command(*key)) in walked_commands] == []


@pytest.mark.parametrize("reason", sorted(set(NOT_HERE.values()), key=str), ids=str)
def test_what_is_not_walked_is_run_elsewhere_or_cannot_be(reason):
    assert reason in REASONS or reason.runs()


@pytest.mark.parametrize(
    "other", [Elsewhere(RUN.where, 'blocks("TLS")'), Elsewhere(f"{README}::test_that_is_not_there", RUN.by)]
)
def test_a_test_that_runs_it_no_more_is_seen(other):
    assert RUN.runs()
    assert not other.runs()


def test_commands_are_found_in_shell():
    text = "# first\na=1 b \\\n  c  # so\nd |\n  e\n\nf 'x\ny'\nmake g    # it's one\n"
    assert Block("p", "sh", text).commands() == [
        "a=1 b \\\n  c  # so",
        "d |\n  e",
        "f 'x\ny'",
        "make g    # it's one",
    ]


def test_commands_are_found_on_a_terminal():
    text = "$ harness run\n  pass\n$ echo $?\n3\n"
    page = Page("p", f"```console\n{text}```\n")
    assert page.commands() == ["harness run", "echo $?"]


def test_a_command_without_an_end_is_an_error():
    with pytest.raises(ValueError, match="no end"):
        Block("p", "sh", "a \\\n").commands()


@pytest.mark.parametrize("beginning", ["harness golden", "harness gold rush"])
def test_several_and_none_are_errors(beginning):
    with pytest.raises(LookupError, match="commands that begin with"):
        command("docs/golden.md", beginning)


def test_a_whole_command_is_found_though_others_begin_so():
    whole = "harness contract diff contracts/openapi.json served.json"
    assert command("docs/contract.md", whole) == whole
