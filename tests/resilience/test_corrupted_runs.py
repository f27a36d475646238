"""A stored run that is damaged, given to ``judge`` and to all that reads reports: an error, or the truth."""

import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime

import figures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running_gates import gates

from harness.errors import ConfigError, ExitCode, HarnessError
from harness.history.belief import why_not_believed
from harness.history.compare import compare
from harness.history.folder import Stored
from harness.history.trend import summarised
from harness.rejudge import rejudge
from harness.reports.figures.drawing import draw
from harness.reports.store import evidence_folder, load_report
from harness.reports.table import RENDERERS, render

TODAY = date(2026, 11, 22)
LATER = datetime(2099, 1, 1, tzinfo=UTC)
DAMAGES = ("flip", "cut", "drop", "double", "zero", "swap")
EXAMPLES = 1200 if settings().max_examples > 50 else 50


@pytest.fixture(scope="module")
def stored_runs(process_suites, tmp_path_factory):
    """The report of a run that was promoted, and of one that was rejected; its evidence lies beside it."""
    found = {}
    with gates(tmp_path_factory.mktemp("stored")) as start:
        for end, config in process_suites.items():
            gate = start(config, None)
            assert gate.process.wait(120) == end, gate.stderr
            (found[end],) = gate.out.glob("*.json")
    return found


@pytest.fixture
def copied(stored_runs, tmp_path):
    """Copies of one or the other, that may be damaged."""

    def copy(end):
        shutil.copytree(stored_runs[end].parent, tmp_path / end.name, symlinks=True)
        return tmp_path / end.name / stored_runs[end].name

    return copy


def damaged(content, kind, at, length, chance):
    """``content`` with something wrong from byte ``at`` on, over ``length`` bytes."""
    at %= max(len(content), 1)
    head, part, tail = content[:at], content[at : at + length], content[at + length :]
    match kind:
        case "flip":
            bits = bytes([content[at] ^ (1 << chance.randrange(8))]) if content else b"\x00"
            return head + bits + content[at + 1 :]
        case "cut":
            return head
        case "drop":
            return head + tail
        case "double":
            return head + part + part + tail
        case "zero":
            return head + bytes(len(part)) + tail
        case _:
            return head + bytes(chance.sample(part, len(part))) + tail


damages = st.tuples(
    st.sampled_from(DAMAGES), st.integers(0, 10**6), st.integers(1, 64), st.randoms(use_true_random=False)
)


def told(read):
    """What ``read`` gives, or ``an error``; any other exception goes on."""
    try:
        return read()
    except HarnessError:
        return "an error"


@pytest.mark.parametrize("end", [ExitCode.PROMOTE, ExitCode.REJECT])
def test_a_damaged_report_is_an_error_or_comes_to_no_promote(copied, end, record_property):
    """Where only its words were hit it is judged as before, by its evidence: what is wrong never passes."""
    path = copied(end)
    whole = path.read_bytes()
    seen = Counter()

    @settings(max_examples=EXAMPLES)
    @given(damages)
    def holds(how):
        path.write_bytes(damaged(whole, *how))
        decision = told(lambda: rejudge(path, None, today=TODAY).report.decision.value)
        seen[decision] += 1
        assert decision != "promote" or end is ExitCode.PROMOTE

    holds()
    fault = f"a damaged report of a {end.name.lower()}, judged again"
    record_property("figures", figures.told(fault, seen, tried=seen.total()))


@pytest.mark.parametrize("end", [ExitCode.PROMOTE, ExitCode.REJECT])
def test_damaged_evidence_is_always_an_error(copied, end, record_property):
    path = copied(end)
    files = sorted(file for file in evidence_folder(path).rglob("*") if file.is_file())
    whole = {file: file.read_bytes() for file in files}
    seen = Counter()

    @settings(max_examples=EXAMPLES)
    @given(st.sampled_from(files), damages)
    def holds(file, how):
        changed = damaged(whole[file], *how)
        file.write_bytes(changed)
        try:
            decision = told(lambda: rejudge(path, None, today=TODAY).report.decision.value)
        finally:
            file.write_bytes(whole[file])
        seen[decision] += 1
        assert changed == whole[file] or decision == "an error"

    holds()
    fault = f"damaged evidence of a {end.name.lower()}, judged again"
    record_property("figures", figures.told(fault, seen, tried=seen.total()))


