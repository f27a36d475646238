import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from drawn_run import report as drawn_report
from drawn_run import save_evidence
from hypothesis import HealthCheck, given, settings
from report_samples import HOSTILE, hostile, inconclusive, looser, on_gpu, promote, reject, report, reports

from harness.model import Decision, Finding, Outcome, Reason, Report
from harness.reports.figures.drawing import draw
from harness.reports.html import HtmlRenderer
from harness.reports.markdown import MOST_BYTES
from harness.reports.schema import report_schema
from harness.reports.table import RENDERERS

ROOT = Path(__file__).parents[3]
VOID = {"meta", "link", "br", "img", "input", "hr", "path", "circle", "rect", "line"}
EVERY = [promote, reject, inconclusive, hostile, looser, on_gpu]
INTERFACE_KEYS = {
    "": "schema_version run_id started_at finished_at decision scope partial reasons candidate reference "
    "policy seed harness_version environment validity checks duration_s",
    "Reason": "check_id finding_id message",
    "TargetDescription": "kind image image_id repo_digest url model device execution_provider",
    "ModelIdentity": "name version sha256",
    "PolicyRecord": "path sha256 content",
    "Environment": "cpu cores memory_bytes kernel engine python packages",
    "CheckResult": "id family required outcome expected executed duration_s findings",
    "Finding": "id outcome message observed limit unit samples evidence reproduce",
}


