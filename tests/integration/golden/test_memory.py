"""A set of any size is verified, asked, stored and judged in memory that does not grow with it."""

import hashlib
import json
import tracemalloc

import pytest

from harness.checks.golden import asking, concurrent
from harness.checks.golden.batch import GoldenBatch
from harness.checks.golden.concurrent import GoldenConcurrent
from harness.checks.golden.single import GoldenSingle
from harness.config.suite import parse_suite
from harness.http_exchange import Answer
from harness.testing import check_context

GATE = """\
schema_version = 1
name = "large"
service = { port = 8000, ready_path = "/" }
[golden]
path = "."
single = { path = "/one", body = { x = "${input}" } }
batch = { path = "/many", body = { xs = "${inputs}" }, items = "", size = 32 }
concurrent = { connections = 4 }
budget_s = 600
[golden.outputs.y]
pointer = "/y"
dtype = "float32"
shape = [4]
"""
HEADER = """\
schema_version = 1
producer = { name = "test", version = "1", kind = "script", date = "2026-11-01", environment = "python" }
model = { name = "m", version = "1", sha256 = "%(zeros)s" }
dataset = { name = "d", sha256 = "%(zeros)s" }
cases = { file = "cases.jsonl", sha256 = "%(sha256)s", count = %(count)d }
"""
# What each case may add: eight bytes for the digest of its id while the set is read, twice that when they are
# sorted, eight for where its answer lies, the growth of those arrays, and its share of a batch's record.
MOST_BYTES_A_CASE = 64


def suite_of(folder, count):
    folder.mkdir()
    digest = hashlib.sha256()
    with (folder / "cases.jsonl").open("wb") as cases:
        for number in range(count):
            row = [(number + at) % 97 / 8 for at in range(4)]
            line = json.dumps({"id": f"row-{number}", "input": row, "expected": {"y": row}}).encode() + b"\n"
            digest.update(line)
            cases.write(line)
    header = HEADER % {"zeros": "0" * 64, "sha256": digest.hexdigest(), "count": count}
    (folder / "golden.toml").write_text(header)
    return parse_suite(GATE, folder / "gate.toml")


def answer(_client, request, **_bounds):
    body = json.loads(request.body)
    told = {"y": body["x"]} if "x" in body else [{"y": row} for row in body["xs"]]
    return Answer(status=200, headers={}, body=json.dumps(told).encode(), truncated=False)


def peak_bytes(check, folder, count):
    suite = suite_of(folder, count)
    settings = suite.config.golden
    tracemalloc.start()
    try:
        check.verify_inputs(suite, settings)
        evidence = check.collect(check_context(suite, folder), settings)
        evidence.save(folder, str)
        findings = check.judge(check.evidence.load(folder), settings.limits)
        return findings, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("check", "few", "many"),
    [
        pytest.param(GoldenSingle(), 300, 2_000, id="single"),
        pytest.param(GoldenBatch(), 700, 2_400, id="batch"),
        pytest.param(GoldenConcurrent(), 300, 1_000, id="concurrent", marks=pytest.mark.slow),
        pytest.param(GoldenSingle(), 20_000, 200_000, id="single-200k", marks=pytest.mark.slow),
        pytest.param(GoldenBatch(), 20_000, 200_000, id="batch-200k", marks=pytest.mark.slow),
    ],
)
def test_memory_does_not_grow_with_the_set(check, few, many, tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "exchange", answer)
    monkeypatch.setattr(concurrent, "CASES_TOGETHER", 100)
    # A first, small one takes what is loaded and cached once.
    peak_bytes(check, tmp_path / "once", 10)
    (_, least), (findings, most) = (peak_bytes(check, tmp_path / str(n), n) for n in (few, many))
    assert {finding.outcome for finding in findings} == {"pass"}
    assert most - least < MOST_BYTES_A_CASE * (many - few) + 50_000, f"{least} and {most} bytes"
