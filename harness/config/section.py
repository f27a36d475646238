"""Base of every section of gate.toml."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Immutable, and an unknown key is an error: a misspelt limit must not be silently no limit.

    No field is a set: sets have no order, and the settings' digest goes into the report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class Limits(Section):
    """What is allowed; the only part of a family's settings that a judge may read."""


class FamilySettings(Section):
    """One family's section: what is asked, and under ``limits`` what is allowed."""

    limits: Limits = Limits()

    def not_declared(self) -> tuple[str, ...]:
        """What a suite may declare of this family and this one does not, so that it is not checked.

        Each names the check and the aspect (``telemetry.metrics: the counter of inferences``). A check that
        does not apply at all is not among them.
        """
        return ()
