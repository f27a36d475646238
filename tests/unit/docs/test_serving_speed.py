"""The page on speed shows the results that lie beside the benchmark, and says of them what they say."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "benchmarks" / "serving" / "results.txt"


def test_the_page_shows_the_published_results():
    page = (ROOT / "docs" / "serving-speed.md").read_text(encoding="utf-8")
    assert page.partition("```text\n")[2].partition("```")[0] == RESULTS.read_text(encoding="utf-8")


def test_the_words_give_the_figures_of_the_table():
    words = (ROOT / "docs" / "serving-speed.md").read_text(encoding="utf-8").partition("## What it says")[2]
    said = " ".join(words.partition("##")[0].split())
    ratios = RESULTS.read_text(encoding="utf-8").partition("divided by")[2].partition("Open loop")[0]
    per_server = dict(re.findall(r"^/ (bare FastAPI|MLServer) +(.*)$", ratios, re.MULTILINE))
    fastapi, mlserver = (
        re.sub(r"\([^)]*\)", "", per_server[name]).split() for name in ("bare FastAPI", "MLServer")
    )
    assert f"answers {fastapi[0]} of the requests per second" in said
    assert f"at {fastapi[2]} of its p99, and {float(mlserver[0]):.1f} times those of MLServer" in said
    assert f"at {mlserver[2]} of its p99." in said


def test_the_results_tell_where_and_how_they_were_made():
    results = RESULTS.read_text(encoding="utf-8")
    for part in ("command: ", " UTC, commit ", " cores (", "onnxruntime ", "mlserver ", "whole, without"):
        assert part in results
