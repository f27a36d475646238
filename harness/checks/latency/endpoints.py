"""Response times of each endpoint of a mix: reported, not judged, as each has but a part of the samples."""

import numpy as np
from numpy.typing import NDArray

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import finding
from harness.load.samples import MS
from harness.model import Finding, Outcome
from harness.stats.quantiles import quantile

QUANTILES = (0.50, 0.95, 0.99)


def report_endpoints(evidence: LatencyEvidence) -> list[Finding]:
    """Return a finding for each endpoint that was asked; none where there is only one."""
    if len(evidence.endpoints) < 2:  # noqa: PLR2004 - one endpoint is all of the load
        return []
    counts = list(evidence.endpoints.values())
    endpoint = np.repeat(np.arange(len(counts)), counts)[evidence.samples.payload]
    return [
        _report(evidence, name, endpoint == index)
        for index, name in enumerate(evidence.endpoints)
        if (endpoint == index).any()
    ]


def _report(evidence: LatencyEvidence, name: str, rows: NDArray[np.bool_]) -> Finding:
    side = evidence.samples.side
    own = rows & (side == evidence.candidate)
    message = f"{name}: {_times(evidence, own)}"
    if evidence.reference is not None:
        message += f"; the reference {_times(evidence, rows & (side == evidence.reference))}"
    return finding(f"endpoint.{name}", Outcome.PASS, message, samples=int(np.count_nonzero(own)))


def _times(evidence: LatencyEvidence, rows: NDArray[np.bool_]) -> str:
    times_ms = MS * evidence.samples.response_s[rows]
    failed = int(np.count_nonzero(evidence.samples.failed[rows]))
    shown = ", ".join(f"p{100 * p:.0f} {quantile(times_ms, p):.2f}" for p in QUANTILES)
    return f"{shown} ms, {failed} of {times_ms.size} failed"