class Page(HTMLParser):
    """Elements with their attributes, the text in each, and whether tags nest as they should."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in set(self.open):
            self.text[tag] = self.text.get(tag, "") + " " + data

    def tags(self):
        return {tag for tag, _ in self.elements}


def render(name: str, of: Report) -> str:
    return RENDERERS[name].render(of)


def drawn_page(of, folder):
    return HtmlRenderer(draw(of, folder)).render(of)


def words(text: str) -> str:
    return " ".join(text.split())


# --- every format


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_every_renderer_renders_every_report(of):
    for renderer in RENDERERS.values():
        text = renderer.render(of)
        assert text.endswith("\n")
        assert all(char.isprintable() or char in "\n\t\u200b" for char in text)
    assert Page(render("html", of)).tags() <= Page(render("html", reject())).tags() | {"ul", "caption"}
    assert ET.fromstring(render("junit", of)).tag == "testsuites"
    assert json.loads(render("json", of))["run_id"] == of.run_id


@pytest.mark.parametrize("name", RENDERERS)
def test_rendering_is_deterministic_and_says_the_verdict(name):
    assert render(name, reject()) == render(name, reject())
    assert "reject" in render(name, reject()).lower()
    assert "golden.single.probabilities" in render(name, reject())


def test_integers_of_thousands_of_digits_render():
    huge = reject().checks[1].findings[1].model_copy(update={"observed": 10**5000})
    check = reject().checks[1].model_copy(update={"findings": (huge,)})
    for name in ("html", "markdown", "junit"):
        assert "1.00000e+5000" in render(name, report(checks=(check,)))


# --- JSON


def test_the_schema_in_contracts_is_the_models():
    stored = (ROOT / "contracts" / "report.schema.json").read_text(encoding="utf-8")
    assert stored == json.dumps(report_schema(), indent=2) + "\n", "regenerate contracts/report.schema.json"


def test_the_schema_requires_what_the_interface_promises():
    schema = report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, keys in INTERFACE_KEYS.items():
        part = schema["$defs"][name] if name else schema
        assert set(keys.split()) <= set(part["required"]), name


@pytest.mark.parametrize("sample", EVERY)
def test_json_satisfies_its_schema_and_reads_back(sample):
    text = render("json", sample())
    jsonschema.validate(json.loads(text), report_schema())
    assert text.isascii()
    assert list(json.loads(text)) == list(Report.model_fields)
    assert render("json", Report.model_validate_json(text)) == text


def test_the_schema_refuses_another_version_and_a_missing_key():
    good = json.loads(render("json", promote()))
    for bad in (good | {"schema_version": "9"}, {key: good[key] for key in good if key != "checks"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, report_schema())


# --- HTML


@pytest.mark.parametrize("sample", EVERY)
def test_html_is_self_contained_and_inert(sample):
    page = Page(render("html", sample()))
    assert not page.tags() & {"script", "img", "iframe", "link", "object", "embed", "form", "base"}
    for tag, attributes in page.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "style", "action")
        ]
        if "href" in attributes:
            assert tag == "a"
            assert attributes["href"].startswith(("./", "#plot-"))
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "url(" not in page.text["style"]
    assert "@import" not in page.text["style"]


def test_html_says_verdict_then_why_then_who():
    text = words(Page(render("html", reject())).text["body"])
    in_order = [
        "Reject",
        "2 of 7 required checks failed: golden.single, scenarios.auth.",
        "Why",
        "fail golden.single.probabilities",
        "17 of 569 rows differ",
        "Observed 0.03125 Limit 1e-05 Samples 569",
        "curl --silent",
        "What was tested",
        "registry.test/breast-cancer:2.4.0-rc1",
        "registry.test/breast-cancer:2.3.1",
        "Checks",
        "Where the time went",
        "generator_lag_p99_ms",
        "AMD EPYC",
        "probabilities_atol = 1e-5",
    ]
    places = [text.find(part) for part in in_order]
    assert places == sorted(places)
    assert places[0] >= 0


def test_html_opens_the_families_that_need_reading():
    rows = re.findall(
        r"<details( open)?>\s*<summary class=\"row\">\s*<span class=\"name\">(\w+)", render("html", reject())
    )
    assert {name for opened, name in rows if opened} == {"golden", "scenarios", "latency"}
    assert {name for opened, name in rows if not opened} == {"contract", "fuzz", "telemetry"}


def test_html_time_bars_are_shares_of_the_longest():
    widths = [float(a["width"]) for tag, a in Page(render("html", promote())).elements if tag == "rect"]
    assert len(widths) == len(promote().checks) + 1
    assert max(widths) == 100.0
    assert widths[1] == pytest.approx(100 * 6.4 / 41.5, abs=0.01)


def test_html_shows_hostile_text_as_text():
    body = Page(render("html", hostile())).text["body"]
    assert "<script>alert(1)</script>" in body
    assert "\\x1b[31mred" in body
    assert "\\u202egnp.exe" in body
    assert "{{7*7}} {% raw %}" in body


def test_html_shows_each_figure_as_a_drawing_and_as_a_table(tmp_path):
    save_evidence(tmp_path, HOSTILE)
    page = Page(drawn_page(drawn_report(tmp_path, HOSTILE), tmp_path))
    assert not page.tags() & {"script", "img"}
    drawings = [attributes for tag, attributes in page.elements if attributes.get("role") == "img"]
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert len(drawings) == 4
    for attributes in drawings:
        assert {attributes["aria-labelledby"], attributes["aria-describedby"]} <= ids
    links = {attributes["href"] for tag, attributes in page.elements if tag == "a"}
    assert {"#plot-1", "#plot-2", "#plot-3", "#plot-4"} <= links
    assert page.text["summary"].count("The same as a table") == 4
    body = words(page.text["body"])
    assert body.index("Checks") < body.index("Plots") < body.index("Where the time went")
    assert "Interval 0.1 to 0.9" in body


def test_html_says_why_a_plot_is_missing(tmp_path):
    save_evidence(tmp_path, "x")
    body = words(Page(drawn_page(drawn_report(tmp_path, "x"), tmp_path / "elsewhere")).text["body"])
    assert body.count("Not drawn:") == 3
    assert "evidence is missing" in body


def test_html_caveats_of_a_process_run():
    body = words(Page(render("html", inconclusive())).text["body"])
    assert "The candidate ran as a local process" in body
    assert "Not declared, so not checked 2 inference counter drift metric" in body
    assert "the candidate runs as a process" in body
    assert "Reference" not in body


def test_a_run_on_a_gpu_tells_it_and_what_ran_there():
    body = words(Page(render("html", on_gpu())).text["body"])
    assert "GPU 2 x NVIDIA L4 (22.5 GiB)" in body
    assert "Driver 580.82.07" in body
    assert "gpu_utilisation 0.44" in body
    assert "candidate_gpu_memory_mib 3072" in body
    nodes = "1 on CPUExecutionProvider, 14 on CUDAExecutionProvider"
    assert f"Nodes of the model {nodes}" in body
    text = render("markdown", on_gpu())
    assert f"| Nodes of the model | `{nodes}` | `{nodes}` |" in text
    assert "On <code>2 x NVIDIA L4 (22.5 GiB)</code>, driver `580.82.07`" in text
    stored = json.loads(render("json", on_gpu()))
    assert stored["environment"]["gpu"] == "2 x NVIDIA L4 (22.5 GiB)"
    assert stored["candidate"]["nodes_by_provider"]["CUDAExecutionProvider"] == 14
    assert "driver" not in render("markdown", promote())


# --- Markdown


def test_markdown_first_line_is_the_verdict():
    first = render("markdown", reject()).splitlines()[0]
    assert first == "# ❌ REJECT: 2 of 7 required checks failed: golden.single, scenarios.auth"
    assert render("markdown", promote()).splitlines()[0] == "# ✅ PROMOTE: all 7 required checks passed"


def test_markdown_table_has_a_row_for_each_check():
    text = render("markdown", reject())
    assert "| `golden.single` | **fail** | 569 / 569 | 6.4 s |" in text
    assert "| `telemetry.metrics` (optional) | **warn** | 3 / 3 | 0.12 s |" in text
    assert "```sh\ncurl --silent" in text


@pytest.mark.parametrize("ticks", [1, 3, 7])
def test_markdown_fence_outlasts_the_text_it_holds(ticks):
    failing = hostile("x\n" + "`" * ticks + "\n# not a heading")
    text = render("markdown", failing)
    fence = "`" * max(3, ticks + 1)
    assert text.count(f"\n{fence}sh\nx\n") == 2
    outside = re.sub(rf"^{fence}sh\n.*?^{fence}$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert not re.search("^# not", outside, flags=re.MULTILINE)


def test_markdown_keeps_hostile_text_out_of_markup_outside_fences():
    text = render("markdown", hostile())
    outside = re.sub(r"^(`{3,})sh\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script" not in outside
    assert "<img" not in outside
    assert "](" not in outside.replace("\\](", "")
    assert "@everyone" not in outside
    assert "http://" not in outside
    table = [line for line in outside.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {4, 5}


def test_markdown_stays_under_a_job_summary_and_says_it_was_cut():
    failing = Finding(id="f.x", outcome=Outcome.FAIL, message="µ" * 3000, reproduce="x" * 20_000)
    check = reject().checks[1].model_copy(update={"findings": (failing,) * 100})
    text = render("markdown", report(checks=(check,)))
    assert MOST_BYTES * 0.9 < len(text.encode()) <= MOST_BYTES
    assert "Cut here" in text.splitlines()[-1]
    assert text.count("```") % 2 == 0


def test_a_reason_about_no_check_is_the_headline_and_has_no_empty_name():
    reason = Reason(check_id="", finding_id="", message="no check passed")
    of = report(Decision.INCONCLUSIVE, reasons=(reason,))
    text = render("markdown", of)
    assert text.splitlines()[0].endswith("INCONCLUSIVE: no check passed")
    assert "\n1. **inconclusive** no check passed\n" in text
    assert '<p class="id"></p>' not in render("html", of)


def test_a_partial_verdict_says_so_in_its_first_line():
    whole, partial = report(), report(partial=True)
    covered = ", ".join(dict.fromkeys(check.family.value for check in partial.checks))
    assert render("markdown", partial).splitlines()[0].endswith(f", of {covered} only (partial)")
    assert "(partial)" not in render("markdown", whole).splitlines()[0]


# --- JUnit


def test_junit_has_a_suite_per_family_and_a_case_per_finding():
    root = ET.fromstring(render("junit", reject()))
    assert [suite.get("name") for suite in root] == [
        "contract",
        "golden",
        "fuzz",
        "scenarios",
        "telemetry",
        "latency",
    ]
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert len(cases) == sum(len(check.findings) for check in reject().checks)
    failure = cases["golden.single.probabilities"].find("failure")
    assert "observed: 0.03125\nlimit: 1e-05\n" in failure.text
    assert "reproduce: curl" in failure.text
    assert cases["latency.paired.ratio"].find("error").get("type") == "inconclusive"
    assert cases["telemetry.metrics.counter"].find("system-out").text.startswith("warning:")
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("14", "2", "1")


def test_junit_shows_checks_that_have_no_findings():
    cases = {
        case.get("name"): case for case in ET.fromstring(render("junit", inconclusive())).iter("testcase")
    }
    assert cases["fuzz.operations"].find("error").get("message").startswith("infrastructure error")
    assert cases["image.labels"].find("skipped").get("message") == "the candidate runs as a process"


def test_junit_times_add_up():
    root = ET.fromstring(render("junit", promote()))
    total = sum(float(case.get("time")) for case in root.iter("testcase"))
    assert total == pytest.approx(sum(check.duration_s for check in promote().checks))


def test_junit_holds_hostile_text_and_a_waiver_skips():
    root = ET.fromstring(render("junit", hostile()))
    waived, failing, *_ = root.iter("testcase")
    assert waived.find("skipped") is not None
    assert "]]>" in failing.find("failure").text
    assert "\\x00" in failing.find("failure").text
    assert HOSTILE.split("\n")[0] in failing.find("failure").get("message")
