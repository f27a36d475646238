"""docs/github-actions.md: the steps that keep the reports, and that go back to what they name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from attested_reports import a_report
from pages import read_page

from harness.reports.json import JsonRenderer

BRANCH = "gate-reports"
BEFORE, BAD = (f"registry.example/service@sha256:{digit * 64}" for digit in "12")


def script(job):
    """The one step of a job of the page that runs in a shell."""
    for block in read_page("docs/github-actions.md").blocks("yaml"):
        steps = yaml.safe_load(block.text).get(job, {}).get("steps", [])
        for step in steps:
            if "run" in step:
                return step["run"]
    raise LookupError(job)


def git(folder, *command):
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t.test", *command],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def run(text, folder, **environ):
    """As a step without a shell of its own; of the environment here it has the PATH only."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **environ}
    return subprocess.run(
        ["bash", "-e", "-c", text], cwd=folder, env=environ, check=False, capture_output=True, text=True
    )


@pytest.fixture
def checkout(tmp_path):
    """A checkout of the branch of reports, which has nothing but a README."""
    bare, folder = tmp_path / "bare.git", tmp_path / "kept"
    git(tmp_path, "init", "-q", "--bare", "-b", BRANCH, str(bare))
    git(tmp_path, "clone", "-q", str(bare), str(folder))
    git(folder, "switch", "-q", "--orphan", BRANCH)
    (folder / "README.md").write_text("Reports of the gate\n")
    git(folder, "add", "README.md")
    git(folder, "commit", "-qm", "A place for reports")
    git(folder, "push", "-q", "--set-upstream", "origin", BRANCH)
    return folder


def keep(image, day, checkout, folder):
    """What the job does with the report of a promote."""
    at = {"image": image, "repo_digest": image, "image_id": None}
    time = f"2026-11-{day}T09:00:00+00:00"
    kept = a_report(
        run_id=f"202611{day}T090000Z-container-aaaaaa",
        started_at=time,
        finished_at=time,
        suite="breast-cancer",
        candidate=a_report().candidate.model_copy(update=at),
    )
    reports = folder / f"run-{day}" / "reports"
    reports.mkdir(parents=True)
    (reports / f"{kept.run_id}.json").write_text(JsonRenderer().render(kept))
    (reports / f"{kept.run_id}.html").touch()
    done = run(script("keep"), checkout, RUNNER_TEMP=str(reports.parent), GITHUB_RUN_ID=str(day))
    assert done.returncode == 0, done.stderr


@pytest.fixture
def roll_back(tmp_path):
    """Runs the job's step, with a deploy script that prints what it is given."""
    deploy = tmp_path / "deploy" / "deploy.sh"
    deploy.parent.mkdir()
    deploy.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    deploy.chmod(0o755)
    harness = str(Path(sys.prefix) / "bin" / "harness")
    return lambda: run(script("rollback"), tmp_path, HARNESS=harness)


def test_reports_are_kept_and_name_what_to_go_back_to(checkout, tmp_path, roll_back):
    keep(BEFORE, 20, checkout, tmp_path)
    keep(BAD, 21, checkout, tmp_path)
    git(checkout, "fetch", "-q")
    names = git(checkout, "ls-tree", "--name-only", f"origin/{BRANCH}").split()
    assert names == [f"202611{day}T090000Z-container-aaaaaa.json" for day in (20, 21)] + ["README.md"]
    done = roll_back()
    assert done.stdout.splitlines() == [BEFORE], done.stderr


def test_nothing_is_deployed_where_no_release_is_before_the_last(checkout, tmp_path, roll_back):
    keep(BAD, 21, checkout, tmp_path)
    done = roll_back()
    assert (done.returncode, done.stdout) == (1, "")  # of jq: there is no such value
