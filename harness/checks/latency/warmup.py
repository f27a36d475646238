"""Leaves out the first blocks of comparisons while a side still warms up, and says so."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.checks.latency.decided import Judged
from harness.checks.latency.findings import finding
from harness.checks.latency.view import SideView, View
from harness.model import Outcome
from harness.stats.warmup import settled_after


def warmup(view: View) -> tuple[int, Judged]:
    """Return how many blocks are left out where the sides' times are compared, and the finding about it.

    The slower start of a candidate may be what a release changed: it is a warning.
    """
    most = view.limits.max_warmup_share
    ours = settled_after(_medians(view, view.candidate), most=most)
    theirs = 0 if view.reference is None else settled_after(_medians(view, view.reference), most=most)
    left_out, blocks = max(ours, theirs), int(view.blocks[-1]) + 1
    message = "neither side was still warming up"
    if left_out:
        sides = "both sides" if ours and theirs else "the candidate alone" if ours else "the reference alone"
        message = f"{sides} still warmed up when the load began, in the first {left_out} of {blocks} blocks"
        if view.reference is not None:
            message += ": they are left out where times are compared, and count for absolute limits"
    return left_out, Judged(
        finding=finding(
            "warmup",
            Outcome.WARN if ours else Outcome.PASS,
            message,
            samples=view.samples,
            observed=left_out / blocks,
            limit=most,
            unit="share of blocks",
        )
    )


def _medians(view: View, side: SideView) -> NDArray[np.float64]:
    """Return the median response time of each block, shape (blocks,), in ms."""
    ends = np.cumsum(np.bincount(view.blocks)).tolist()
    times_ms = side.response_ms
    return np.array([np.sort(times_ms[start:end])[(end - start) // 2] for start, end in pairwise([0, *ends])])
