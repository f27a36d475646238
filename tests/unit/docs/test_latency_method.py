"""What the pages say of the latency's method is what the code does; quoted results are the stored ones."""

import re
import tomllib
from pathlib import Path

import pytest

from harness.checks.latency.settings import LatencySettings
from harness.config.suite import load_suite
from harness.load.plan import LoadPlan
from harness.stats.groups import GROUPS
from harness.stats.looks import Looks

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = load_suite(ROOT / "gate.toml").config.latency
RESULTS = ROOT / "benchmarks" / "latency_coverage"


def listed(values, word="and"):
    *most, last = (f"{round(value, 2):g}" for value in values)
    return f"{', '.join(most)} {word} {last}"


def seconds_of_looks(settings):
    looks = Looks(blocks=settings.blocks)
    return listed([at * settings.block_s for at in looks.at_blocks], "or")


@pytest.fixture
def text(pages):
    return " ".join(pages["docs/latency.md"].prose.split())


def test_the_example_is_the_shipped_load_with_the_shipped_limits(pages):
    shipped = tomllib.loads((ROOT / "gate.toml").read_text())["latency"]
    shown = tomllib.loads(pages["docs/latency.md"].blocks("toml")[0].text)["latency"]
    limits = shown.pop("limits")
    assert shown == {key: shipped[key] for key in ("rate_per_s", "budget_s", "block_s")}
    assert limits == {key: shipped["limits"][key] for key in ("max_error_rate", "p50", "p95", "p99")}


def test_looks_and_what_they_spend_are_told(pages, text):
    looks = Looks(blocks=SHIPPED.blocks)
    shares = listed([100 * fraction for fraction in looks.fractions])
    confidence = SHIPPED.limits.confidence
    spent = [looks.spending_at(at, within=1 - confidence, beyond=1 - confidence) for at in looks.at_blocks]
    within = listed([100 * each.within for each in spent])
    beyond = listed([100 * each.beyond for each in spent])
    assert text.count(f"After {shares} % of the blocks") == 2
    of = f"of `1 - confidence` ({100 * (1 - confidence):g} %)"
    assert f"{of} the looks may spend {within} % on a pass" in text
    assert f"on a fail {beyond} %" in text
    assert looks.within_power == 2, "the page speaks of a square"
    assert f"to the power of {looks.beyond_power:g}" in text
    assert f"{shares} % of the window" in " ".join(pages["docs/canary.md"].prose.split())


def test_the_load_and_how_long_it_takes_are_told(text):
    load = f"{SHIPPED.rate_per_s:g} a second to each for at most {SHIPPED.budget_s:g} s"
    assert f"{load}, in {SHIPPED.blocks} blocks of {SHIPPED.block_s:g} s" in text
    usual = LatencySettings()
    assert (
        f"({SHIPPED.blocks} blocks of {SHIPPED.block_s:g} s) after {seconds_of_looks(SHIPPED)} s of load"
        in text
    )
    by_default = f"({usual.rate_per_s:g} a second, {usual.blocks} blocks of {usual.block_s:g} s)"
    assert f"{by_default} after {seconds_of_looks(usual)} s" in text


def test_groups_and_sums_are_told(text):
    assert f"into {GROUPS} stretches" in text
    assert f"into {GROUPS} groups of consecutive blocks" in text
    assert f"estimated from {GROUPS} groups" in text
    assert f"all {2**GROUPS:,} that flipped signs give" in text
    assert f"one of the {2 ** (GROUPS // 2)} sums of the first half" in text


def test_the_spacing_of_the_requests_is_told(text):
    free = LoadPlan.model_fields["dead_time"].default
    assert free == 0.9, "the page speaks of nine tenths"
    spacing_ms = 1000 / (2 * SHIPPED.rate_per_s)
    assert f"{free * spacing_ms:g} ms at {SHIPPED.rate_per_s:g} a second to each" in text
    # Importing it would monkey-patch this process.
    user = (ROOT / "harness" / "load" / "user.py").read_text()
    (spin_s,) = re.findall(r"(?m)^SPIN_S = (\S+)$", user)
    assert f"until {1000 * float(spin_s):g} ms before the next send" in text


def test_the_margins_are_told(text):
    margins = [declared.margin for _, declared in LatencySettings().limits.by_name.values()]
    assert margins == [declared.margin for _, declared in SHIPPED.limits.by_name.values()]
    p50, p95, p99 = (f"{margin:.2f}" for margin in margins)
    assert f"the default margins are {p50}, {p95} and {p99}" in text
    assert p50 == p95
    assert (
        f"({100 * margins[0]:g} % of the reference's p50 and p95, {100 * margins[2]:g} % of its p99)" in text
    )


@pytest.mark.parametrize(
    ("name", "results"), [("docs/canary.md", "canary_results.txt"), ("docs/latency.md", "results.txt")]
)
def test_quoted_results_are_the_stored_ones(pages, name, results):
    *tables, last = (RESULTS / results).read_text().strip().split("\n\n")
    if not tables:
        table, _, last = last.rpartition("\n")
        tables = [table]
    assert last.startswith("seed ")
    quoted = [block.text.strip() for block in pages[name].blocks("")]
    assert [table for table in tables if table.strip() not in quoted] == []
