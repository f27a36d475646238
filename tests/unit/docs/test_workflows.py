"""Workflows in the documentation: their form, and that they call ours with what ours take."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
OURS = re.compile(r"OWNER/harness/(\.github/[\w./-]+)@COMMIT")
PAGE = "docs/github-actions.md"


def workflows(page):
    """The blocks that have jobs, the first three lines of a workflow added to a part of one."""
    for block in page.blocks("yaml"):
        content = yaml.safe_load(block.text)
        if not isinstance(content, dict):
            continue
        if any(isinstance(job, dict) and "steps" in job for job in content.values()):
            content = {"jobs": content}
        if "jobs" in content:
            yield {"name": "part", "on": content.pop(True, "push"), **content}


def calls(workflow):
    """What is called of ours: its file, and the job or step that calls it."""
    for job in workflow["jobs"].values():
        for caller in (job, *job.get("steps", [])):
            if match := OURS.fullmatch(caller.get("uses", "")):
                yield ROOT / match[1], caller


def mistakes(file, caller):
    """What is wrong with a call."""
    if file.suffix != ".yml":
        file /= "action.yml"
    ours = yaml.safe_load(file.read_text())
    call = ours.get(True, {}).get("workflow_call", ours)
    yield from set(caller.get("with", {})) - set(call.get("inputs", {}))
    yield from set(caller.get("secrets", {})) - set(call.get("secrets", {}))
    for job in ours.get("jobs", {}).values():
        for scope, level in job["permissions"].items():
            if caller["permissions"].get(scope) not in {level, "write"}:
                yield f"{scope}: {level}"


def test_every_workflow_has_the_form_of_one(page, tmp_path):
    files = []
    for index, workflow in enumerate(workflows(page)):
        for job in workflow["jobs"].values():
            if "uses" not in job:
                job.setdefault("runs-on", "ubuntu-24.04")
                job.setdefault("steps", [{"run": "true"}])
        files.append(tmp_path / f"{index}.yml")
        files[-1].write_text(json.dumps(workflow))
    if files:
        check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
        done = subprocess.run([*check, *files], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_ours_are_called_with_what_they_take(page):
    found = [
        mistake for workflow in workflows(page) for call in calls(workflow) for mistake in mistakes(*call)
    ]
    assert found == []


def test_calls_are_found(pages):
    files = {
        path.name for page in ("README.md", PAGE) for w in workflows(pages[page]) for path, _ in calls(w)
    }
    assert files == {"promotion-gate.yml", "promotion-gate", "setup-harness"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"with": {"candidat": "x"}}, ["candidat"]),
        ({"secrets": {"TOKEN": "x"}}, ["TOKEN"]),
        ({"permissions": {"contents": "read", "id-token": "write"}}, ["attestations: write"]),
    ],
)
def test_a_wrong_call_is_found(change, found):
    right = {"permissions": {"contents": "read", "id-token": "write", "attestations": "write"}}
    assert list(mistakes(ROOT / ".github/workflows/promotion-gate.yml", right | change)) == found


def test_every_input_of_the_workflow_is_explained_with_its_default(pages):
    path = ROOT / ".github" / "workflows" / "promotion-gate.yml"
    inputs = yaml.safe_load(path.read_text())[True]["workflow_call"]["inputs"]
    rows = {row[0].strip("`"): row[1] for row in pages[PAGE].table_rows() if len(row) == 3}
    del rows["input"]
    rows = {name: value for name, value in rows.items() if not set(name) <= set(":-")}
    told = {"": "empty", None: "required", True: "`true`", False: "`false`"}
    defaults = {name: None if one.get("required") else one["default"] for name, one in inputs.items()}
    assert rows == {name: told.get(default, f"`{default}`") for name, default in defaults.items()}


def test_every_job_of_the_workflow_is_explained(pages):
    path = ROOT / ".github" / "workflows" / "promotion-gate.yml"
    named = {row[0].strip("`") for row in pages[PAGE].table_rows() if len(row) == 2}
    assert set(yaml.safe_load(path.read_text())["jobs"]) <= named
