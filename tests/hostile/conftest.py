"""Candidates that want to do harm, a suite that would promote them if they did not, and where they lead."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from hostile_cases import CASES
from measured_gate import measure

from harness.checks.scenarios.listening import Listener
from harness.errors import ExitCode

HERE = Path(__file__).parent
PLAIN = HERE.parent / "suites" / "plain"
ROWS = "HARNESS_HOSTILE_ROWS"
"""Names a file that the figures of each case are added to."""
EXIT_CODES = {
    "promote": ExitCode.PROMOTE,
    "reject": ExitCode.REJECT,
    "inconclusive": ExitCode.INCONCLUSIVE,
}
MOST_S = 200
MOST_MIB = 900
# Time limits that a hostile candidate would use up otherwise, and bounds of a small one.
CHANGES = {
    "ready_timeout_s = 20": "ready_timeout_s = 6\nstop_timeout_s = 2\ndisk = '256m'\ntmpfs = ['/tmp']",
    "pids = 256": "pids = 64",
    'openapi = "contracts/openapi.json"\nserved': 'openapi = "contracts/openapi.json"\ntimeout_s = 3\nserved',
    "[contract.responses]\n": "[contract.responses]\ntimeout_s = 1\n",
    '[golden]\npath = "golden"\n': '[golden]\npath = "golden"\ntimeout_s = 1\nbudget_s = 8\n',
    "[fuzz]\n": "[fuzz]\ncases_per_operation = 5\nanswer_timeout_s = 1\nbudget_s = 8\nshrink_budget_s = 1\n",
    "[fuzz.raw]\n": "[fuzz.raw]\nanswer_timeout_s = 1\nbudget_s = 8\n",
    "[scenarios]\n": "[scenarios]\ntimeout_s = 2\nbudget_s = 12\n",
    "[latency]\nrate_per_s = 80\nbudget_s = 20\n": (
        "[latency]\nrate_per_s = 50\nbudget_s = 6\nblock_s = 0.5\nwarmup_requests = 2\ntimeout_s = 2\n"
    ),
}


@pytest.fixture(scope="session")
def hostile_image(images, base_image, build_image):
    """Builds an image that goes a way, AT some paths; more lines go to its Dockerfile."""
    plain = images.from_folder("plain", PLAIN, base=base_image, base_argument="BASE_IMAGE")
    dockerfile = "FROM ${BASE}\nCOPY hostile.py /srv/hostile.py\n"
    source = (HERE / "candidate" / "hostile.py").read_text()
    hostile = build_image("hostile", dockerfile, {"hostile.py": source}, base=plain)

    def build(way, at="rest", lines=(), files=None):
        command = json.dumps(["python3", "hostile.py", way, at])
        text = "\n".join(["FROM ${BASE}", *lines, f"CMD {command}", ""])
        return build_image(f"hostile-{way.replace('_', '-')}-{at}", text, files, base=hostile)

    return build


@pytest.fixture
def suite(tmp_path):
    """Writes the suite of the plain service with short limits; gives its gate.toml."""

    def write(more="", *, changes=None, **environment):
        folder = tmp_path / "suite"
        shutil.copytree(PLAIN, folder)
        config = folder / "gate.toml"
        text = config.read_text()
        given = "".join(f"{name} = {json.dumps(value)}\n" for name, value in environment.items())
        variables = {"[service.environment]\n": f"[service.environment]\n{given}"}
        for old, new in {**CHANGES, **variables, **(changes or {})}.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        config.write_text(text + more)
        return config

    return write


@pytest.fixture
def canary(engine):
    """Listens at the address of the engine's own bridge, which anything on this machine can reach."""
    configured = engine.networks.get("bridge").attrs["IPAM"]["Config"] or [{}]
    with Listener(configured[0].get("Gateway", "127.0.0.1")) as listener:
        yield listener


@pytest.fixture
def gated(engine, tmp_path):
    """Gates an image; nothing may be left of it, and what it took is written down.

    ``declared`` is the verdict that the case has been given beforehand.
    """

    def run(image, config, *options, declared, case, most_s=MOST_S, **environ):
        assert case in CASES
        command = ["run", "--config", config, "--candidate", image, "--reference", "none", *options]
        seen = measure(command, folder=tmp_path / "gate", engine=engine, most_s=most_s, **environ)
        assert seen.code in set(EXIT_CODES.values()), seen.stderr
        row = {
            "case": case,
            "declared": declared,
            "verdict": seen.report["decision"],
            "seconds": round(seen.seconds, 1),
            "peak_mib": round(seen.peak_mib),
            "leftovers": len(seen.leftovers),
        }
        sys.stdout.write("  ".join(map(str, row.values())) + "\n")
        if os.environ.get(ROWS):
            with Path(os.environ[ROWS]).open("a") as rows:
                rows.write(json.dumps(row) + "\n")
        assert seen.leftovers == ()
        assert "Traceback" not in seen.stderr
        assert (row["verdict"], seen.code) == (declared, EXIT_CODES[declared]), seen.stderr
        assert seen.peak_mib < MOST_MIB
        assert engine.ping()
        return seen

    return run
