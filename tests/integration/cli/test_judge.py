"""``harness judge`` on the stored run of a URL: the same answer twice, and no answer to another question."""

import json

import pytest

from harness.errors import ExitCode

SECRET = "sesame-of-the-caller-1234567890"


@pytest.fixture
def stored(run_main, tmp_path):
    """Gates a URL and gives the path of the report."""

    def run(config, url, *options):
        run_main(
            *("run", "--config", config, "--candidate", url, "--reference", "none"),
            *("--out", tmp_path / "reports", *options),
            GATE_KEY_CALLER=SECRET,
        )
        (path,) = (tmp_path / "reports").glob("*.json")
        return path

    return run


@pytest.fixture
def judge(run_main):
    """Decides a report again; gives exit code, the decided report and the notes."""

    def run(path, *options):
        result = run_main("judge", path, "--json", *options)
        return result.returncode, json.loads(result.stdout), result.stderr

    return run


def test_the_same_policy_gives_the_same_results(stored, judge, tiny_suite, faulty_url):
    path = stored(tiny_suite(), faulty_url)
    code, again, _ = judge(path)
    assert code == ExitCode.REJECT
    assert again["checks"] == json.loads(path.read_text())["checks"]
    commands = {finding["outcome"]: finding["reproduce"] for finding in again["checks"][0]["findings"]}
    assert commands["fail"].startswith("harness run")
    assert commands["fail"].splitlines()[-1].startswith("curl")
    assert commands["pass"].startswith("harness run")


def test_the_page_of_another_verdict_has_the_plots_of_the_same_evidence(
    run_main, stored, tiny_suite, faulty_url
):
    path = stored(tiny_suite(), faulty_url)
    written = path.with_suffix(".html").read_text()
    assert written.count('role="img"') == 1
    again = run_main("judge", path, "--html")
    assert again.returncode == ExitCode.REJECT
    assert again.stdout == run_main("report", path, "--format", "html").stdout == written
    both = run_main("judge", path, "--html", "--json")
    assert both.returncode == ExitCode.USAGE
    assert both.stdout == ""


def test_what_was_asked_for_stays_required(stored, judge, tiny_suite, faulty_url):
    config = tiny_suite(replace={'required = ["golden"]': 'required = ["drift"]'})
    path = stored(config, faulty_url, "--only", "golden")
    assert json.loads(path.read_text())["decision"] == "reject"
    code, again, _ = judge(path)
    assert code == ExitCode.REJECT
    assert [check["required"] for check in again["checks"]] == [True, True]
    assert judge(path, "--config", config)[0] == ExitCode.REJECT


@pytest.mark.parametrize("families", ['["golden", "lifecycle"]', '["golden", "drift"]'])
def test_run_and_judge_agree_on_families_without_checks(stored, judge, tiny_suite, tiny_url, families):
    path = stored(tiny_suite(replace={'["golden"]': families}), tiny_url, "--skip", "fuzz")
    report = json.loads(path.read_text())
    assert report["decision"] == ("promote" if "lifecycle" in families else "inconclusive")
    _, again, _ = judge(path)
    assert (again["decision"], again["reasons"]) == (report["decision"], report["reasons"])


def test_changed_inputs_are_seen(stored, judge, tiny_suite, tiny_url, tmp_path):
    config = tiny_suite()
    path = stored(config, tiny_url)
    assert set(json.loads(path.read_text())["checks"][0]["inputs"]) == {
        "golden/cases.jsonl",
        "golden/golden.toml",
    }
    assert judge(path, "--config", config)[0] == ExitCode.PROMOTE
    other = tiny_suite(cases=13, folder=tmp_path / "other")
    code, _, notes = judge(path, "--config", other)
    assert code == ExitCode.INCONCLUSIVE
    assert "golden.single: asked by other files" in notes
    assert "golden/cases.jsonl" in notes
    assert judge(path)[0] == ExitCode.PROMOTE, "its own policy asks what it asked"


def test_a_policy_without_its_files_judges_what_the_run_had_read(
    stored, judge, tiny_suite, tiny_url, tmp_path
):
    config = tiny_suite()
    path = stored(config, tiny_url)
    alone = tmp_path / "alone.toml"
    alone.write_text(config.read_text())
    assert judge(path, "--config", alone)[0] == ExitCode.PROMOTE


def changed(path, change):
    """The report with something changed in its JSON."""
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))
    return path


@pytest.mark.parametrize("ids", [{"golden.single"}, {"lifecycle.target"}, {"golden.single", "golden.batch"}])
def test_a_result_that_is_missing_is_missed(stored, judge, tiny_suite, tiny_url, ids):
    path = stored(tiny_suite(), tiny_url)
    here = ids & {check["id"] for check in json.loads(path.read_text())["checks"]}
    assert here

    def without(report):
        report["checks"] = [check for check in report["checks"] if check["id"] not in ids]

    code, again, _ = judge(changed(path, without))
    assert code == ExitCode.INCONCLUSIVE
    missing = {reason["check_id"] for reason in again["reasons"] if "no result" in reason["message"]}
    assert missing == here


def test_another_policy_s_text_under_the_digest_of_the_first_is_refused(
    stored, run_main, tiny_suite, tiny_url
):
    path = stored(tiny_suite(), tiny_url)

    def loosened(report):
        report["policy"]["content"] += "\n# looser\n"

    result = run_main("judge", changed(path, loosened))
    assert result.returncode == ExitCode.USAGE
    assert str(path) in result.stderr.replace("\n", "")
    assert "policy.sha256" in result.stderr
