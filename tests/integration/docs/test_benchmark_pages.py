"""The benchmarks that pages name, cut short."""

import shutil
import subprocess

import pytest
from walking import Instead

pytestmark = pytest.mark.slow


def test_the_coverage_of_the_judge_is_simulated(checkout):
    few = Instead("--runs 1000 --checks 40", "--runs 4 --checks 1", "the published figures take minutes")
    told = checkout.walk("docs/latency.md", ".venv/bin/python benchmarks", instead=[few], timeout_s=300).out
    assert "One quantile exactly at its margin, 4 runs each" in told
    assert "The whole latency check, 1 runs each" in told


def test_the_tables_of_the_verdicts_so_far_are_told_and_put_into_the_page(checkout):
    page = checkout.folder / "docs" / "verdict-quality.md"
    told = checkout.walk(
        "docs/verdict-quality.md", ".venv/bin/python -m benchmarks.verdict_quality --report"
    ).out
    before = page.read_text()
    checkout.walk("docs/verdict-quality.md", ".venv/bin/python -m benchmarks.verdict_quality --report --page")
    assert told.strip() in page.read_text()
    assert page.read_text().partition("<!--")[0] == before.partition("<!--")[0]


@pytest.mark.engine
@pytest.mark.usefixtures("base_image")
def test_verdicts_are_measured_as_far_as_it_gets(checkout):
    none = Instead("--minutes 60", "--minutes 0", "an hour")
    said = checkout.walk(
        "docs/verdict-quality.md",
        ".venv/bin/python -m benchmarks.verdict_quality --minutes",
        instead=[none],
        timeout_s=300,
    ).said
    assert "the time is over; called again, it goes on from here" in said


@pytest.mark.skipif(not all(map(shutil.which, ("wrk", "taskset"))), reason="needs wrk and taskset")
def test_the_speed_of_the_service_is_measured_and_published(checkout):
    for words in (
        "init --quiet",
        "add .",
        "-c user.name=docs -c user.email=docs@test commit --quiet --message=all",
    ):
        subprocess.run(["git", *words.split()], cwd=checkout.folder, check=True)
    page = checkout.folder / "docs" / "serving-speed.md"
    before = page.read_text()
    short = Instead("--publish", "--publish --rounds 4 --seconds 1", "four minutes, for figures nobody reads")
    checkout.walk("docs/serving-speed.md", ".venv/bin/python benchmarks", instead=[short], timeout_s=400)
    results = (checkout.folder / "benchmarks" / "serving" / "results.txt").read_text()
    assert results in page.read_text() != before