def test_all_that_reads_a_damaged_report_tells_what_is_wrong_or_goes_on(copied, record_property):
    path = copied(ExitCode.REJECT)
    whole, original = path.read_bytes(), load_report(path)
    seen = Counter()

    def read():
        report = load_report(path)
        summarised(Stored(path, report))
        compare(original, report)
        figures = draw(report, evidence_folder(path))
        for name in RENDERERS:
            render(name, report, figures)
        return "not believed" if why_not_believed(Stored(path, report), LATER) else "believed"

    @settings(max_examples=EXAMPLES // 5)
    @given(damages)
    def holds(how):
        path.write_bytes(damaged(whole, *how))
        seen[told(read)] += 1

    holds()
    record_property("figures", figures.told("a damaged report, shown", seen, tried=seen.total()))


def with_report(path, change):
    """The report with something else in its JSON."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def golden(document):
    return next(check for check in document["checks"] if check["id"] == "golden.single")


LIES = {
    "passed without evidence": lambda document: golden(document).update(
        outcome="pass", settings_sha256="", findings=[]
    ),
    "not applicable, and it was": lambda document: golden(document).update(
        outcome="not_applicable", settings_sha256="", missing="reference", findings=[]
    ),
    "no evidence is listed": lambda document: golden(document).update(evidence_files={}),
    "another check's name": lambda document: golden(document).update(id="golden.batch"),
    "the check is left out": lambda document: document["checks"].remove(golden(document)),
    "no check at all": lambda document: document.update(checks=[]),
    "the family was skipped": lambda document: document.update(skip=["golden"]),
    "another family was asked for": lambda document: document.update(only=["latency"]),
    "it was no longer required": lambda document: golden(document).update(required=False),
    "decided otherwise": lambda document: document.update(decision="promote", reasons=[]),
    "all findings passed": lambda document: [
        finding.update(outcome="pass") for finding in golden(document)["findings"]
    ],
    "its policy asks nothing of it": lambda document: document["policy"].update(
        content=document["policy"]["content"].replace('["golden"]', '["fuzz"]')
    ),
    "a day that is none": lambda document: document.update(started_at="yesterday"),
    "a path that leads out": lambda document: golden(document)["evidence_files"].update({"../../x": "0"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_report_that_says_something_else_than_its_evidence_promotes_nothing(copied, lie):
    path = with_report(copied(ExitCode.REJECT), LIES[lie])
    assert told(lambda: rejudge(path, None, today=TODAY).report.decision.value) != "promote"


def test_evidence_of_another_run_is_refused(copied):
    promoted, rejected = copied(ExitCode.PROMOTE), copied(ExitCode.REJECT)
    shutil.rmtree(evidence_folder(rejected))
    shutil.copytree(evidence_folder(promoted), evidence_folder(rejected))
    with pytest.raises(ConfigError, match="changed since the run"):
        rejudge(rejected, None, today=TODAY)


def test_evidence_that_is_gone_is_named(copied):
    path = copied(ExitCode.PROMOTE)
    shutil.rmtree(evidence_folder(path))
    with pytest.raises(ConfigError, match="evidence is missing"):
        rejudge(path, None, today=TODAY)


def test_a_file_that_the_report_does_not_list_is_refused(copied):
    path = copied(ExitCode.PROMOTE)
    (evidence_folder(path) / "golden.single" / "more.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"more\.json: is not among the evidence files"):
        rejudge(path, None, today=TODAY)


@pytest.mark.parametrize("name", ["evidence.json", "answers.jsonl"])
@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"expected": 1e999}\n']
)
def test_evidence_that_was_changed_along_with_its_digest_is_an_error_too(copied, name, content):
    """Whoever can do that could write a verdict; but a judge must not fall over it."""
    path = copied(ExitCode.REJECT)
    file = f"golden.single/{name}"
    (evidence_folder(path) / file).write_bytes(content)

    def listed(document):
        golden(document)["evidence_files"][file] = hashlib.sha256(content).hexdigest()

    changed = with_report(path, listed)
    assert told(lambda: rejudge(changed, None, today=TODAY).report.decision.value) != "promote"


@pytest.mark.slow
def test_the_command_line_exits_with_its_codes_and_without_a_traceback(copied, record_property):
    path = copied(ExitCode.REJECT)
    whole, chance = path.read_bytes(), random.Random(0)
    codes = Counter()
    for kind in DAMAGES:
        path.write_bytes(damaged(whole, kind, chance.randrange(len(whole)), 16, chance))
        for command in (["judge", path], ["report", path, "--format", "html"], ["history", path.parent]):
            done = subprocess.run(
                [sys.executable, "-m", "harness", *map(str, command)],
                check=False,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert "Traceback" not in done.stderr
            allowed = {ExitCode.USAGE, ExitCode.REJECT, ExitCode.INCONCLUSIVE}
            assert done.returncode in (allowed if command[0] == "judge" else {0, ExitCode.USAGE}), done.stderr
            codes[f"{command[0]}: exit {done.returncode}"] += 1
    fault = "a damaged report on the command line"
    record_property("figures", figures.told(fault, codes, tried=codes.total()))
