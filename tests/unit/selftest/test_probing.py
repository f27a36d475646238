"""Probes are programs: what one ends with says whether a fault is there. The harness has no part in them."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from one_answer import answering

CATALOGUE = Path(__file__).resolve().parents[3] / "scenarios" / "selftest"
ENTRIES = sorted(path.parent for kind in ("fault", "benign") for path in CATALOGUE.glob(f"*/*/{kind}.toml"))
PROBES = sorted(CATALOGUE.glob("*/*/probe.py"))
MODULES = [*sorted(CATALOGUE.glob("*.py")), *PROBES]
PROBE = """
from probing import answered, given, prove

prove(given(), lambda client: answered(client.get("/"))["shown"], "it is shown")
"""
GIVEN = """
import json
from probing import given

told = given()
print(json.dumps([told.headers, told.variant, told.tokens]))
"""
GOLDEN = """
import json
from probing import cases, sample, samples

assert sample() == samples(3)[0] == cases(1)[0]["input"]
print(json.dumps([len(cases()), len(cases(2, "digits")), sorted(cases(1)[0])]))
"""


def served(status, document):
    return answering(status, json.dumps(document).encode())


def ended(program, told, tmp_path):
    (tmp_path / "probe.py").write_text(program)
    return subprocess.run(
        [sys.executable, "probe.py"],
        input=json.dumps(told),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CATALOGUE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def told_of(base_url="", healthy_url="", **more):
    return {
        "base_url": base_url,
        "healthy_url": healthy_url,
        "headers": {"api_key": {"X-API-Key": "k"}},
        "container_id": "c",
        "image_id": "i",
        "healthy_image_id": "h",
        **more,
    }


@pytest.mark.parametrize(
    ("entry", "healthy", "code", "said"),
    [
        ((200, {"shown": True}), (200, {"shown": False}), 0, ""),
        ((200, {"shown": False}), (200, {"shown": False}), 1, "it is shown: the entry does not\n"),
        ((200, {"shown": True}), (200, {"shown": True}), 1, "it is shown: the healthy one too\n"),
        ((200, {"shown": False}), (200, {"shown": True}), 1, "it is shown: the healthy one too\n"),
        ((500, {"shown": True}), (200, {"shown": False}), 2, ""),
        ((200, {"shown": True}), (404, {"shown": False}), 2, ""),
        ((200, {}), (200, {}), 2, ""),
    ],
)
def test_what_a_probe_ends_with(tmp_path, entry, healthy, code, said):
    with served(*entry) as (base_url, _), served(*healthy) as (healthy_url, _):
        done = ended(PROBE, told_of(base_url, healthy_url), tmp_path)
    assert (done.returncode, done.stdout) == (code, said), done.stderr


def test_a_service_that_is_gone_says_nothing(tmp_path):
    with served(200, {"shown": True}) as (base_url, _):
        pass
    assert ended(PROBE, told_of(base_url, base_url), tmp_path).returncode == 2


def test_what_a_probe_is_told(tmp_path):
    told = told_of(variant="tls", tokens={"expired_1h": "t"}, unheard_of=1)
    assert json.loads(ended(GIVEN, told, tmp_path).stdout) == [told["headers"], "tls", told["tokens"]]
    assert json.loads(ended(GIVEN, told_of(), tmp_path).stdout) == [told["headers"], None, {}]


def test_the_golden_cases_are_found_from_anywhere(tmp_path):
    done = ended(GOLDEN, {}, tmp_path)
    assert json.loads(done.stdout) == [569, 2, ["expected", "id", "input"]], done.stderr


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_has_a_probe(entry):
    assert (entry / "probe.py").is_file()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: f"{module.parent.name}/{module.name}")
def test_a_probe_imports_nothing_of_what_it_checks(module):
    tree = ast.parse(module.read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert not imported & {"harness", "reference_service"}
    assert ast.get_docstring(tree)
