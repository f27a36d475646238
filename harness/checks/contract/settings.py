"""``[contract]``."""

from harness.config.section import FamilySettings, Limits


class ContractLimits(Limits):
    """``[contract.limits]``."""


class ContractSettings(FamilySettings):
    """``[contract]``."""

    limits: ContractLimits = ContractLimits()
