"""The page on speed shows the results that lie beside the benchmark, and those hold what it promises."""

from pathlib import Path

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "benchmarks" / "serving" / "results.txt"


def test_the_page_shows_the_published_results():
    page = (ROOT / "docs" / "serving-speed.md").read_text(encoding="utf-8")
    assert page.partition("```text\n")[2].partition("```")[0] == RESULTS.read_text(encoding="utf-8")


def test_the_results_tell_where_and_how_they_were_made():
    results = RESULTS.read_text(encoding="utf-8")
    for part in ("command: ", " UTC, commit ", " cores (", "onnxruntime ", "mlserver ", "whole, without"):
        assert part in results
