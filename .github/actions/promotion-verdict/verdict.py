"""Whether a candidate may be promoted, by what the jobs before have left behind.

A job that is skipped counts as passed, and a green job may have judged nothing: so the reports themselves are
read. Standard library only; from the environment: NEEDS and DEVICES (JSON), VERDICTS and REJECTED (folders),
CANDIDATE (name@sha256:..., or "build"), ATTEMPT; a file to write to, GITHUB_STEP_SUMMARY.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BUILT_HERE = "build"
MOST_SHOWN = 80


def shown(value: object) -> str:
    """``value`` as JSON: one line, whatever somebody wrote into it."""
    text = json.dumps(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def failed_needs(needs: Mapping[str, Any]) -> Iterator[str]:
    """Jobs that did not succeed."""
    if not needs:
        yield "no job was needed"
    for name, need in needs.items():
        if need["result"] != "success":
            yield f"{name}: {shown(need['result'])}, not success"


def read(path: Path) -> Mapping[str, Any]:
    """A report; empty where it is none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def tested(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a report is about."""
    candidate = report.get("candidate")
    return candidate if isinstance(candidate, dict) else {}


def is_of(report: Mapping[str, Any], candidate: str) -> bool:
    """Whether it judged these bytes, under whatever name; what was built here has no digest to compare."""
    digest = candidate.rpartition("@")[2]
    return candidate == BUILT_HERE or str(tested(report).get("repo_digest")).rpartition("@")[2] == digest


def differences(report: Mapping[str, Any], device: str, candidate: str) -> Iterator[str]:
    """What keeps a report from promoting."""
    expected = {"decision": "promote", "scope": "container", "partial": False}
    for key, value in expected.items():
        if type(report.get(key)) is not type(value) or report.get(key) != value:
            yield f"{device}: {key} is {shown(report.get(key))}, not {shown(value)}"
    if not is_of(report, candidate):
        yield f"{device}: it judged {shown(tested(report).get('repo_digest'))}, not {shown(candidate)}"


def rejections(folder: Path, own: list[object], candidate: str) -> Iterator[str]:
    """Rejects of these bytes by earlier attempts: there is no retry until green."""
    for path in sorted(folder.glob("*.json")):
        report = read(path)
        if (not report or is_of(report, candidate)) and report.get("run_id") not in own:
            yield (
                f"{shown(path.stem)}: rejected by an earlier attempt of this run, "
                "which a further attempt does not undo"
            )


def problems(
    needs: Mapping[str, Any], folder: Path, rejected: Path, devices: list[str], candidate: str
) -> Iterator[str]:
    """Everything that stands against a promotion; nothing, and only then, is a promotion."""
    yield from failed_needs(needs)
    if not devices:
        yield "no device was asked for"
    if not candidate:
        yield "no candidate was named"
    by_device: dict[object, list[Mapping[str, Any]]] = {device: [] for device in devices}
    for path in sorted(folder.glob("*.json")):
        report = read(path)
        device = tested(report).get("device")
        if isinstance(device, str) and device in by_device:
            by_device[device].append(report)
        else:
            yield f"{shown(path.name)}: no report of a device that was asked for"
    for device in devices:
        reports = by_device[device]
        if len(reports) != 1:
            yield f"{device}: {len(reports)} verdicts, not one"
        for report in reports:
            yield from differences(report, device, candidate)
    own = [report.get("run_id") for reports in by_device.values() for report in reports]
    yield from rejections(rejected, own, candidate)


def main() -> int:
    """0 for a promotion, else 1 with an annotation for each problem."""
    environ = os.environ
    needs, devices = json.loads(environ["NEEDS"]), json.loads(environ["DEVICES"])
    candidate = environ["CANDIDATE"]
    found = list(problems(needs, Path(environ["VERDICTS"]), Path(environ["REJECTED"]), devices, candidate))
    for problem in found:
        sys.stdout.write(f"::error title=not promoted::{problem.replace('%', '%25')}\n")
    if not found:
        sys.stdout.write(
            f"promote on {', '.join(devices)}: {'built here' if candidate == BUILT_HERE else candidate}\n"
        )
    if environ["ATTEMPT"] != "1":
        with Path(environ["GITHUB_STEP_SUMMARY"]).open("a") as summary:
            summary.write(f"Attempt {environ['ATTEMPT']} of this run.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
