"""``[latency]``."""

from harness.config.section import FamilySettings, Limits


class LatencyLimits(Limits):
    """``[latency.limits]``."""


class LatencySettings(FamilySettings):
    """``[latency]``."""

    limits: LatencyLimits = LatencyLimits()
