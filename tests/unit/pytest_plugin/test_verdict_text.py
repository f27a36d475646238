from pathlib import Path

from report_samples import undecided_too

from harness.pytest_plugin.told import verdict


def test_each_reason_says_its_outcome_the_failures_first():
    lines = [line.strip() for line in verdict(undecided_too(), Path("run.json"))["text"].splitlines()]
    assert lines[0].startswith("verdict: reject, 2 of 7 required checks failed")
    starts = (
        "fail golden.single.probabilities: ",
        "fail scenarios.auth.alg-none: ",
        "inconclusive latency.paired.ratio: ",
    )
    assert all(line.startswith(start) for line, start in zip(lines[1:4], starts, strict=True))
