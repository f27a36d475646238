"""Ends each window after three quarters of its time."""

import sys

from reference_service.__main__ import main
from reference_service.access.windows import LocalWindows

in_time = LocalWindows.charge


async def early(self, charges):
    """And tells of the whole time."""
    short = [charge._replace(period_s=charge.period_s * 0.75) for charge in charges]
    states = await in_time(self, short)
    return [
        s._replace(ends_in_s=s.ends_in_s + c.period_s * 0.25) for s, c in zip(states, charges, strict=True)
    ]


LocalWindows.charge = early
sys.exit(main())
