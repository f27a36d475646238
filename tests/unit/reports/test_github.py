"""Annotations of a run on GitHub: which, in which order, and that nothing else comes of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_samples import HOSTILE, hostile, inconclusive, promote, reject, report, reports
from workflow_commands import command_of, commands_in

from harness.model import Decision, Finding, Outcome, Reason
from harness.reports.github import MOST_ANNOTATIONS, GithubRenderer
from harness.reports.table import FILE_RENDERERS


def annotations(of):
    return list(commands_in(GithubRenderer().render(of)))


def many(count, **changes):
    """A reject for so many findings, the last of them a failure and the others undecided."""
    checks = reject().checks
    undecided = Finding(id="x", outcome=Outcome.INCONCLUSIVE, message="more requests are needed", **changes)
    findings = [undecided.model_copy(update={"id": f"f.{index}"}) for index in range(count)]
    findings[-1] = findings[-1].model_copy(update={"outcome": Outcome.FAIL, "message": "off"})
    check = checks[1].model_copy(update={"findings": tuple(findings)})
    reasons = tuple(Reason(check_id=check.id, finding_id=f.id, message=f.message) for f in findings)
    return report(Decision.REJECT, (check,), reasons)


def test_a_reject_is_the_verdict_then_its_reasons_then_the_rest():
    told = [(one.name, one.properties["title"]) for one in annotations(reject())]
    assert told == [
        ("error", "reject"),
        ("error", "golden.single.probabilities"),
        ("error", "scenarios.auth.alg-none"),
        ("warning", "latency.paired.ratio"),
        ("warning", "telemetry.metrics.counter"),
    ]
    verdict, golden, *_ = annotations(reject())
    assert verdict.data == "2 of 7 required checks failed: golden.single, scenarios.auth"
    message, facts, command = golden.data.split("\n")
    assert message.startswith("17 of 569 rows differ")
    assert facts == "observed 0.03125, limit 1e-05"
    assert command.startswith("curl --silent")


def test_a_promote_is_a_notice_and_what_a_reader_should_still_know():
    verdict, telemetry = annotations(promote())
    assert (verdict.name, verdict.properties["title"]) == ("notice", "promote")
    assert (telemetry.name, telemetry.properties["title"]) == ("warning", "telemetry.metrics.counter")


def test_an_inconclusive_run_is_an_error_as_it_releases_nothing():
    verdict, fuzz = annotations(inconclusive())
    assert (verdict.name, verdict.properties["title"]) == ("error", "inconclusive")
    assert (fuzz.name, fuzz.properties["title"]) == ("error", "fuzz.operations")
    assert fuzz.data == "the engine closed the connection"


def test_an_optional_check_without_findings_says_why():
    broken = inconclusive().checks[4].model_copy(update={"required": False})
    (_, warning) = annotations(report(checks=(broken,)))
    assert (warning.name, warning.properties["title"]) == ("warning", "fuzz.operations")
    assert warning.data == "infrastructure error: the engine closed the connection"


@pytest.mark.parametrize("count", [9, 10, 40])
def test_at_most_ten_the_worst_first(count):
    verdict, *behind = annotations(many(count))
    assert len(behind) == MOST_ANNOTATIONS - 1
    assert behind[0].properties["title"] == f"f.{count - 1}"
    more = f"; {count - 9} more in the report" if count > 9 else ""
    assert verdict.data.endswith(f"failed: golden.single{more}")


def test_a_long_message_is_cut_and_half_a_command_left_out():
    (_, worst, *_) = annotations(many(1, unit="u" * 5_000, observed=1, limit=2, reproduce="x" * 5_000))
    assert len(worst.data) < 5_000
    assert "more characters]" in worst.data
    assert "xx" not in worst.data


def test_hostile_text_is_shown_and_escaped():
    (_, worst, *_) = annotations(hostile())
    assert "<script>alert(1)</script>" in worst.data
    assert r"\x1b[31mred" in worst.data
    assert r"\x3a:error::pwned" in worst.data


def harmless(text, of):
    """Each line is one of ours, also where something is printed before it, and there are ten at most."""
    lines = text.splitlines()
    assert 1 <= len(lines) <= MOST_ANNOTATIONS
    assert text == "".join(f"{line}\n" for line in lines)
    assert lines[0].startswith(("::notice title=promote::", f"::error title={of.decision.value}::"))
    for line in lines:
        command = command_of(line)
        assert command.name in {"error", "warning", "notice"}
        assert set(command.properties) <= {"title"}
        assert all(char.isprintable() or char in "\n\t" for char in command.data)
        assert "##[" not in line
        within = [command.properties.get("title", ""), *command.data.split("\n")]
        assert [command_of(part) for part in within] == [None] * len(within)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_no_line_is_anything_but_one_of_ours(of):
    harmless(GithubRenderer().render(of), of)


PIECES = ["::", ":", "#", "##[", "[", "]", "%", "%0A", "%0a", "%25", "%3A", "\r", "\n", "\u2028", "\x85", " "]
PIECES += ["error", "stop-commands", "set-env name=PATH", ",", "=", ";", "title=", "x", HOSTILE]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_no_text_made_of_the_pieces_of_commands_is_one(text):
    harmless(GithubRenderer().render(hostile(text)), hostile(text))


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=60))
def test_what_is_printable_arrives_as_it_was(text):
    if "::" in text or "##" in text:
        return
    found = annotations(many(1, unit=text, observed=1, limit=2))[1]
    assert f"observed 1 {text}".rstrip(" ") in found.data


def test_it_is_no_file_beside_a_run():
    assert "github" not in FILE_RENDERERS


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("::error title=a%2Cb::c%0Ad", "error"),
        ("   ::warning::x", "warning"),
        ("log ##[group]x", "group"),
        ("a ::error::x", None),
        ("::nothing::x", None),
        ("::error x", None),
    ],
)
def test_lines_are_read_as_a_runner_reads_them(line, name):
    command = command_of(line)
    assert (command.name if command else None) == name


def test_commands_are_stopped_and_resumed():
    lines = "::notice::a\n::stop-commands::t0\n::error::b\n##[error]c\n::t0::\r::error::d\n"
    assert [(one.name, one.data) for one in commands_in(lines)] == [
        ("notice", "a"),
        ("stop-commands", "t0"),
        ("error", "d"),
    ]
