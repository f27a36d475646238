"""docs/canary.md: two services, the gate on both, and nothing left of it."""

import json

import pytest
from local_processes import free_port
from walking import Instead

pytestmark = pytest.mark.slow


def ports():
    return [
        Instead("18081", str(free_port()), "the port may be taken"),
        Instead("18082", str(free_port()), "the port may be taken"),
    ]


def test_a_first_look_at_two_of_the_reference_service(checkout):
    short = Instead("budget_s = 60", "budget_s = 12", "a minute shows no more")
    temporary = checkout.folder.parent / "tmp"
    temporary.mkdir()
    checkout.environ["TMPDIR"] = str(temporary)
    before = set(checkout.folder.iterdir())
    checkout.walk(
        "docs/canary.md",
        "folder=",
        "export GATE_KEY_DEFAULT",
        "digest=",
        "printf",
        "export SERVICE_HOST",
        "export SERVICE_ARTIFACT",
        "SERVICE_PORT=18081",
        "SERVICE_PORT=18082",
        "sed",
        "harness run --config gate.canary-short.toml",
        "kill",
        "rm",
        instead=[*ports(), short],
        before="set +e",  # a verdict other than promote ends no terminal
    )
    report = json.loads((checkout.folder / "reports" / "latest").read_text())
    assert report["scope"] == "url"
    assert report["decision"] in {"promote", "inconclusive"}
    assert set(checkout.folder.iterdir()) - before <= {checkout.folder / "reports"}
    assert list(temporary.iterdir()) == []
