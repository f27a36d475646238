"""What the gate proves itself with."""

from typing import Annotated

from pydantic import Field

from harness.config.section import Section


class SelftestSettings(Section):
    """``[selftest]``: for `harness selftest` alone; it has no part in any verdict.

    Attributes:
        catalogue: Folder with seeded faults and benign changes, relative to gate.toml.
    """

    catalogue: Annotated[str, Field(min_length=1)]
