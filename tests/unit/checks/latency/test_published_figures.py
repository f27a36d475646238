"""The error rates on the page are those of the benchmark's last run."""

import importlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
RESULTS = ROOT / "benchmarks" / "latency_coverage" / "results.txt"


def test_the_page_quotes_both_tables_as_they_were_printed():
    page = (ROOT / "docs" / "latency.md").read_text(encoding="utf-8")
    results = RESULTS.read_text(encoding="utf-8")
    tables = [
        block
        for block in re.findall(r"^```\w*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        if "runs each" in block
    ]
    assert [table.split(",")[0] for table in tables] == [
        "One quantile exactly at its margin",
        "The whole latency check",
    ]
    assert all(table in results for table in tables)
    (seed,) = re.findall(r"--seed (\d+)", page)
    assert f"seed {seed}," in results


def test_the_figures_are_of_these_looks_groups_and_limits(monkeypatch):
    monkeypatch.syspath_prepend(RESULTS.parent)
    simulate = importlib.import_module("simulate")
    assert RESULTS.read_text(encoding="utf-8").startswith(f"{simulate.as_declared()}\n")
