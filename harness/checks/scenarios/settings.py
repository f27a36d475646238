"""``[scenarios]``."""

from harness.config.section import FamilySettings, Limits


class ScenariosLimits(Limits):
    """``[scenarios.limits]``."""


class ScenariosSettings(FamilySettings):
    """``[scenarios]``."""

    limits: ScenariosLimits = ScenariosLimits()
