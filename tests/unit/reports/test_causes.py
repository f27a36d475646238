import io
import re

import pytest
from hypothesis import given
from report_samples import inconclusive, promote, reject, reports, undecided_too
from rich.console import Console

from harness.model import Decision, Outcome, Reason
from harness.reports.causes import causes
from harness.reports.console import print_verdict
from harness.reports.table import RENDERERS

DOUBT = "latency.paired.ratio"
FAILED = ["golden.single.probabilities", "scenarios.auth.alg-none"]


def printed(of):
    out = io.StringIO()
    print_verdict(Console(file=out, width=80), of)
    return out.getvalue()


def rendered(name, of):
    return printed(of) if name == "console" else RENDERERS[name].render(of)


def named(of):
    return [cause.reason.finding_id for cause in of]


def test_of_a_reject_the_failures_come_first_and_the_rest_is_besides():
    told = causes(undecided_too())
    assert named(told.deciding) == FAILED
    assert named(told.besides) == [DOUBT]
    assert [cause.outcome for cause in told.besides] == [Outcome.INCONCLUSIVE]
    assert {cause.outcome for cause in told.deciding} == {Outcome.FAIL}


def test_of_an_inconclusive_run_every_reason_decides():
    told = causes(inconclusive())
    assert [cause.outcome for cause in told.deciding] == [Outcome.ERROR]
    assert told.besides == ()


def test_a_check_without_a_result_is_inconclusive():
    missing = Reason(check_id="fuzz.raw", finding_id="", message="required, but it has no result")
    of = reject()
    (cause,) = causes(of.model_copy(update={"reasons": (*of.reasons, missing)})).besides
    assert (cause.outcome, cause.finding) == (Outcome.INCONCLUSIVE, None)


@given(reports())
def test_no_reason_is_lost(of):
    told = causes(of)
    every = [cause.reason for cause in (*told.deciding, *told.besides)]
    assert sorted(every, key=repr) == sorted(of.reasons, key=repr)
    assert bool(told.deciding) == bool(of.reasons)
    assert of.decision is Decision.REJECT or not told.besides


@pytest.mark.parametrize("name", ["console", "markdown", "html"])
def test_each_reason_says_its_outcome_and_the_undecided_stand_apart(name):
    text = rendered(name, undecided_too())
    apart = text.index("Undecided besides")
    why = text.index("Why</h2>") if name == "html" else text.index("\n")
    assert all(why < text.index(failed, why) < apart for failed in FAILED)
    assert text.index(DOUBT, why) > apart
    before, after = text[why:apart], text[apart:]
    assert len(re.findall(r"\bfail\b(?![-\w])(?!\")", before)) >= len(FAILED)
    assert "inconclusive" in after[: after.index(DOUBT)]


@pytest.mark.parametrize("name", ["console", "markdown", "html"])
@pytest.mark.parametrize("sample", [promote, reject, inconclusive])
def test_nothing_stands_apart_where_nothing_is_undecided_besides(name, sample):
    assert "Undecided besides" not in rendered(name, sample())


@pytest.mark.parametrize("name", ["console", "markdown", "html"])
def test_the_headline_counts_the_undecided_checks_of_a_reject(name):
    headline = "2 of 7 required checks failed: golden.single, scenarios.auth"
    assert f"{headline}; 1 undecided" in rendered(name, undecided_too())
    assert f"{headline};" not in rendered(name, reject())


def test_a_page_marks_only_what_failed_in_the_colour_of_a_reject():
    cards = re.findall(
        r"<li( class=\"unsure\")?>\s*<p class=\"cause\">", RENDERERS["html"].render(undecided_too())
    )
    assert cards == ["", "", ' class="unsure"']
