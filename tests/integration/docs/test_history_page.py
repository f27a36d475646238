"""docs/history.md: two runs compared, a folder over time, and the release to go back to."""

import json

import pytest
from report_samples import looser, promote, reject, target
from walking import World

from harness.reports.json import JsonRenderer


@pytest.fixture
def released(tmp_path):
    """A folder of reports: an old release, the last one, and a candidate that is rejected."""
    name = "registry.example/service"
    pushed = [
        target(image=f"{name}:{tag}").model_copy(
            update={"image_id": f"sha256:{tag}", "repo_digest": f"{name}@sha256:{tag}"}
        )
        for tag in ("1.3.2", "1.4.0", "1.5.0")
    ]
    folder = tmp_path / "released" / "reports"
    folder.mkdir(parents=True)
    runs = {"OLDER": promote(), "RELEASE": looser(), "CANDIDATE": reject()}
    for day, ((stem, of), candidate) in enumerate(zip(runs.items(), pushed, strict=True), start=1):
        at = f"2026-11-{day:02}T10:00:00.000+00:00"
        changed = {"candidate": candidate, "run_id": stem, "started_at": at, "finished_at": at}
        text = JsonRenderer().render(of.model_copy(update=changed))
        (folder / f"{stem}.json").write_text(text)
    (folder / "latest").symlink_to("CANDIDATE.json")
    return World(folder.parent)


def test_two_runs_are_compared_as_a_table_markdown_and_json(released):
    told = released.walk("docs/history.md", "harness compare reports/RELEASE.json reports/latest").out
    assert "golden.single.probabilities  worse" in told
    released.walk(
        "docs/history.md",
        "harness compare reports/RELEASE.json reports/latest --format",
        before='export GITHUB_STEP_SUMMARY="$PWD/summary.md"',
    )
    assert "| worse | pass → fail |" in (released.folder / "summary.md").read_text()
    told = released.walk("docs/history.md", "harness compare reports/RELEASE.json reports/latest --json").out
    assert json.loads(told)["findings"][0]["movement"] == "worse"


def test_a_folder_is_told_over_time(released):
    told = released.walk("docs/history.md", "harness history").out
    assert told.index(":1.3.2") < told.index(":1.4.0") < told.index(":1.5.0")
    told = released.walk("docs/history.md", "harness history reports --suite").out
    assert "breast-cancer on cpu" in told
    told = released.walk("docs/history.md", "harness history reports --candidate").out
    assert len(json.loads(told)["groups"][0]["runs"]) == 3


def test_the_release_to_go_back_to_is_named(released):
    told = released.walk("docs/history.md", "harness history --last-promoted").out
    assert told.splitlines()[0] == "last promoted: registry.example/service@sha256:1.4.0"
    assert "before it: registry.example/service@sha256:1.3.2" in told
    released.walk(
        "docs/history.md",
        "digest=",
        before="trap '[ \"$digest\" = registry.example/service@sha256:1.4.0 ]' EXIT",
    )
