"""docs/history.md and docs/github-actions.md: what is asked of a folder of reports."""

import json

import pytest
from walking import Instead

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture
def two_releases(first_suite, pushed, run_harness):
    """A folder with two promotions of an image that was pushed; what the page calls the earlier one."""
    config = first_suite.folder / "gate.toml"
    config.write_text(config.read_text().replace('name = "plain-score"', 'name = "breast-cancer"', 1))
    for _ in range(2):
        options = ("--candidate", pushed.other, "--reference", "none")
        made = run_harness("run", *options, cwd=first_suite.folder)
        assert made.returncode == 0, made.stderr
    earlier, later = sorted(path.stem for path in (first_suite.folder / "reports").glob("*.json"))
    return Instead("RELEASE", earlier, "the page names no run"), Instead(
        "RUN", later, "the page names no run"
    )


def test_two_runs_are_compared(first_suite, two_releases):
    release, run = two_releases
    summary = first_suite.folder / "summary.md"
    first_suite.environ["GITHUB_STEP_SUMMARY"] = str(summary)
    shown = first_suite.walk(
        "docs/history.md", "harness compare reports/RELEASE.json reports/latest", instead=[release]
    )
    assert release.other in shown.out + shown.said
    first_suite.walk(
        "docs/history.md", "harness compare reports/RELEASE.json reports/latest --format", instead=[release]
    )
    assert release.other in summary.read_text()
    told = first_suite.walk(
        "docs/history.md", "harness compare reports/RELEASE.json reports/latest --json", instead=[release]
    )
    assert release.other in json.dumps(json.loads(told.out))
    annotated = first_suite.walk("docs/github-actions.md", "harness report", instead=[run])
    assert "promote" in annotated.out


def test_the_folder_is_told_and_gives_the_way_back(first_suite, two_releases, pushed):
    name, _, digest = pushed.other.partition("@")
    here = Instead("registry.example/service", name, "the registry of the test")
    told = first_suite.walk("docs/history.md", "harness history")
    assert "breast-cancer" in told.out + told.said
    first_suite.walk("docs/history.md", "harness history reports --suite")
    listed = first_suite.walk("docs/history.md", "harness history reports --candidate", instead=[here])
    assert all(run.other in listed.out for run in two_releases)
    assert pushed.other in first_suite.walk("docs/history.md", "harness history --last-promoted").out
    first_suite.walk("docs/history.md", "digest=")
    assert digest.startswith("sha256:")
