"""``[fuzz]``."""

from harness.config.section import FamilySettings, Limits


class FuzzLimits(Limits):
    """``[fuzz.limits]``."""


class FuzzSettings(FamilySettings):
    """``[fuzz]``."""

    limits: FuzzLimits = FuzzLimits()
